/**
 * The parties' people: they pause, slow down and resume, each at the verifier of its party, and bring every order to all
 * verifiers. They are patient: what a verifier does not answer they ask it again, and one order is everywhere before the next.
 */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { ClientError } from "../../host/client/errors.ts";
import type { DraftView, VerifierService } from "../../host/service/service.ts";
import { VerifierError } from "../../host/verifier/errors.ts";
import type { OrderRequest } from "../../host/verifier/order-book.ts";
import type { Random } from "../../sim-board/random.ts";
import type { Judge } from "./judge.ts";
import type { Life, Network } from "./network.ts";
import type { Simulation } from "./simulation.ts";
import type { VerifierHost } from "./verifier-host.ts";
import { askOf } from "./verifier-link.ts";

export interface PartiesParts {
  readonly sim: Simulation;
  readonly network: Network;
  readonly judge: Judge;
  readonly verifiers: readonly VerifierHost[];
  /** Name of the party at each verifier. */
  readonly names: readonly string[];
}

const AGAIN_MS = 5_000;
/** What a signature that was given already, and not heard of, is answered with. */
const SIGNED = new Set(["order/active", "order/signed-already"]);
const PERMILLE_LEAST = 100;

export class Parties {
  readonly #parts: PartiesParts;
  readonly #random: Random;
  readonly #life: Life = { isOver: false };
  /** The order that is everywhere. */
  inForce: OrderAction = OrderAction.RESUME;
  /** Whether one is on its way. */
  isBusy = false;

  constructor(parts: PartiesParts) {
    this.#parts = parts;
    this.#random = parts.sim.random.stream("parties");
  }

  /** Some order, by whoever feels like it; none while one is on its way. */
  orderSome(): void {
    const action = [OrderAction.PAUSE, OrderAction.SLOW, OrderAction.RESUME][this.#random.below(3)]!;
    this.order(action);
  }

  /** Resolves when it is everywhere, unless nobody waits. */
  order(action: OrderAction): void {
    if (this.isBusy) return;
    this.isBusy = true;
    const permille =
      action === OrderAction.SLOW ? PERMILLE_LEAST + this.#random.below(900 - PERMILLE_LEAST) : undefined;
    this.#ceremony({ action, ...(permille !== undefined && { permille }) }).catch((error: Error) =>
      this.#parts.judge.find(`the parties: ${error.message}`),
    );
  }

  async #ceremony(request: OrderRequest): Promise<void> {
    const { sim, judge, verifiers } = this.#parts;
    judge.orderBegins();
    const first = this.#random.below(verifiers.length);
    const seats = verifiers.map((_, i) => (first + i) % verifiers.length);
    let draft = await this.#patiently(first, "propose", (service) => service.proposeOrder(request));
    for (const seat of seats) {
      if (draft.active) break;
      draft = await this.#sign(seat, seat === first ? draft : await this.#bring(seat, draft));
    }
    for (const seat of seats) await this.#bring(seat, draft);
    sim.count("orders");
    this.inForce = request.action;
    this.isBusy = false;
    if (request.action === OrderAction.PAUSE) judge.pauseIsEverywhere();
  }

  #bring(seat: number, { bytes }: DraftView): Promise<DraftView> {
    return this.#patiently(seat, "bring", (service) => service.importOrder(bytes));
  }

  async #sign(seat: number, { id }: DraftView): Promise<DraftView> {
    try {
      return await this.#patiently(seat, "approve", (service) => service.approveOrder(id, this.#parts.names[seat]!));
    } catch (error) {
      if (!(error instanceof VerifierError) || !SIGNED.has(error.code)) throw error;
      return this.#patiently(seat, "draft", (service) => service.draft(id));
    }
  }

  /** Until it is answered. */
  async #patiently<T>(seat: number, name: string, ask: (service: VerifierService) => Promise<T>): Promise<T> {
    const { sim, network, judge, verifiers } = this.#parts;
    const link = askOf(verifiers[seat]!, { sim, network, judge, from: "people", life: this.#life });
    for (;;) {
      try {
        return await link(name, ask);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        await new Promise<void>((resolve) => void sim.after(AGAIN_MS, "people", resolve));
      }
    }
  }
}
