/**
 * The agreement: who the parties are and what they allow (docs/protocol.md). Its digest is the governor's root of
 * policy and stands in the fuses, so no later flash or power cut can bring an earlier one back.
 *
 * Steps: form → limits → distinct keys → log proof → signatures by those who may → version → store → fuse → adopt.
 */

import { coseSignQuorum } from "../cose/quorum";
import { CoseSign, coseSignParse } from "../cose/sign";
import { equalBytes } from "../crypto/equal";
import { sha256 } from "../crypto/sha256";
import { closeCredit } from "../gate/credit";
import { backOffIsOn, backOffStart } from "../gate/failures";
import { gateIs } from "../gate/gate";
import { flashRead, fuseBurn, fuseRead } from "../hal";
import { writeSector } from "../journal/sector";
import { checkLoggedForAll, proofBegin, proofIsGiven, proofResidue } from "../log/proof";
import { quantityFromWire, quantityIsZero } from "../meter/quantity";
import { FlashShape, Fuse, FuseMarker } from "../protocol/board";
import { AgreementKey, LogMode, ObjectType, QuorumKey } from "../protocol/claims";
import { EngineClass } from "../protocol/classes";
import { CoseFlag, CoseProof } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { GateState } from "../protocol/states";
import {
  AGREEMENT_DIGEST,
  adoptPact,
  baselineMaxOf,
  baselineOf,
  budgetMaxOf,
  CLASSES,
  drainMaxOf,
  head,
  inDraft,
  LOG_ROOT,
  ledger,
  PACT_BYTES,
  PACT_DRAFT,
  PARTY_KEYS,
  Pact,
  pact,
  rateMaxOf,
  session,
  TIME_KEYS,
} from "../state";
import { forgetTime } from "../time/clock";
import {
  AAD_BYTES,
  aadOf,
  claimIs,
  claimMisfit,
  claimMust,
  claims,
  claimsBegin,
  claimsEnd,
  claimUint,
  claimWorks64,
} from "./claims";
import { checkLogTerms, readLogTerms } from "./log-terms";
import { keysAreSound, readMembers, readName } from "./member";
import { canRecover } from "./recovery";

const TEXT_BYTES_MAX: i32 = 64;
/** Rate times slice period stays below this, so that no sum of two slices passes 64 bits. */
const SLICE_MAX: u64 = (<u64>1) << 62;

const draft = changetype<Pact>(PACT_DRAFT);
const message = changetype<CoseSign>(memory.data(offsetof<CoseSign>(), 8));
const digest: usize = memory.data(32, 8);
const sector: usize = memory.data(FlashShape.SECTOR_BYTES, 8);

/**
 * Takes an agreement from the mailbox: the first, a later one, or the one in force that the flash has lost. Judged twice,
 * since one fault may spoil one judgement; then asked for what the signatures left.
 */
export function acceptAgreement(ptr: usize, length: i32): i32 {
  if (backOffIsOn()) return ErrorCode.LICENSE_BACK_OFF;
  let code = judge(ptr, length);
  if (code == ErrorCode.OK) code = judge(ptr, length);
  if (code != ErrorCode.OK) return code;
  if (pact.version == 0 && fusedDigest(digest)) return restore(ptr, length);
  return ((message.proof ^ <u32>CoseProof.MAGIC) | proofResidue()) == 0 ? install(ptr, length) : ErrorCode.COSE_QUORUM;
}

function judge(ptr: usize, length: i32): i32 {
  proofBegin();
  let code = readAgreement(ptr, length);
  if (code != ErrorCode.OK) return code;
  if (pact.version == 0) {
    if (proofIsGiven()) return ErrorCode.LOG_NOT_AGREED;
    // What the fuses name needs no further word.
    if (fusedDigest(digest)) return isFused() ? ErrorCode.OK : ErrorCode.AGREEMENT_OTHER;
    return checkSigners(ptr, length, inDraft(PARTY_KEYS), draft.parties, draft.parties);
  }
  if (!canAmend()) return ErrorCode.AGREEMENT_BUSY;
  // The log is the one of the agreement in force, which is read over the draft.
  code = checkLoggedForAll(ObjectType.AGREEMENT, ptr, length);
  if (code == ErrorCode.OK) code = readAgreement(ptr, length);
  return code == ErrorCode.OK ? checkSigners(ptr, length, PARTY_KEYS, pact.parties, pact.quorumAmend) : code;
}

/**
 * At rest, with every order here that the time authorities name: an order is for the agreement of its time. Or locked
 * for want of a recovery, which is judged by the agreement in force.
 */
