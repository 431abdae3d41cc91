/**
 * An order: pause, slow or resume (docs/protocol.md). Lowering the rate takes the pause quorum, raising it the resume
 * quorum. Always read, back-off or not: a pause must get through.
 *
 * Steps: form → agreement → epoch → the order before → quorum for what it does → time → log proof → record → act.
 */

import { CoseSign, coseSignParse } from "../cose/sign";
import { equalBytes } from "../crypto/equal";
import { sha256 } from "../crypto/sha256";
import { flowingRefusal } from "../gate/conditions";
import { closeCredit } from "../gate/credit";
import { gateFlows, gateIs, moveGate } from "../gate/gate";
import {
  changeRate,
  commitOrFail,
  continueDrain,
  failClosed,
  openIfAllowed,
  refillGate,
  startDrain,
} from "../gate/run";
import { Subjects } from "../log/entry";
import { checkLogged, proofBegin, proofIsGiven, proofResidue, proofWaived, rememberTree } from "../log/proof";
import { Claim, ObjectType, OrderAction } from "../protocol/claims";
import { CoseFlag, CoseProof } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { GateEvent, GateState } from "../protocol/states";
import { AGREEMENT_DIGEST, CLASSES, drainOf, head, ledger, ORDER_DIGEST, pact, session, UEID } from "../state";
import { timeLowerBound, timeUpperBound } from "../time/clock";
import {
  claimIs,
  claimMisfit,
  claimMust,
  claimNames,
  claimSecondsAsMs,
  claims,
  claimsBegin,
  claimsEnd,
  claimUint,
  claimWorks64,
} from "./claims";
import { partiesSigned } from "./parties";

/** Rate in thousandths without a slow order. */
export const PERMILLE_FULL: u32 = 1000;

@unmanaged
@final
class Order {
  notBefore: u64;
  drainTicks: u64;
  epoch: u32;
  action: u32;
  permille: u32;
  inScope: u32;
  hasDrain: u32;
  agreement: usize;
  previous: usize;
}

const order = changetype<Order>(memory.data(offsetof<Order>(), 8));
const message = changetype<CoseSign>(memory.data(offsetof<CoseSign>(), 8));
const drains: usize = memory.data(12 * 8, 8);
const subjects = changetype<Subjects>(memory.data(offsetof<Subjects>(), 8));

/** Judged twice, since one fault may spoil one judgement; then asked for the proof that the signatures left. */
export function acceptOrder(ptr: usize, length: i32): i32 {
  const code = judgeTwice(ptr, length);
  // OK is for whoever obeyed, and says so by the epoch.
  return code == ErrorCode.OK && ledger.epoch != order.epoch ? ErrorCode.ORDER_CLAIM : code;
}

function judgeTwice(ptr: usize, length: i32): i32 {
  let code = judge(ptr, length);
  if (code != ErrorCode.OK) return code;
  const action = order.action;
  const permille = order.permille;
  const inScope = order.inScope;
  code = judge(ptr, length);
  if (code != ErrorCode.OK) return code;
  // What it orders, and whom, must be read alike both times: a pause that is read as anything else is none.
  if (order.action != action || order.permille != permille || order.inScope != inScope) return ErrorCode.ORDER_CLAIM;
  return ((message.proof ^ <u32>CoseProof.MAGIC) | proofResidue()) == 0 ? obey() : ErrorCode.COSE_QUORUM;
}

function judge(ptr: usize, length: i32): i32 {
  if (pact.version == 0) return ErrorCode.AGREEMENT_MISSING;
  if (session.journalWhole == 0) return ErrorCode.GATE_LOCKED;
  proofBegin();
  let code = coseSignParse(ptr, length, message, CoseFlag.STRICT);
  if (code == ErrorCode.OK) code = readOrder();
  if (code == ErrorCode.OK) code = checkAddressee();
  if (code == ErrorCode.OK) code = checkQuorum(ptr, length);
  if (code == ErrorCode.OK) code = checkTime();
  if (code == ErrorCode.OK) code = checkPublic(ptr, length);
  return code;
}

/** A pause of this very device may come before its proof, where the agreement says so: safety first. */
function checkPublic(ptr: usize, length: i32): i32 {
  const pauses = order.action == OrderAction.PAUSE && order.inScope != 0;
  if (pauses && pact.pauseBeforeProof != 0 && !proofIsGiven()) {
    proofWaived();
    return ErrorCode.OK;
  }
  return checkLogged(ObjectType.ORDER, ptr, length, subjects);
}

function readOrder(): i32 {
  claimsBegin(message.payload, message.payloadLen);
  claimMust(Claim.NOT_BEFORE);
  order.notBefore = claimSecondsAsMs();
  claimMust(Claim.AGREEMENT);
  order.agreement = claims.bytesOf(Limit.DIGEST_BYTES);
  claimMust(Claim.EPOCH);
  order.epoch = <u32>claimUint(u32.MAX_VALUE);
  order.hasDrain = claimIs(Claim.DRAIN) ? 1 : 0;
  if (order.hasDrain) claimWorks64(drains);
  claimMust(Claim.ACTION);
  order.action = <u32>claimUint(OrderAction.RESUME);
  subjects.count = 0;
  order.inScope = claimIs(Claim.SCOPE) ? (claimNames(UEID, subjects) ? 1 : 0) : 1;
  order.drainTicks = claimIs(Claim.DRAIN_TICKS) ? claims.uint() : u64.MAX_VALUE;
  const pauses = order.action == OrderAction.PAUSE;
  if (!pauses && (order.hasDrain != 0 || order.drainTicks != u64.MAX_VALUE)) claimMisfit();
  order.permille = pauses ? 0 : PERMILLE_FULL;
  const slow = order.action == OrderAction.SLOW;
  const rated = claimIs(Claim.RATE_PERMILLE);
  if (rated) order.permille = <u32>claimUint(PERMILLE_FULL - 1);
  if (rated != slow) claimMisfit();
  if (order.action == 0 || (slow && order.permille == 0)) claimMisfit();
  claimMust(Claim.PREVIOUS);
  order.previous = claims.bytesOf(Limit.DIGEST_BYTES);
  return claimsEnd(ErrorCode.ORDER_CLAIM);
}

