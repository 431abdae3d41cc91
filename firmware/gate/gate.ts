/** The gate's state: moved by the one table of transitions and by nothing else. */
import { gateClose, ticks } from "../hal";
import { CoseProof } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { GateEvent, GateState, TRANSITIONS } from "../protocol/states";
import { head, ledger, session, transitionAt } from "../state";

/** Where an event leads from a state; 0 where the table has no row. */
function destination(from: i32, event: i32): i32 {
  for (let row = 0; row + 2 < TRANSITIONS.length; row += 3) {
    if (TRANSITIONS[row] == from && TRANSITIONS[row + 1] == event) return TRANSITIONS[row + 2];
  }
  return 0;
}

/**
 * Moves the gate. `code` says why and stays readable as the last code. A pair without a row, and any state that is no
 * state at all, closes the gate and locks it.
 */
export function moveGate(event: i32, code: i32): void {
  const from = <i32>head.gateState;
  let to = destination(from, event);
  // Work may flow only by what the signature check itself produced: without it this is no state the table knows.
  if (event == GateEvent.OPENED || event == GateEvent.OPENED_SLOW)
    to ^= <i32>(ledger.licenseProof ^ <u32>CoseProof.MAGIC);
  if (to == 0) {
    gateClose();
    to = from == GateState.TAMPERED ? GateState.TAMPERED : GateState.LOCKED;
    code = ErrorCode.GATE_STATE_INVALID;
  }
  head.gateState = <u32>to;
  head.lastCode = <u32>code;
  if (from != to) recordTransition(from, to, code);
}

function recordTransition(from: i32, to: i32, code: i32): void {
  if (session.transitionCount < <u32>Limit.TRANSITIONS_MAX) {
    const entry = transitionAt(session.transitionCount);
    store<u64>(entry, ticks());
    store<u32>(entry, <u32>from, 8);
    store<u32>(entry, <u32>to, 12);
    store<u32>(entry, <u32>code, 16);
  }
  session.transitionCount += 1;
}

export function gateIs(state: i32): bool {
  return <i32>head.gateState == state;
}

/** Whether work flows under a license: open, or slowed. */
export function gateFlows(): bool {
  return gateIs(GateState.OPEN) || gateIs(GateState.SLOWED);
}
