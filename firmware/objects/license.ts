/**
 * A license: sets what the device may do, for how long, at what rate (docs/protocol.md). It never adds to what is left.
 *
 * Steps, in the order of the protocol: back-off → form and quorum → agreement → device → SVN → epoch → sequence →
 * nonce or offline → time window → caps → log proof → consume → apply.
 */

import { CoseSign } from "../cose/sign";
import { equalBytes } from "../crypto/equal";
import { flowingRefusal } from "../gate/conditions";
import { closeCredit } from "../gate/credit";
import { backOffIsOn, failuresForgiven } from "../gate/failures";
import { gateFlows, gateIs } from "../gate/gate";
import { changeRate, commitOrFail, endDrain, endFlow, openIfAllowed, refillGate } from "../gate/run";
import { ticks } from "../hal";
import { newChallenge } from "../identity/random";
import { Subjects } from "../log/entry";
import { checkLogged, proofBegin, proofResidue, rememberTree } from "../log/proof";
import { quantityCopy, quantityLess } from "../meter/quantity";
import { Firmware } from "../protocol/board";
import { Claim, ObjectType, OrderAction } from "../protocol/claims";
import { EngineClass } from "../protocol/classes";
import { CoseProof } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { GateState } from "../protocol/states";
import {
  AGREEMENT_DIGEST,
  baselineMaxOf,
  baselineOf,
  budgetMaxOf,
  budgetOf,
  CHALLENGE,
  CLASSES,
  drainMaxOf,
  drainOf,
  head,
  ledger,
  pact,
  rateMaxOf,
  rateOf,
  session,
  UEID,
} from "../state";
import { timeLowerBound, timeUpperBound } from "../time/clock";
import {
  claimIs,
  claimMisfit,
  claimMust,
  claimName,
  claimNames,
  claimRates,
  claimSecondsAsMs,
  claims,
  claimsBegin,
  claimsEnd,
  claimUint,
  claimWorks,
  claimWorks64,
} from "./claims";
import { partiesSigned } from "./parties";

/** What the payload says. Arrays: `budgets`, `rates`, `drains`. */
@unmanaged
@final
class License {
  expiry: u64;
  notBefore: u64;
  sequence: u64;
  ticksMax: u64;
  epoch: u32;
  svnLeast: u32;
  /** Address of the nonce, 0 if the license is offline. */
  nonce: usize;
  agreement: usize;
  named: u32;
}

const license = changetype<License>(memory.data(offsetof<License>(), 8));
const message = changetype<CoseSign>(memory.data(offsetof<CoseSign>(), 8));
const budgets: usize = memory.data(12 * 16, 8);
const rates: usize = memory.data(12 * 8, 8);
const drains: usize = memory.data(12 * 8, 8);
const subjects = changetype<Subjects>(memory.data(offsetof<Subjects>(), 8));

/** Judged twice, since one fault may spoil one judgement; what either found wrong spoils the proof. */
export function acceptLicense(ptr: usize, length: i32): i32 {
  const first = judge(ptr, length);
  if (first != ErrorCode.OK) return first;
  const second = judge(ptr, length);
  if (second != ErrorCode.OK) return second;
  const wrong = (message.proof ^ <u32>CoseProof.MAGIC) | proofResidue() | <u32>(first | second);
  return consume(<u32>CoseProof.MAGIC ^ wrong);
}

function judge(ptr: usize, length: i32): i32 {
  if (pact.version == 0) return ErrorCode.AGREEMENT_MISSING;
  if (session.journalWhole == 0) return ErrorCode.GATE_LOCKED;
  if (backOffIsOn()) return ErrorCode.LICENSE_BACK_OFF;
  proofBegin();
  let code = partiesSigned(ptr, length, ObjectType.LICENSE, pact.quorumLicense, message);
  if (code == ErrorCode.OK) code = readLicense();
  if (code == ErrorCode.OK) code = checkAddressee();
  if (code == ErrorCode.OK) code = checkFreshness();
  if (code == ErrorCode.OK) code = checkTime();
  if (code == ErrorCode.OK) code = checkCaps();
  if (code == ErrorCode.OK) code = checkLogged(ObjectType.LICENSE, ptr, length, subjects);
  return code;
}

function readLicense(): i32 {
  claimsBegin(message.payload, message.payloadLen);
  claimMust(Claim.EXPIRY);
  license.expiry = claimSecondsAsMs();
  claimMust(Claim.NOT_BEFORE);
  license.notBefore = claimSecondsAsMs();
  license.nonce = claimIs(Claim.NONCE) ? claims.bytesOf(Limit.NONCE_BYTES) : 0;
  license.named = 0;
  const single = claimIs(Claim.UEID);
  if (single) license.named = <u32>equalBytes(claimName(subjects), UEID, Limit.UEID_BYTES);
  claimMust(Claim.AGREEMENT);
  license.agreement = claims.bytesOf(Limit.DIGEST_BYTES);
  claimMust(Claim.EPOCH);
  license.epoch = <u32>claimUint(u32.MAX_VALUE);
  claimMust(Claim.SEQUENCE);
  license.sequence = claims.uint();
  claimMust(Claim.BUDGET);
  claimWorks(budgets);
  memory.fill(rates, 0, EngineClass.COUNT * 8);
  if (claimIs(Claim.RATE)) claimRates(rates);
  claimMust(Claim.TICKS_MAX);
  license.ticksMax = claims.uint();
  memory.fill(drains, 0, EngineClass.COUNT * 8);
  if (claimIs(Claim.DRAIN)) claimWorks64(drains);
  claimMust(Claim.SVN_LEAST);
  license.svnLeast = <u32>claimUint(u32.MAX_VALUE);
  if (claimIs(Claim.COHORT)) {
    // A nonce is one device's: a cohort has none. And a license is either for one or for a cohort.
    if (single || license.nonce != 0) claimMisfit();
    license.named = claimNames(UEID, subjects) ? 1 : 0;
  } else if (!single) claimMisfit();
  return claimsEnd(ErrorCode.LICENSE_CLAIM);
}

