/** What the gate does as time goes by and as orders come: open, keep open, drain, close. */

import { wipe } from "../crypto/wipe";
import { fuseBurn, gateClose, tamperRead, ticks } from "../hal";
import { journalCanGrant, journalCommit } from "../journal/journal";
import { MAILBOX } from "../mailbox";
import { isMeterFault, settle } from "../meter/settle";
import { Fuse, Lifecycle } from "../protocol/board";
import { OrderAction } from "../protocol/claims";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { GateEvent, GateState } from "../protocol/states";
import { head, ledger, pact, STATE, STATE_BYTES, session } from "../state";
import { flowingRefusal, openingRefusal, rateIsCapped, starvedReason } from "./conditions";
import { CreditSource, closeCredit, creditIsUsedUp, openCredit, refill } from "./credit";
import { gateFlows, gateIs, moveGate } from "./gate";

/** The timer: settles, and does whatever is due. */
export function runGate(): void {
  if (gateIs(GateState.TAMPERED)) return;
  if (tamperRead() != 0) {
    gateTampered();
    return;
  }
  if (gateFlows()) keepFlowing();
  else if (gateIs(GateState.DRAINING)) keepDraining();
  else {
    // Baseline credit may be out while the gate is shut; without, a close that a fault left out is made up for.
    if (session.creditSource == CreditSource.NONE) gateClose();
    settleNow();
    openIfAllowed();
  }
}

/** Brings the totals up to what the accelerator has done. */
export function settleNow(): void {
  if (session.creditSource == CreditSource.NONE) return;
  const code = settle();
  if (code != ErrorCode.OK) failClosed(code);
}

/** A class ran low: the next slice now rather than at the next tick. */
export function refillGate(): void {
  if (gateFlows() && flowingRefusal() == ErrorCode.OK) refillOrFail();
  else if (gateIs(GateState.DRAINING) && ticks() < session.drainEndTick) refillOrFail();
}

export function openIfAllowed(): void {
  // Asked twice, since one fault may spoil one answer.
  if (!mayOpen()) return;
  if (!mayOpen()) return;
  if (closeCredit() && !commitOrFail()) return;
  openCredit(CreditSource.BUDGET);
  moveGate(rateIsCapped() ? GateEvent.OPENED_SLOW : GateEvent.OPENED, ErrorCode.OK);
  if (gateFlows()) refillOrFail();
}

function mayOpen(): bool {
  return gateIs(GateState.IDLE) && openingRefusal() == ErrorCode.OK;
}

function keepFlowing(): void {
  const refusal = flowingRefusal();
  if (refusal == ErrorCode.OK) refillOrFail();
  else if (refusal == starvedReason()) {
    closeCredit();
    startDrain(GateEvent.STARVED, refusal, pact.drainTicksMax);
  } else endFlow(refusal);
}

/** The license is over, or another takes its place: closed, nothing drains. */
export function endFlow(code: i32): void {
  const changed = closeCredit();
  moveGate(GateEvent.ENDED, code);
  if (changed) commitOrFail();
}

/** Drain credit comes. The caller has closed the credit before and put its own change in the Ledger already. */
export function startDrain(event: i32, code: i32, drainTicks: u64): void {
  session.drainEndTick = ticks() + pact.drainTicksMax;
  moveGate(event, code);
  continueDrain(drainTicks);
}

/** Drain credit from what is left of the allowance, for `drainTicks` at most and no longer than before. */
export function continueDrain(drainTicks: u64): void {
  const left = session.drainEndTick - min(ticks(), session.drainEndTick);
  session.drainEndTick = ticks() + min(drainTicks, left);
  openCredit(CreditSource.DRAIN);
  if (commitOrFail()) keepDraining();
}

function keepDraining(): void {
  if (ticks() < session.drainEndTick) refillOrFail();
  if (!gateIs(GateState.DRAINING)) return;
  if (ticks() >= session.drainEndTick || creditIsUsedUp()) endDrain();
}

/** The drain is over: by time, by allowance, or because the host says that its checkpoint is saved. */
export function endDrain(): void {
  const changed = closeCredit();
  const paused = ledger.action == OrderAction.PAUSE;
  moveGate(paused ? GateEvent.DRAINED_PAUSED : GateEvent.DRAINED_IDLE, ErrorCode.GATE_DRAINED);
  if (changed) commitOrFail();
}

/** The rate cap changed while work flows: the registers hold slices of the old rate, so they are emptied and refilled. */
export function changeRate(): void {
  closeCredit();
  openCredit(CreditSource.BUDGET);
  const capped = rateIsCapped();
  if (capped && gateIs(GateState.OPEN)) moveGate(GateEvent.SLOWED, ErrorCode.OK);
  else if (!capped && gateIs(GateState.SLOWED)) moveGate(GateEvent.UNSLOWED, ErrorCode.OK);
}

/** One slice of the baseline, with the gate shut. */
export function grantBaseline(): i32 {
  if (!gateIs(GateState.IDLE) && !gateIs(GateState.PAUSED)) return ErrorCode.GATE_BASELINE;
  if (!journalCanGrant()) return ErrorCode.JOURNAL_COUNTER_WORN;
  // Credit that is out already is topped up, at the pace of any other: asking often costs no more than asking once.
  const topsUp = session.creditSource == CreditSource.BASELINE;
  if (topsUp) settleNow();
  else if (!closeCredit() || commitOrFail()) openCredit(CreditSource.BASELINE);
  if (gateIs(GateState.LOCKED)) return <i32>head.lastCode;
  if (creditIsUsedUp()) {
    if (!topsUp) session.creditSource = CreditSource.NONE;
    return ErrorCode.GATE_BASELINE;
  }
  refillOrFail();
  return gateIs(GateState.LOCKED) ? <i32>head.lastCode : ErrorCode.OK;
}

/** Commits the Ledger; a journal that can't be written locks the gate. */
export function commitOrFail(): bool {
  const code = journalCommit();
  if (code == ErrorCode.OK && ledger.fault == 0) return true;
  failClosed(code != ErrorCode.OK ? code : <i32>ledger.fault);
  return false;
}

function refillOrFail(): void {
  const code = refill();
  // A counter at its end is no fault: the gate closes for good, in order, with its usage reported.
  if (code == ErrorCode.JOURNAL_COUNTER_WORN) {
    if (gateFlows()) endFlow(code);
    else if (gateIs(GateState.DRAINING)) endDrain();
  } else if (code != ErrorCode.OK) failClosed(code);
}

/** Something that must not happen did. */
export function failClosed(code: i32): void {
  // Before closing, so that nothing is given back; and kept, so that a power cycle does not forget it.
  if (isMeterFault(code)) ledger.fault = <u32>code;
  closeCredit();
  if (ledger.fault != 0) journalCommit();
  session.journalWhole = 0;
  moveGate(GateEvent.FAILED, code);
}

/** A sensor fired: gate shut, device secret burnt to all ones, every key in memory gone. Terminal. */
export function gateTampered(): void {
  gateClose();
  const sensors = tamperRead();
  fuseBurn(Fuse.LIFECYCLE, Lifecycle.TAMPERED);
  for (let word: u32 = 0; word < 8; word++) fuseBurn(Fuse.DEVICE_SECRET + word, u32.MAX_VALUE);
  wipe(STATE, <i32>STATE_BYTES);
  wipe(MAILBOX, Limit.MESSAGE_BYTES_MAX);
  head.gateState = GateState.TAMPERED;
  head.lastCode = ErrorCode.TAMPERED;
  session.tamper = sensors;
}
