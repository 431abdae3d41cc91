/** Carries orders to boards, each once and in their order; or keeps them back. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Refusal } from "../../host/protocol/refusal.ts";
import type { BoardWire } from "./board-wire.ts";
import type { TimeCarrier } from "./time-carrier.ts";

export class OrderCarrier {
  readonly #wire: BoardWire;
  readonly #time: TimeCarrier;

  constructor(wire: BoardWire, time: TimeCarrier) {
    this.#wire = wire;
    this.#time = time;
  }

  /** A board that is new asks what was ordered before. */
  askAll(index: number): void {
    const { cell, latencyMs } = this.#wire;
    const place = cell.office.orders.length - 1;
    if (place < 0) return;
    const atMs = this.#wire.reachableMs("verifier", index) + 2 * latencyMs;
    this.#wire.put(atMs, { kind: "order", board: index, place });
  }

  /** The order of this place has come to the agent, and with it whatever was missed before. Whether work may go on by it. */
  receive(index: number, place: number): boolean {
    const { cell } = this.#wire;
    const standing = this.#wire.standingOf(index);
    if (!standing.enrolled || place < standing.ordersHeard) return false;
    const news = cell.office.orders.slice(standing.ordersHeard, place + 1);
    standing.ordersHeard = place + 1;
    standing.pending.push(...news.map(({ bytes }) => bytes));
    const { action, epoch } = news.at(-1)!;
    // Who keeps orders back gives the board a resume, and what it cannot take a resume without.
    if (standing.strategy.has("withhold-orders") && action !== OrderAction.RESUME) return false;
    standing.epoch = epoch;
    // Who cheats tries for a license all the same.
    standing.isPaused = action === OrderAction.PAUSE && standing.strategy.size === 0;
    cell.take(index);
    this.deliver(index);
    return action !== OrderAction.PAUSE;
  }

  /** In their order; one that is refused, for its time has not certainly come, comes again with the next beacon. */
  deliver(index: number): void {
    const { mailbox } = this.#wire;
    const { pending, epoch, strategy } = this.#wire.standingOf(index);
    const isKept = strategy.has("withhold-orders") && this.#wire.cell.office.epochAt(this.#wire.nowMs) > epoch;
    while (pending.length > 0 && !isKept) {
      const refusal = this.#wire.refusal(() => mailbox.order(pending[0]!));
      const code = refusal instanceof Refusal ? refusal.code : undefined;
      if (code === ErrorCode.ORDER_NOT_YET) this.#time.askFresh(index);
      if (refusal && code !== ErrorCode.ORDER_EPOCH_OLD) return;
      pending.shift();
    }
  }
}