function checkAddressee(): i32 {
  if (equalBytes(license.agreement, AGREEMENT_DIGEST, Limit.DIGEST_BYTES) == 0) return ErrorCode.LICENSE_AGREEMENT;
  if (license.named == 0) return ErrorCode.LICENSE_DEVICE;
  if (max(license.svnLeast, pact.svnLeast) > <u32>Firmware.SVN) return ErrorCode.LICENSE_SVN;
  return ErrorCode.OK;
}

function checkFreshness(): i32 {
  if (license.epoch != ledger.epoch) return ErrorCode.LICENSE_EPOCH;
  if (ledger.action == OrderAction.PAUSE) return ErrorCode.LICENSE_PAUSED;
  if (license.sequence <= ledger.licenseSequence) return ErrorCode.LICENSE_SEQUENCE_REPLAYED;
  if (license.sequence - ledger.licenseSequence > <u64>Limit.SEQUENCE_STEP_MAX) return ErrorCode.LICENSE_SEQUENCE_JUMP;
  if (license.nonce == 0) return pact.offline != 0 ? ErrorCode.OK : ErrorCode.LICENSE_OFFLINE_NOT_ALLOWED;
  if (session.challengeLive == 0) return ErrorCode.LICENSE_NONCE;
  return equalBytes(license.nonce, CHALLENGE, Limit.NONCE_BYTES) != 0 ? ErrorCode.OK : ErrorCode.LICENSE_NONCE;
}

function checkTime(): i32 {
  if (session.timeKnown == 0) return ErrorCode.LICENSE_TIME_UNKNOWN;
  if (timeLowerBound() < license.notBefore) return ErrorCode.LICENSE_NOT_YET_VALID;
  if (timeUpperBound() >= license.expiry) return ErrorCode.LICENSE_EXPIRED;
  return ErrorCode.OK;
}

function checkCaps(): i32 {
  if (license.ticksMax == 0 || license.ticksMax > pact.licenseTicksMax) return ErrorCode.LICENSE_TICKS_OVER_CAP;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const budget = budgets + ((<usize>c) << 4);
    const capped = (pact.classes >> c) & 1;
    const rate = load<u64>(rates + ((<usize>c) << 3));
    const drain = load<u64>(drains + ((<usize>c) << 3));
    if (!capped && (load<u64>(budget) | load<u64>(budget, 8) | rate | drain) != 0) return ErrorCode.LICENSE_CLASS;
    if (quantityLess(budgetMaxOf(c), budget)) return ErrorCode.LICENSE_BUDGET_OVER_CAP;
    if (rate > load<u64>(rateMaxOf(c))) return ErrorCode.LICENSE_RATE_OVER_CAP;
    if (drain > load<u64>(drainMaxOf(c))) return ErrorCode.LICENSE_DRAIN_OVER_CAP;
  }
  return ErrorCode.OK;
}

/** Spent in the journal first; then, and only then, may it give anything. */
function consume(proof: u32): i32 {
  closeCredit();
  ledger.licenseSequence = license.sequence;
  ledger.licenseNotBefore = license.notBefore;
  ledger.licenseExpiry = license.expiry;
  ledger.licenseEpoch = license.epoch;
  ledger.licenseProof = proof;
  ledger.agreementVersion = pact.version;
  session.licenseEndTick = ticks() + license.ticksMax;
  for (let c: u32 = 0; c < CLASSES; c++) {
    quantityCopy(budgetOf(c), budgets + ((<usize>c) << 4));
    store<u64>(rateOf(c), load<u64>(rates + ((<usize>c) << 3)));
    store<u64>(drainOf(c), load<u64>(drains + ((<usize>c) << 3)));
    store<u64>(baselineOf(c), load<u64>(baselineMaxOf(c)));
  }
  rememberTree();
  failuresForgiven();
  newChallenge();
  if (!commitOrFail()) return <i32>head.lastCode;
  apply();
  return ErrorCode.OK;
}

function apply(): void {
  if (gateFlows()) {
    const refusal = flowingRefusal();
    if (refusal != ErrorCode.OK) {
      endFlow(refusal);
      return;
    }
    changeRate();
    refillGate();
    return;
  }
  if (gateIs(GateState.DRAINING)) endDrain();
  openIfAllowed();
}