function canAmend(): bool {
  if (gateIs(GateState.LOCKED)) return canRecover(<i32>head.lastCode);
  if (session.epochHeard > ledger.epoch) return false;
  return gateIs(GateState.IDLE) || gateIs(GateState.PAUSED);
}

/** At boot: the agreement of the newest fuse slot, from flash. */
export function loadAgreement(): i32 {
  if (!fusedDigest(digest)) return ErrorCode.BOOT_NOT_PROVISIONED;
  for (let slot: u32 = 0; slot < 2; slot++) {
    if (!readStored(slot)) continue;
    if (!isFused()) continue;
    session.agreementSlot = <u8>slot;
    adopt();
    return ErrorCode.OK;
  }
  return ErrorCode.AGREEMENT_MISSING;
}

/** Reads the agreement in force from flash once more, into the draft: for what of it is not in the State block. */
export function readAgreementInForce(): i32 {
  if (!readStored(session.agreementSlot)) return ErrorCode.AGREEMENT_MISSING;
  const same = equalBytes(inDraft(AGREEMENT_DIGEST), AGREEMENT_DIGEST, Limit.DIGEST_BYTES);
  return same != 0 ? ErrorCode.OK : ErrorCode.AGREEMENT_MISSING;
}

/** Reads what lies in one of the two flash slots into the draft; false if it is no agreement. */
function readStored(slot: u32): bool {
  const base = (FlashShape.AGREEMENT_SECTOR + slot) * FlashShape.SECTOR_BYTES;
  flashRead(base, sector, 4);
  const length = <i32>load<u32>(sector);
  if (length < 1 || length > FlashShape.SECTOR_BYTES - 4) return false;
  flashRead(base + 4, sector, <u32>length);
  return readAgreement(sector, length) == ErrorCode.OK;
}

/** The one in force once more. */
function restore(ptr: usize, length: i32): i32 {
  if (!isFused()) return ErrorCode.AGREEMENT_OTHER;
  const slot = storeInFlash(ptr, length);
  if (slot < 0) return ErrorCode.JOURNAL_WRITE;
  session.agreementSlot = <u8>slot;
  adopt();
  return ErrorCode.OK;
}

/**
 * Makes the draft the agreement in force. A license and a baseline were given under the agreement of their time, and the
 * clock was set by its time authorities: under another one they are void, whether it came just now or the power went
 * between its fuses and the journal.
 */
function adopt(): void {
  adoptPact();
  backOffStart();
  if (ledger.agreementVersion == pact.version) return;
  ledger.agreementVersion = pact.version;
  ledger.licenseProof = 0;
  // Another log, perhaps: the first tree that it shows is the one to be continued.
  ledger.logSize = 0;
  memory.fill(LOG_ROOT, 0, Limit.DIGEST_BYTES);
  forgetTime();
  for (let c: u32 = 0; c < CLASSES; c++) store<u64>(baselineOf(c), load<u64>(baselineMaxOf(c)));
}

function isFused(): bool {
  return fusedDigest(digest) && equalBytes(digest, inDraft(AGREEMENT_DIGEST), 32) != 0;
}

/** Enough of those who may have signed the draft, and it comes after the one in force. */
function checkSigners(ptr: usize, length: i32, keys: usize, keyCount: u32, threshold: u32): i32 {
  const code = coseSignQuorum(
    ptr,
    length,
    keys,
    <i32>keyCount,
    <i32>threshold,
    aadOf(ObjectType.AGREEMENT),
    AAD_BYTES,
    message,
  );
  if (code != ErrorCode.OK) return code;
  const rises = draft.version > pact.version && draft.version - pact.version <= <u32>Limit.VERSION_STEP_MAX;
  return rises ? ErrorCode.OK : ErrorCode.AGREEMENT_VERSION;
}

function install(ptr: usize, length: i32): i32 {
  const slot = freeFuseSlot(inDraft(AGREEMENT_DIGEST));
  if (slot < 0) return ErrorCode.AGREEMENT_FUSES_FULL;
  const stored = storeInFlash(ptr, length);
  if (stored < 0) return ErrorCode.JOURNAL_WRITE;
  if (!burnDigest(<u32>slot, inDraft(AGREEMENT_DIGEST))) return ErrorCode.AGREEMENT_FUSES_FULL;
  session.agreementSlot = <u8>stored;
  closeCredit();
  adopt();
  return ErrorCode.OK;
}

// --- form and limits -------------------------------------------------------------------------------------------------

