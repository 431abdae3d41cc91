/**
 * A recovery: after a rollback, a loss of the journal or a fault of the meter was found, the license quorum's word on what the device has
 * done and what is in force, on a fresh challenge (docs/protocol.md).
 *
 * Steps: only when needed → back-off → form → quorum → agreement → device → nonce → log proof → correct the Ledger or begin a new one.
 */

import { leaveLocked } from "../boot/boot";
import { CoseSign, coseSignParse } from "../cose/sign";
import { equalBytes } from "../crypto/equal";
import { backOffIsOn } from "../gate/failures";
import { gateIs } from "../gate/gate";
import { commitOrFail } from "../gate/run";
import { newChallenge } from "../identity/random";
import { journalRestart } from "../journal/journal";
import { Subjects } from "../log/entry";
import { checkLogged, proofBegin, proofResidue, rememberTree } from "../log/proof";
import { startIntervals } from "../meter/intervals";
import { quantityCopy, quantityLess } from "../meter/quantity";
import { isMeterFault, meterStart } from "../meter/settle";
import { Claim, ObjectType, OrderAction } from "../protocol/claims";
import { CoseFlag, CoseProof } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { GateState } from "../protocol/states";
import {
  AGREEMENT_DIGEST,
  CHALLENGE,
  CLASSES,
  head,
  LEDGER,
  LEDGER_BYTES,
  ledger,
  ORDER_DIGEST,
  pact,
  REPORT_HEAD,
  reportTotalOf,
  session,
  totalOf,
  UEID,
} from "../state";
import { forgetTime } from "../time/clock";
import {
  claimAllWorks,
  claimIs,
  claimMisfit,
  claimMust,
  claimName,
  claims,
  claimsBegin,
  claimsEnd,
  claimUint,
} from "./claims";
import { PERMILLE_FULL } from "./order";
import { partiesSigned } from "./parties";

@unmanaged
@final
class Recovery {
  sequence: u64;
  reportSequence: u64;
  nonce: usize;
  ueid: usize;
  agreement: usize;
  reportHead: usize;
  order: usize;
  epoch: u32;
  action: u32;
  permille: u32;
}

const recovery = changetype<Recovery>(memory.data(offsetof<Recovery>(), 8));
const message = changetype<CoseSign>(memory.data(offsetof<CoseSign>(), 8));
const totals: usize = memory.data(12 * 16, 8);
const subjects = changetype<Subjects>(memory.data(offsetof<Subjects>(), 8));

/** Judged twice and read alike both times, as an order is; then asked for what the signatures left. */
export function acceptRecovery(ptr: usize, length: i32): i32 {
  let code = judge(ptr, length);
  if (code != ErrorCode.OK) return code;
  const action = recovery.action;
  const permille = recovery.permille;
  const epoch = recovery.epoch;
  code = judge(ptr, length);
  if (code != ErrorCode.OK) return code;
  if (recovery.action != action || recovery.permille != permille || recovery.epoch != epoch) {
    return ErrorCode.RECOVERY_CLAIM;
  }
  if (((message.proof ^ <u32>CoseProof.MAGIC) | proofResidue()) != 0) return ErrorCode.COSE_QUORUM;
  if (ledger.fault != 0) correct();
  else restart();
  rememberTree();
  return finish();
}

function judge(ptr: usize, length: i32): i32 {
  if (pact.version == 0) return ErrorCode.AGREEMENT_MISSING;
  if (!gateIs(GateState.LOCKED) || session.journalWhole != 0) return ErrorCode.RECOVERY_NOT_NEEDED;
  if (!canRecover(<i32>head.lastCode)) return ErrorCode.RECOVERY_NOT_NEEDED;
  if (backOffIsOn()) return ErrorCode.LICENSE_BACK_OFF;
  proofBegin();
  let code = coseSignParse(ptr, length, message, CoseFlag.STRICT);
  if (code == ErrorCode.OK) code = readRecovery();
  if (code == ErrorCode.OK) code = partiesSigned(ptr, length, ObjectType.RECOVERY, quorum(), message);
  if (code == ErrorCode.OK) code = checkAddressee();
  return code == ErrorCode.OK ? checkLogged(ObjectType.RECOVERY, ptr, length, subjects) : code;
}

/** A journal that does not fit the counter, or a meter that can't be believed: the quorum's word sets both right. */
export function canRecover(code: i32): bool {
  return code == ErrorCode.JOURNAL_ROLLBACK || code == ErrorCode.JOURNAL_MISSING || isMeterFault(code);
}

