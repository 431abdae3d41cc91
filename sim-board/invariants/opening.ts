/** S3, S4 and S6: what opens a gate, and what must keep it open. */
import type { BoardEvent, BoardView } from "../events.ts";
import type { Check } from "./broken.ts";
import type { AgreementFacts, Exchange } from "./mailbox.ts";
import { flows, stateName } from "./names.ts";

type State = {
  agreement: AgreementFacts | undefined;
  /** Epoch of the last accepted license, or of a later one whose exchange was torn. */
  licenseEpoch: number;
  orderEpoch: number;
  /** Digests of the payloads of all licenses ever accepted. */
  licenses: Set<string>;
  /** Of the freshest accepted beacon or time proof. */
  issuedAtMs: bigint | undefined;
  /** The oscillator left the agreement's bound at some time since power-up: time bounds mean nothing any more. */
  clockIsOff: boolean;
};

export class OpeningRule {
  state: State = {
    agreement: undefined,
    licenseEpoch: -1,
    orderEpoch: -1,
    licenses: new Set(),
    issuedAtMs: undefined,
    clockIsOff: false,
  };

  observe(event: BoardEvent, exchange: Exchange | undefined, board: BoardView, check: Check): void {
    if (event.kind === "power" && event.change === "on") this.state.clockIsOff = false;
    this.#watchClock(board);
    if (exchange) this.#learn(exchange, check);
    if (event.kind === "gate" && flows(event.to) && !flows(event.from)) this.#checkEpoch(event.to, check);
    if (event.kind === "gate" || event.kind === "tick" || event.kind === "retired") this.#checkLease(board, check);
  }

  #watchClock(board: BoardView): void {
    const bound = this.state.agreement?.driftPpm;
    if (bound !== undefined && board.oscillator.ppmOffAt(board.nowNs) > bound) this.state.clockIsOff = true;
  }

  #learn(exchange: Exchange, check: Check): void {
    const state = this.state;
    if (exchange.kind === "agreement" && !exchange.torn) state.agreement = exchange.facts;
    else if (exchange.kind === "license") {
      const { payloadDigest, epoch } = exchange.facts;
      if (exchange.torn) {
        state.licenseEpoch = Math.max(state.licenseEpoch, epoch);
        return;
      }
      check("S6", !state.licenses.has(payloadDigest), () => `the license ${payloadDigest} was accepted a second time`);
      state.licenses.add(payloadDigest);
      state.licenseEpoch = epoch;
    } else if (exchange.kind === "order" && !exchange.torn) {
      state.orderEpoch = Math.max(state.orderEpoch, exchange.facts.epoch);
    } else if (exchange.kind === "recovery") {
      // A lost journal is begun anew at the epoch that the quorum names, whatever was before.
      state.orderEpoch = Math.min(state.orderEpoch, exchange.epoch);
    } else if (exchange.kind === "time" && !exchange.torn) {
      const known = state.issuedAtMs;
      if (known === undefined || exchange.issuedAtMs > known) state.issuedAtMs = exchange.issuedAtMs;
    }
  }

  #checkEpoch(to: number, check: Check): void {
    const { licenseEpoch, orderEpoch } = this.state;
    check(
      "S3",
      licenseEpoch >= 0 && licenseEpoch >= orderEpoch,
      () => `the gate went ${stateName(to)} with a license of epoch ${licenseEpoch}, after an order of ${orderEpoch}`,
    );
  }

  #checkLease(board: BoardView, check: Check): void {
    const { agreement, issuedAtMs, clockIsOff } = this.state;
    if (!flows(board.gateState) || !agreement || clockIsOff) return;
    // The governor looks once in its timer's nominal period, which the drift makes a little longer.
    const periodMs = (BigInt(board.timerSeconds) * 1_000_000_000n) / BigInt(1_000_000 - agreement.driftPpm) + 1n;
    const ageMs = issuedAtMs === undefined ? undefined : board.agreementMs - issuedAtMs;
    check(
      "S4",
      ageMs !== undefined && ageMs <= agreement.leaseMs + periodMs,
      () =>
        `the gate is ${stateName(board.gateState)}, the freshest beacon is ${ageMs ?? "never"} ms old, the lease ${agreement.leaseMs} ms`,
    );
  }
}