/** Parses into the draft; signatures are not looked at. */
function readAgreement(ptr: usize, length: i32): i32 {
  const code = coseSignParse(ptr, length, message, CoseFlag.STRICT);
  if (code != ErrorCode.OK) return code;
  memory.fill(PACT_DRAFT, 0, PACT_BYTES);
  sha256(message.payload, message.payloadLen, inDraft(AGREEMENT_DIGEST));
  claimsBegin(message.payload, message.payloadLen);
  claimMust(AgreementKey.VERSION);
  draft.version = <u32>claimUint(u32.MAX_VALUE);
  claimMust(AgreementKey.NAME);
  readName(TEXT_BYTES_MAX);
  claimMust(AgreementKey.PARTIES);
  draft.parties = readMembers(inDraft(PARTY_KEYS), Limit.PARTIES_MAX);
  claimMust(AgreementKey.QUORUMS);
  readQuorums();
  claimMust(AgreementKey.TIME_AUTHORITIES);
  draft.timeAuthorities = readMembers(inDraft(TIME_KEYS), Limit.TIME_AUTHORITIES_MAX);
  claimMust(AgreementKey.TIME_QUORUM);
  draft.quorumTime = <u8>claimUint(Limit.TIME_AUTHORITIES_MAX);
  claimMust(AgreementKey.CAPS);
  readCaps();
  claimMust(AgreementKey.TICK_HZ);
  draft.tickHz = <u32>claimUint(u32.MAX_VALUE);
  claimMust(AgreementKey.DRIFT_PPM);
  draft.driftPpm = <u32>claimUint(u32.MAX_VALUE);
  claimMust(AgreementKey.LEASE_SECONDS);
  draft.leaseSeconds = <u32>claimUint(u32.MAX_VALUE);
  claimMust(AgreementKey.LICENSE_TICKS_MAX);
  draft.licenseTicksMax = claims.uint();
  claimMust(AgreementKey.SLICE_TICKS);
  draft.sliceTicks = claims.uint();
  claimMust(AgreementKey.DRAIN);
  claimWorks64(inDraft(drainMaxOf(0)));
  claimMust(AgreementKey.DRAIN_TICKS_MAX);
  draft.drainTicksMax = claims.uint();
  if (claimIs(AgreementKey.BASELINE)) claimWorks64(inDraft(baselineMaxOf(0)));
  claimMust(AgreementKey.OFFLINE);
  draft.offline = claims.bool() ? 1 : 0;
  claimMust(AgreementKey.SVN_LEAST);
  draft.svnLeast = <u32>claimUint(u32.MAX_VALUE);
  if (claimIs(AgreementKey.LOG)) readLogTerms(draft);
  const form = claimsEnd(ErrorCode.AGREEMENT_CLAIM);
  if (form != ErrorCode.OK) return form;
  return checkLimits();
}

function readQuorums(): void {
  if (claims.map() != 5) claimMisfit();
  draft.quorumLicense = quorumOf(QuorumKey.LICENSE);
  draft.quorumPause = quorumOf(QuorumKey.PAUSE);
  draft.quorumResume = quorumOf(QuorumKey.RESUME);
  draft.quorumUpdate = quorumOf(QuorumKey.UPDATE);
  draft.quorumAmend = quorumOf(QuorumKey.AMEND);
}

function quorumOf(key: i32): u8 {
  if (claims.uint() != <u64>key) claimMisfit();
  return <u8>claimUint(Limit.PARTIES_MAX);
}

function readCaps(): void {
  const count = claims.map();
  if (count < 1) claimMisfit();
  for (let i = 0; i < count; i++) {
    const engineClass = <u32>claimUint(EngineClass.COUNT - 1);
    if (claims.array() != 2) claimMisfit();
    quantityFromWire(inDraft(budgetMaxOf(engineClass)), claims.bytesOf(Limit.WORK_BYTES));
    store<u64>(inDraft(rateMaxOf(engineClass)), claims.uint());
    if (claims.error != 0) return;
    draft.classes |= (<u32>1) << engineClass;
  }
}

