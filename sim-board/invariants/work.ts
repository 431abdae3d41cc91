/** S1 and S2: work against what was licensed, and against the state of the gate. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { BoardEvent, BoardView } from "../events.ts";
import type { Check } from "./broken.ts";
import type { Exchange } from "./mailbox.ts";
import { stateName } from "./names.ts";
import { leastOf, mostOf, noWork, sumOf, type Works } from "./works.ts";

const CLASSES: number = EngineClass.COUNT;
/** A cut in the middle of an exchange leaves open whether it had its effect; so many such doubts are kept. */
const GRANTS_KEPT = 64;

/** What may be done from `since` (totals of the accelerator) on. */
type Grant = { since: Works; most: Works };

/** Everything that a board snapshot must take along. */
type State = {
  /** One of these is in force: the last is the newest, more than one only after torn exchanges. */
  grants: Grant[];
  /** Of the agreement in force; 0 without. */
  version: number;
  baseline: Works;
  baselineLeft: Works;
  drainLeft: Works;
  diagnosing: boolean;
};

export class WorkRule {
  state: State = {
    grants: [{ since: noWork(), most: noWork() }],
    version: 0,
    baseline: noWork(),
    baselineLeft: noWork(),
    drainLeft: noWork(),
    diagnosing: false,
  };

  observe(event: BoardEvent, exchange: Exchange | undefined, board: BoardView, check: Check): void {
    if (exchange) this.#learn(exchange, board);
    if (event.kind === "power") this.state.diagnosing = false;
    if (event.kind === "retired") this.#checkState(event.work, board, check);
    if (event.kind === "retired" || event.kind === "granted") this.#checkLicensed(board, check);
  }

  #learn(exchange: Exchange, board: BoardView): void {
    const state = this.state;
    if (exchange.kind === "agreement") {
      // The one in force, given again because its flash was lost, leaves the license as it is.
      if (exchange.facts.version === state.version) return;
      if (!exchange.torn) state.version = exchange.facts.version;
      state.baseline = exchange.facts.baseline;
      this.#allow(state.baseline, exchange.torn, board);
    } else if (exchange.kind === "recovery") this.#allow(state.baseline, exchange.torn, board);
    else if (exchange.kind === "license") {
      const { budget, drain } = exchange.facts;
      this.#allow(sumOf(budget, drain, state.baseline), exchange.torn, board);
      state.drainLeft = exchange.torn ? mostOf(state.drainLeft, drain) : [...drain];
    } else if (exchange.kind === "order") {
      const { scoped, drain } = exchange.facts;
      // An order may only narrow what is left; one for other devices does not concern this one.
      if (drain && !scoped && !exchange.torn) state.drainLeft = leastOf(state.drainLeft, drain);
    } else if (exchange.kind === "diagnose") state.diagnosing = !exchange.torn;
  }

  /** From here on no more than `most` may be done, whatever was allowed before. */
  #allow(most: Works, torn: boolean, board: BoardView): void {
    const state = this.state;
    const grant = { since: totals(board), most: [...most] };
    state.grants = torn ? [...state.grants, grant].slice(-GRANTS_KEPT) : [grant];
    state.baselineLeft = [...state.baseline];
  }

  /** S1: what was done, and what the credit registers still allow, is within what is in force. */
  #checkLicensed(board: BoardView, check: Check): void {
    const engine = board.accelerator;
    const within = (grant: Grant, c: number) =>
      engine.lifetimeOf(c) - grant.since[c]! + engine.creditOf(c) <= grant.most[c]!;
    const grants = this.state.grants;
    const holds = grants.some((grant) => {
      for (let c = 0; c < CLASSES; c++) if (!within(grant, c)) return false;
      return true;
    });
    check("S1", holds, () => {
      const grant = grants.at(-1)!;
      const c = grant.most.findIndex((_, engineClass) => !within(grant, engineClass));
      const done = engine.lifetimeOf(c) - grant.since[c]!;
      return `class ${c} did ${done} and holds ${engine.creditOf(c)} of credit, of ${grant.most[c]} allowed`;
    });
  }

  /** S2: where the gate stands decides what may retire. */
  #checkState(work: readonly bigint[], board: BoardView, check: Check): void {
    const gate = board.gateState;
    if (gate === GateState.OPEN || gate === GateState.SLOWED) return;
    const state = this.state;
    const isShut = gate === GateState.LOCKED || gate === GateState.TAMPERED;
    const draining = gate === GateState.DRAINING;
    const left = draining ? state.drainLeft : state.baselineLeft;
    const allowed = draining || (!isShut && state.diagnosing);
    for (let c = 0; c < CLASSES; c++) {
      if (work[c] === 0n) continue;
      const before = left[c]!;
      check("S2", allowed && work[c]! <= before, () => {
        const limit = allowed ? `${before} of its allowance left` : "nothing allowed";
        return `class ${c} did ${work[c]} while the gate was ${stateName(gate)}, with ${limit}`;
      });
      left[c] = before - work[c]!;
    }
  }
}

function totals(board: BoardView): Works {
  return Array.from({ length: CLASSES }, (_, c) => board.accelerator.lifetimeOf(c));
}
