/** What must hold before the gate opens, and what must go on holding while it is open. */
import { equalBytes } from "../crypto/equal";
import { ticks } from "../hal";
import { journalCanGrant } from "../journal/journal";
import { quantityIsZero } from "../meter/quantity";
import { Firmware } from "../protocol/board";
import { OrderAction } from "../protocol/claims";
import { CoseProof } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { budgetOf, CLASSES, ledger, ORDER_DIGEST, ORDER_HEARD, outstandingOf, pact, rateOf, session } from "../state";
import { leaseIsFresh, timeLowerBound, timeUpperBound } from "../time/clock";

/** OK, or the first reason why the gate may not open now. */
export function openingRefusal(): i32 {
  if (pact.version == 0) return ErrorCode.AGREEMENT_MISSING;
  if (!journalCanGrant()) return ErrorCode.JOURNAL_COUNTER_WORN;
  if (ledger.action == OrderAction.PAUSE) return ErrorCode.LICENSE_PAUSED;
  if (ledger.licenseProof != <u32>CoseProof.MAGIC) return ErrorCode.GATE_NOT_OPEN;
  if (ledger.licenseEpoch != ledger.epoch) return ErrorCode.LICENSE_EPOCH;
  if (pact.svnLeast > <u32>Firmware.SVN) return ErrorCode.LICENSE_SVN;
  if (session.timeKnown == 0) return ErrorCode.TIME_UNKNOWN;
  if (timeLowerBound() < ledger.licenseNotBefore) return ErrorCode.LICENSE_NOT_YET_VALID;
  return flowingRefusal();
}

/** OK, or the first reason why work may not go on flowing. */
export function flowingRefusal(): i32 {
  if (ledger.licenseProof != <u32>CoseProof.MAGIC) return ErrorCode.GATE_NOT_OPEN;
  if (ledger.fault != 0) return <i32>ledger.fault;
  if (ledger.agreementVersion != pact.version) return ErrorCode.LICENSE_AGREEMENT;
  if (timeUpperBound() >= ledger.licenseExpiry || ticks() >= session.licenseEndTick || budgetIsSpent()) {
    return ErrorCode.GATE_LICENSE_ENDED;
  }
  return starvedReason();
}

/**
 * OK, or why the gate must drain: no fresh beacon for one lease, or an order that never came: the time authorities name
 * a higher epoch, or another order of this one.
 */
export function starvedReason(): i32 {
  if (session.epochHeard > ledger.epoch) return ErrorCode.GATE_ORDER_WITHHELD;
  if (session.epochHeard == ledger.epoch && leaseIsKnown() && equalBytes(ORDER_HEARD, ORDER_DIGEST, 32) == 0) {
    return ErrorCode.GATE_ORDER_WITHHELD;
  }
  return leaseIsFresh() ? ErrorCode.OK : ErrorCode.GATE_LEASE_LAPSED;
}

/** Whether a time authority was heard since power-up. */
function leaseIsKnown(): bool {
  return session.leaseIssuedAt != 0;
}

function budgetIsSpent(): bool {
  for (let c: u32 = 0; c < CLASSES; c++) {
    if (!quantityIsZero(budgetOf(c)) || load<u64>(outstandingOf(c)) != 0) return false;
  }
  return true;
}

/** Whether a rate below the agreement's own is in force: by a slow order or by the license. */
export function rateIsCapped(): bool {
  if (ledger.action == OrderAction.SLOW) return true;
  for (let c: u32 = 0; c < CLASSES; c++) {
    if (load<u64>(rateOf(c)) != 0) return true;
  }
  return false;
}