function checkLimits(): i32 {
  if (draft.version == 0 || draft.parties == 0 || draft.timeAuthorities == 0) return ErrorCode.AGREEMENT_LIMIT;
  if (draft.tickHz == 0 || draft.tickHz > 1000000) return ErrorCode.AGREEMENT_LIMIT;
  if (draft.driftPpm > 100000) return ErrorCode.AGREEMENT_LIMIT;
  if (draft.leaseSeconds == 0 || draft.leaseSeconds > 31536000) return ErrorCode.AGREEMENT_LIMIT;
  if (draft.sliceTicks == 0 || draft.sliceTicks > (<u64>1) << 40) return ErrorCode.AGREEMENT_LIMIT;
  if (draft.licenseTicksMax == 0 || draft.licenseTicksMax > (<u64>1) << 56) return ErrorCode.AGREEMENT_LIMIT;
  if (draft.drainTicksMax > (<u64>1) << 56) return ErrorCode.AGREEMENT_LIMIT;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const capped = (draft.classes >> c) & 1;
    const rate = load<u64>(inDraft(rateMaxOf(c)));
    if (capped && (rate == 0 || rate > SLICE_MAX / draft.sliceTicks)) return ErrorCode.AGREEMENT_LIMIT;
    const extra = load<u64>(inDraft(drainMaxOf(c))) | load<u64>(inDraft(baselineMaxOf(c)));
    if (!capped && (extra != 0 || !quantityIsZero(inDraft(budgetMaxOf(c))))) return ErrorCode.AGREEMENT_LIMIT;
  }
  if (!quorumFits(draft.quorumLicense) || !quorumFits(draft.quorumPause) || !quorumFits(draft.quorumResume)) {
    return ErrorCode.AGREEMENT_QUORUM_RULE;
  }
  if (!quorumFits(draft.quorumUpdate) || !quorumFits(draft.quorumAmend)) return ErrorCode.AGREEMENT_QUORUM_RULE;
  if (draft.quorumTime == 0 || draft.quorumTime > draft.timeAuthorities) return ErrorCode.AGREEMENT_QUORUM_RULE;
  if (!keysAreSound(inDraft(PARTY_KEYS), draft.parties)) return ErrorCode.AGREEMENT_PARTY;
  if (!keysAreSound(inDraft(TIME_KEYS), draft.timeAuthorities)) return ErrorCode.AGREEMENT_PARTY;
  return draft.logMode != LogMode.NONE ? checkLogTerms() : ErrorCode.OK;
}

function quorumFits(quorum: u32): bool {
  return quorum >= 1 && quorum <= draft.parties;
}

// --- fuses and flash -------------------------------------------------------------------------------------------------

function slotWord(slot: u32): u32 {
  return Fuse.AGREEMENT + slot * Fuse.AGREEMENT_SLOT_WORDS;
}

/** The digest of the highest marked slot, at `out`. False if none is marked. */
function fusedDigest(out: usize): bool {
  for (let slot = <i32>Fuse.AGREEMENT_SLOTS - 1; slot >= 0; slot--) {
    const word = slotWord(<u32>slot);
    if (fuseRead(word + 8) != FuseMarker.AGREEMENT) continue;
    for (let i: u32 = 0; i < 8; i++) store<u32>(out + ((<usize>i) << 2), fuseRead(word + i));
    return true;
  }
  return false;
}

/**
 * A slot above every marked one that can still become `wanted`: blank, or torn while this very digest was burnt, so that
 * cutting the power again and again uses no slot up. -1 if there is none.
 */
function freeFuseSlot(wanted: usize): i32 {
  let free: i32 = -1;
  for (let slot = <i32>Fuse.AGREEMENT_SLOTS - 1; slot >= 0; slot--) {
    const word = slotWord(<u32>slot);
    if (fuseRead(word + 8) == FuseMarker.AGREEMENT) return free;
    let astray: u32 = fuseRead(word + 8) & ~(<u32>FuseMarker.AGREEMENT);
    for (let i: u32 = 0; i < 8; i++) astray |= fuseRead(word + i) & ~load<u32>(wanted + ((<usize>i) << 2));
    if (astray == 0) free = slot;
  }
  return free;
}

/** False if the fuses did not take the digest: then it is not marked, and another slot can be tried. */
function burnDigest(slot: u32, from: usize): bool {
  const word = slotWord(slot);
  let wrong: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    const bits = load<u32>(from + ((<usize>i) << 2));
    fuseBurn(word + i, bits);
    wrong |= fuseRead(word + i) ^ bits;
  }
  if (wrong != 0) return false;
  fuseBurn(word + 8, FuseMarker.AGREEMENT);
  return true;
}

/** Into the flash slot that does not hold the agreement in force: length, then the message. That slot, or -1. */
function storeInFlash(ptr: usize, length: i32): i32 {
  if (length > FlashShape.SECTOR_BYTES - 4) return -1;
  const slot: u32 = pact.version != 0 ? <u32>session.agreementSlot ^ 1 : 0;
  memory.fill(sector, 0xff, FlashShape.SECTOR_BYTES);
  store<u32>(sector, <u32>length);
  memory.copy(sector + 4, ptr, <usize>length);
  return writeSector(FlashShape.AGREEMENT_SECTOR + slot, sector) ? <i32>slot : -1;
}