function readRecovery(): i32 {
  claimsBegin(message.payload, message.payloadLen);
  claimMust(Claim.NONCE);
  recovery.nonce = claims.bytesOf(Limit.NONCE_BYTES);
  claimMust(Claim.UEID);
  recovery.ueid = claimName(subjects);
  claimMust(Claim.AGREEMENT);
  recovery.agreement = claims.bytesOf(Limit.DIGEST_BYTES);
  claimMust(Claim.EPOCH);
  recovery.epoch = <u32>claimUint(Limit.EPOCH_RECOVERED_MAX);
  claimMust(Claim.SEQUENCE);
  recovery.sequence = claimUint(i64.MAX_VALUE);
  claimMust(Claim.ACTION);
  recovery.action = <u32>claimUint(OrderAction.RESUME);
  const slow = recovery.action == OrderAction.SLOW;
  recovery.permille = PERMILLE_FULL;
  if (claimIs(Claim.RATE_PERMILLE)) recovery.permille = <u32>claimUint(PERMILLE_FULL - 1);
  if (recovery.permille == 0) claimMisfit();
  if (recovery.action == 0 || slow != recovery.permille < PERMILLE_FULL) claimMisfit();
  claimMust(Claim.TOTALS);
  claimAllWorks(totals);
  claimMust(Claim.REPORT_HEAD);
  if (claims.array() != 2) claimMisfit();
  recovery.reportSequence = claims.uint();
  recovery.reportHead = claims.bytesOf(Limit.DIGEST_BYTES);
  claimMust(Claim.ORDER);
  recovery.order = claims.bytesOf(Limit.DIGEST_BYTES);
  return claimsEnd(ErrorCode.RECOVERY_CLAIM);
}

function checkAddressee(): i32 {
  if (equalBytes(recovery.agreement, AGREEMENT_DIGEST, Limit.DIGEST_BYTES) == 0) return ErrorCode.RECOVERY_AGREEMENT;
  if (equalBytes(recovery.ueid, UEID, Limit.UEID_BYTES) == 0) return ErrorCode.RECOVERY_DEVICE;
  if (session.challengeLive == 0) return ErrorCode.RECOVERY_NONCE;
  return equalBytes(recovery.nonce, CHALLENGE, Limit.NONCE_BYTES) != 0 ? ErrorCode.OK : ErrorCode.RECOVERY_NONCE;
}

/** Whoever says that no pause is in force needs the voices that could lift one. */
function quorum(): u32 {
  return recovery.action == OrderAction.PAUSE ? pact.quorumLicense : max(pact.quorumLicense, pact.quorumResume);
}

/** The journal is whole and only the meter is in doubt: nothing that it holds goes back, the totals may go up. */
function correct(): void {
  for (let c: u32 = 0; c < CLASSES; c++) {
    const given = totals + ((<usize>c) << 4);
    if (quantityLess(totalOf(c), given)) quantityCopy(totalOf(c), given);
  }
  ledger.fault = 0;
  ledger.licenseProof = 0;
  ledger.licenseSequence = max(ledger.licenseSequence, recovery.sequence);
}

/** The journal is lost: what the quorum states is all there is. */
function restart(): void {
  memory.fill(LEDGER, 0, LEDGER_BYTES);
  ledger.epoch = recovery.epoch;
  ledger.agreementVersion = pact.version;
  ledger.action = <u8>recovery.action;
  ledger.permille = <u16>recovery.permille;
  ledger.licenseSequence = recovery.sequence;
  ledger.reportSequence = recovery.reportSequence;
  memory.copy(REPORT_HEAD, recovery.reportHead, Limit.DIGEST_BYTES);
  memory.copy(ORDER_DIGEST, recovery.order, Limit.DIGEST_BYTES);
  for (let c: u32 = 0; c < CLASSES; c++) {
    quantityCopy(totalOf(c), totals + ((<usize>c) << 4));
    quantityCopy(reportTotalOf(c), totals + ((<usize>c) << 4));
  }
}

function finish(): i32 {
  session.licenseEndTick = 0;
  forgetTime();
  meterStart();
  startIntervals();
  newChallenge();
  journalRestart();
  // Twice: a record that was written but never stepped, from before the loss, must not equal the counter any more.
  if (!commitOrFail() || !commitOrFail()) return <i32>head.lastCode;
  leaveLocked();
  return ErrorCode.OK;
}
