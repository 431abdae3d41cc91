/**
 * Beacons and time proofs: agreement time and the current epoch, from the time authorities (docs/protocol.md). A proof
 * answers the governor's nonce and sets the clock; a beacon is broadcast and renews the lease.
 */

import { coseSignQuorum } from "../cose/quorum";
import { CoseSign } from "../cose/sign";
import { CoseSign1, coseSign1Accept, coseSign1Parse } from "../cose/sign1";
import { equalBytes } from "../crypto/equal";
import { openIfAllowed, runGate } from "../gate/run";
import { ticks } from "../hal";
import { Claim, ObjectType } from "../protocol/claims";
import { CoseFlag } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { AGREEMENT_DIGEST, KEY_BYTES, ledger, ORDER_HEARD, pact, session, TIME_KEYS, TIME_NONCE } from "../state";
import { raiseTimeLower, setTimeUpper, timeLowerBound, timeUpperBound, widened } from "../time/clock";
import { AAD_BYTES, aadOf, claimMust, claimSecondsAsMs, claims, claimsBegin, claimsEnd, claimUint } from "./claims";

@unmanaged
@final
class Time {
  issuedAt: u64;
  epoch: u32;
  agreement: usize;
  nonce: usize;
  order: usize;
}

const time = changetype<Time>(memory.data(offsetof<Time>(), 8));
const single = changetype<CoseSign1>(memory.data(offsetof<CoseSign1>(), 8));
const several = changetype<CoseSign>(memory.data(offsetof<CoseSign>(), 8));

/** Read and judged twice, as a beacon is: one fault may spoil one judgement. */
export function acceptTimeProof(ptr: usize, length: i32): i32 {
  let code = judgeTimeProof(ptr, length);
  if (code != ErrorCode.OK) return code;
  code = judgeTimeProof(ptr, length);
  if (code != ErrorCode.OK) return code;
  session.timeNonceLive = 0;
  raiseTimeLower(time.issuedAt);
  setTimeUpper(answeredUpper());
  session.timeKnown = 1;
  hear();
  return ErrorCode.OK;
}

function judgeTimeProof(ptr: usize, length: i32): i32 {
  const code = readTime(ptr, length, ObjectType.TIME_PROOF);
  if (code != ErrorCode.OK) return code;
  if (session.timeNonceLive == 0) return ErrorCode.TIME_NONCE;
  if (equalBytes(time.nonce, TIME_NONCE, Limit.NONCE_BYTES) == 0) return ErrorCode.TIME_NONCE;
  return session.timeKnown != 0 && answeredUpper() < timeLowerBound() ? ErrorCode.TIME_STALE : ErrorCode.OK;
}

/** The latest time that it can be when an answer to the nonce has come. */
function answeredUpper(): u64 {
  return time.issuedAt + 1000 + widened(ticks() - session.timeNonceTick);
}

export function acceptBeacon(ptr: usize, length: i32): i32 {
  let code = judgeBeacon(ptr, length);
  if (code != ErrorCode.OK) return code;
  code = judgeBeacon(ptr, length);
  if (code != ErrorCode.OK) return code;
  raiseTimeLower(time.issuedAt);
  // A beacon from ahead of our clock says that the clock is slow. Otherwise the upper bound stays where the time proof
  // put it: each new anchor would cost a rounding.
  if (time.issuedAt + 1000 > timeUpperBound()) setTimeUpper(time.issuedAt + 1000);
  hear();
  return ErrorCode.OK;
}

function judgeBeacon(ptr: usize, length: i32): i32 {
  const code = readTime(ptr, length, ObjectType.BEACON);
  if (code != ErrorCode.OK) return code;
  if (session.timeKnown == 0) return ErrorCode.TIME_UNKNOWN;
  const isStale = timeUpperBound() >= time.issuedAt + <u64>pact.leaseSeconds * 1000;
  return isStale ? ErrorCode.TIME_STALE : ErrorCode.OK;
}

/** The lease is renewed, the epoch is known; the gate acts on both at once. */
function hear(): void {
  if (time.issuedAt > session.leaseIssuedAt) session.leaseIssuedAt = time.issuedAt;
  if (time.epoch >= session.epochHeard) {
    session.epochHeard = time.epoch;
    memory.copy(ORDER_HEARD, time.order, Limit.DIGEST_BYTES);
  }
  runGate();
  openIfAllowed();
}

/** Form, signature or quorum, agreement, epoch. */
function readTime(ptr: usize, length: i32, type: ObjectType): i32 {
  if (pact.version == 0) return ErrorCode.AGREEMENT_MISSING;
  let code = checkSigners(ptr, length, type);
  if (code != ErrorCode.OK) return code;
  const one = pact.quorumTime == 1;
  claimsBegin(one ? single.payload : several.payload, one ? single.payloadLen : several.payloadLen);
  claimMust(Claim.ISSUED_AT);
  time.issuedAt = claimSecondsAsMs();
  if (type == ObjectType.TIME_PROOF) {
    claimMust(Claim.NONCE);
    time.nonce = claims.bytesOf(Limit.NONCE_BYTES);
  }
  claimMust(Claim.AGREEMENT);
  time.agreement = claims.bytesOf(Limit.DIGEST_BYTES);
  claimMust(Claim.EPOCH);
  time.epoch = <u32>claimUint(u32.MAX_VALUE);
  claimMust(Claim.ORDER);
  time.order = claims.bytesOf(Limit.DIGEST_BYTES);
  code = claimsEnd(ErrorCode.TIME_CLAIM);
  if (code != ErrorCode.OK) return code;
  if (equalBytes(time.agreement, AGREEMENT_DIGEST, Limit.DIGEST_BYTES) == 0) return ErrorCode.TIME_AGREEMENT;
  // Whoever confirms an order that is not the newest keeps no gate alive (docs/design.md, "Who confirms an order").
  if (time.epoch < ledger.epoch) return ErrorCode.TIME_EPOCH_OLD;
  const jumps = time.epoch > ledger.epoch && time.epoch - ledger.epoch > <u32>Limit.EPOCH_STEP_MAX;
  return jumps ? ErrorCode.TIME_EPOCH_JUMP : ErrorCode.OK;
}

/** One authority signs a COSE_Sign1, a quorum of several a COSE_Sign. */
function checkSigners(ptr: usize, length: i32, type: ObjectType): i32 {
  if (pact.quorumTime != 1) {
    return coseSignQuorum(
      ptr,
      length,
      TIME_KEYS,
      <i32>pact.timeAuthorities,
      <i32>pact.quorumTime,
      aadOf(type),
      AAD_BYTES,
      several,
    );
  }
  const code = coseSign1Parse(ptr, length, single, CoseFlag.STRICT);
  if (code != ErrorCode.OK) return code;
  for (let i: u32 = 0; i < pact.timeAuthorities; i++) {
    const key = TIME_KEYS + <usize>i * KEY_BYTES;
    if (load<u64>(single.kid) != load<u64>(key)) continue;
    return coseSign1Accept(ptr, length, key, aadOf(type), AAD_BYTES, single);
  }
  return ErrorCode.COSE_KID;
}
