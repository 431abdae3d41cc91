/** S5: the totals that the governor reports, against what the accelerator really did. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { BoardEvent, BoardView } from "../events.ts";
import type { Check } from "./broken.ts";
import type { Exchange } from "./mailbox.ts";
import { mostOf, noWork, sumOf, type Works } from "./works.ts";

type State = {
  slice: Works;
  reported: Works;
  /** The most by which the report may be ahead of the truth: one slice for each loss of power. */
  ahead: Works;
  /** By how much it may be behind: only after a recovery, in which the parties agree on totals. */
  behind: Works;
  /** The next totals set the mark anew. */
  recovering: boolean;
};

export class TotalsRule {
  state: State = {
    slice: noWork(),
    reported: noWork(),
    ahead: noWork(),
    behind: noWork(),
    recovering: false,
  };

  observe(event: BoardEvent, exchange: Exchange | undefined, board: BoardView, check: Check): void {
    const state = this.state;
    if (event.kind === "power" && event.change !== "on") {
      state.ahead = sumOf(state.ahead, state.slice);
    }
    if (exchange?.kind === "agreement") {
      // A torn one may be in force as well: the larger slice counts.
      state.slice = mostOf(exchange.facts.slice, state.slice);
    }
    if (exchange?.kind === "recovery") state.recovering = true;
    if (exchange?.kind === "totals") this.#checkTotals(exchange.totals, board, check);
  }

  #checkTotals(totals: Works, board: BoardView, check: Check): void {
    const state = this.state;
    // A locked gate has no journal that it trusts, a tampered one has erased it: their totals say nothing.
    if (board.gateState === GateState.LOCKED || board.gateState === GateState.TAMPERED) return;
    for (let c = 0; c < EngineClass.COUNT; c++) {
      const reported = totals[c]!;
      const truth = board.accelerator.lifetimeOf(c);
      if (state.recovering) {
        state.behind[c] = reported < truth ? truth - reported : 0n;
        state.ahead[c] = reported > truth ? reported - truth : 0n;
      } else {
        check(
          "S5",
          reported >= state.reported[c]!,
          () => `class ${c} went back from ${state.reported[c]} to ${reported}`,
        );
        check("S5", reported + state.behind[c]! >= truth, () => `class ${c} reports ${reported}, and did ${truth}`);
        check(
          "S5",
          reported <= truth + state.ahead[c]!,
          () => `class ${c} reports ${reported}, did ${truth}, and may have lost ${state.ahead[c]} in power cuts`,
        );
      }
      state.reported[c] = reported;
    }
    state.recovering = false;
  }
}
