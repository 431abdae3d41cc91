/**
 * S1 to S6 and S9, watching one board, and of S7 that nothing with a bad signature is accepted. They see only what the
 * mailbox and the accelerator's ground truth show, so they hold for any governor behind the ABI. Questions to ask of a
 * board are S8 (`liveness.ts`), and S7 and S9 in full (`flips.ts`, `voices.ts`).
 */
import type { BoardEvent, BoardView, Observer } from "../events.ts";
import { type Check, InvariantBroken, type InvariantId } from "./broken.ts";
import { type Exchange, readExchange } from "./mailbox.ts";
import { OpeningRule } from "./opening.ts";
import { SignaturesRule } from "./signatures.ts";
import { TotalsRule } from "./totals.ts";
import { WorkRule } from "./work.ts";

type Rule = {
  /** Plain data: a snapshot is a structured clone of it. */
  state: object;
  observe(event: BoardEvent, exchange: Exchange | undefined, board: BoardView, check: Check): void;
};

export class Invariants implements Observer {
  readonly #counts: Partial<Record<InvariantId, number>> = {};
  readonly broken: InvariantBroken[] = [];
  readonly #rules: Rule[];
  readonly #check: Check;

  /** `signatures`: whether all that is accepted is verified once more, which takes longer than all else. Default true. */
  constructor({ signatures = true }: { signatures?: boolean } = {}) {
    this.#rules = [new WorkRule(), new OpeningRule(), new TotalsRule()];
    if (signatures) this.#rules.push(new SignaturesRule());
    this.#check = (id, holds, detail) => {
      this.#counts[id] = (this.#counts[id] ?? 0) + 1;
      if (holds) return;
      const error = new InvariantBroken(id, detail());
      this.broken.push(error);
      throw error;
    };
  }

  /** Checks made so far, by invariant. */
  get checks(): ReadonlyMap<InvariantId, number> {
    return new Map(Object.entries(this.#counts) as [InvariantId, number][]);
  }

  /** Checks made, of all invariants together. */
  get checked(): number {
    return [...this.checks.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @throws InvariantBroken at the first event that breaks one. */
  observe(event: BoardEvent, board: BoardView): void {
    const exchange = event.kind === "request" ? readExchange(event.request, event.answer) : undefined;
    for (const rule of this.#rules) rule.observe(event, exchange, board, this.#check);
  }

  snapshot(onLoan = false): unknown {
    return this.#rules.map(({ state }) => (onLoan ? state : structuredClone(state)));
  }

  restore(state: unknown, onLoan = false): void {
    const states = state as object[];
    this.#rules.forEach((rule, i) => {
      rule.state = onLoan ? states[i]! : structuredClone(states[i]!);
    });
  }
}