/** Whether the order lets this device do more than what is in force. A resume always may. */
function raises(): bool {
  if (order.action == OrderAction.RESUME) return true;
  return order.inScope != 0 && order.permille > permilleInForce();
}

function permilleInForce(): u32 {
  return ledger.action == OrderAction.PAUSE ? 0 : ledger.permille;
}

/**
 * What raises takes the resume quorum. What does not takes the pause quorum, or a resume quorum that is larger; out of
 * scope either will do. So one order can serve devices that differ.
 */
function checkQuorum(ptr: usize, length: i32): i32 {
  const either = order.inScope == 0 || pact.quorumResume >= pact.quorumPause;
  const resumes = raises() || (either && message.count == <i32>pact.quorumResume);
  return partiesSigned(ptr, length, ObjectType.ORDER, resumes ? pact.quorumResume : pact.quorumPause, message);
}

function checkAddressee(): i32 {
  if (equalBytes(order.agreement, AGREEMENT_DIGEST, Limit.DIGEST_BYTES) == 0) return ErrorCode.ORDER_AGREEMENT;
  if (order.epoch <= ledger.epoch) return ErrorCode.ORDER_EPOCH_OLD;
  if (order.epoch - ledger.epoch > <u32>Limit.EPOCH_STEP_MAX) return ErrorCode.ORDER_EPOCH_JUMP;
  return standsAlone() || equalBytes(order.previous, ORDER_DIGEST, Limit.DIGEST_BYTES) != 0
    ? ErrorCode.OK
    : ErrorCode.ORDER_PREVIOUS;
}

/**
 * A pause and a resume say all there is to say about a device in their scope: they may come without the orders before.
 * Anything else builds on those, and a device that has not seen them (a withheld pause, say) must not pass them over.
 */
function standsAlone(): bool {
  return order.inScope != 0 && order.action != OrderAction.SLOW;
}

/** What lowers takes effect as soon as its time can have come, what raises only when it surely has. */
function checkTime(): i32 {
  const pauses = order.action == OrderAction.PAUSE && order.inScope != 0;
  // Of a gate that does not know the time nothing flows: only a pause of its own is worth taking early.
  if (session.timeKnown == 0) return pauses ? ErrorCode.OK : ErrorCode.TIME_UNKNOWN;
  const now = raises() ? timeLowerBound() : timeUpperBound();
  return now < order.notBefore ? ErrorCode.ORDER_NOT_YET : ErrorCode.OK;
}

function obey(): i32 {
  ledger.epoch = order.epoch;
  sha256(message.payload, message.payloadLen, ORDER_DIGEST);
  rememberTree();
  if (order.inScope == 0) {
    if (!commitOrFail()) return <i32>head.lastCode;
    // Read again: one fault may have read an order as somebody else's.
    if (order.inScope == 0) return ErrorCode.OK;
    failClosed(ErrorCode.GATE_STATE_INVALID);
    return <i32>head.lastCode;
  }
  const wasPaused = ledger.action == OrderAction.PAUSE;
  ledger.action = <u8>order.action;
  ledger.permille = <u16>(order.action == OrderAction.SLOW ? order.permille : PERMILLE_FULL);
  if (order.action == OrderAction.PAUSE) pause();
  else letFlow(wasPaused);
  return gateIs(GateState.LOCKED) ? <i32>head.lastCode : ErrorCode.OK;
}

function pause(): void {
  const draining = gateIs(GateState.DRAINING);
  closeCredit();
  if (order.hasDrain) limitDrain();
  if (gateFlows()) {
    startDrain(GateEvent.PAUSED, ErrorCode.OK, order.drainTicks);
    return;
  }
  // A drain under way (the lease lapsed) goes on, no longer and no wider than the order says, and ends in the pause.
  if (draining) {
    continueDrain(order.drainTicks);
    return;
  }
  if (gateIs(GateState.IDLE)) moveGate(GateEvent.PAUSED, ErrorCode.OK);
  commitOrFail();
}

/** An order may narrow what the license and the agreement leave, never widen it. */
function limitDrain(): void {
  for (let c: u32 = 0; c < CLASSES; c++) {
    store<u64>(drainOf(c), min(load<u64>(drainOf(c)), load<u64>(drains + ((<usize>c) << 3))));
  }
}

function letFlow(wasPaused: bool): void {
  const flows = gateFlows();
  if (flows) changeRate();
  else if (wasPaused && !gateIs(GateState.LOCKED)) {
    closeCredit();
    moveGate(GateEvent.RESUMED, ErrorCode.OK);
  }
  if (!commitOrFail()) return;
  // Read again: one fault may have read a pause as something else.
  if (order.action == OrderAction.PAUSE) {
    failClosed(ErrorCode.GATE_STATE_INVALID);
    return;
  }
  if (flows && flowingRefusal() == ErrorCode.OK) refillGate();
  else openIfAllowed();
}
