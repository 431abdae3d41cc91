/**
 * The log proof that comes with a license, an order, a recovery or an amended agreement (docs/protocol.md, "Log"), where
 * the agreement has a log: the object is public, and enough witnesses have seen that it is.
 *
 * Steps: form → the agreement's log → one tree → inclusion → continues what was seen before → the log's two signatures →
 * witnesses' cosignatures, quorum and age.
 */
import { cborCheck } from "../cbor/check";
import { Reader } from "../cbor/reader";
import { sigStructureResidue, sigStructureSign1 } from "../cose/sig-structure";
import { equalBytes } from "../crypto/equal";
import { readAgreementInForce } from "../objects/agreement";
import { LOG_KEY, logTerms, WITNESS_KEYS } from "../objects/log-terms";
import { LogMode, ObjectType } from "../protocol/claims";
import { CoseHeader, CoseReceipt, CoseTag } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { KEY_BYTES, LOG_ROOT, ledger, pact, session } from "../state";
import { timeLowerBound } from "../time/clock";
import { checkpointResidue, cosignatureResidue } from "./checkpoint";
import { entryLeafHash, Subjects } from "./entry";
import { continues, includes, PATH_STRIDE } from "./merkle";

@unmanaged
@final
class Proof {
  size: u64;
  index: u64;
  checkpointSize: u64;
  /** Addresses in the message; 0 for a salt that is not there. */
  kid: usize;
  inclusion: usize;
  path: usize;
  receiptSignature: usize;
  root: usize;
  checkpointSignature: usize;
  /** The first cosignature, as CBOR. */
  cosignatures: usize;
  consistency: usize;
  salt: usize;
  inclusionLength: i32;
  pathCount: i32;
  cosignatureCount: i32;
  consistencyCount: i32;
  /** 0 only if every signature that counts was found good, and nothing was checked since that wants one. */
  residue: u32;
}

const proof = changetype<Proof>(memory.data(offsetof<Proof>(), 8));
const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const leafHash: usize = memory.data(Limit.DIGEST_BYTES, 8);
const noSubjects = changetype<Subjects>(memory.data(offsetof<Subjects>(), 8));

@unmanaged
@final
class Cosignature {
  witness: u64;
  seconds: u64;
  signature: usize;
}
const cosignature = changetype<Cosignature>(memory.data(offsetof<Cosignature>(), 8));

/** What came with the request; nothing by default. */
@unmanaged
@final
class Given {
  at: usize;
  length: i32;
}
const given = changetype<Given>(memory.data(offsetof<Given>(), 8));

const COMMITMENT_PARTS: i32 = 5;
const SALT_BYTES: i32 = 32;
const SECONDS_MAX: u64 = (<u64>1) << 40;
/** Beyond it hosts have no exact numbers (IEEE 754 binary64): no tool could prove anything after such a tree. */
const TREE_SIZE_MAX: u64 = ((<u64>1) << 53) - 1;
const NOTHING_SHOWN: u32 = 0xffffffff;

/** `<<{1: -19, 395: 1}>>`: Ed25519, and the tree of RFC 9162 (RFC 9942 section 5.2). */
const PROTECTED: usize = memory.data<u8>([0xa2, 0x01, 0x32, 0x19, 0x01, 0x8b, 0x01]);
const PROTECTED_BYTES: i32 = 7;

/** The mailbox says what proof came with the request: 0 for none. */
export function proofGiven(at: usize, length: i32): void {
  given.at = at;
  given.length = length;
}

export function proofIsGiven(): bool {
  return given.at != 0;
}

/** Before an object is judged: nothing is shown yet. */
export function proofBegin(): void {
  proof.size = 0;
  proof.residue = pact.logMode == LogMode.NONE ? 0 : NOTHING_SHOWN;
}

/** 0 if the object judged last needs no proof or was shown to be public; made of signatures, not of branches. */
export function proofResidue(): u32 {
  return proof.residue;
}

/** The same for an object that the agreement lets come before its proof. */
export function proofWaived(): void {
  proof.residue = 0;
}

/** OK if the object needs no proof, or the one that came with it shows that it is public. */
export function checkLogged(type: ObjectType, message: usize, length: i32, subjects: Subjects): i32 {
  if (pact.logMode == LogMode.NONE) return proofIsGiven() ? ErrorCode.LOG_NOT_AGREED : ErrorCode.OK;
  if (!proofIsGiven()) return ErrorCode.LOG_PROOF_MISSING;
  let code = readAgreementInForce();
  if (code == ErrorCode.OK) code = readProof();
  if (code != ErrorCode.OK) return code;
  if (load<u64>(proof.kid) != load<u64>(LOG_KEY)) return ErrorCode.LOG_KEY;
  if (proof.size == 0 || proof.size > TREE_SIZE_MAX || proof.size != proof.checkpointSize)
    return ErrorCode.LOG_TREE_SIZE;
  entryLeafHash(leafHash, type, message, length, subjects, proof.salt);
  if (!includes(proof.root, proof.size, proof.index, leafHash, proof.path, proof.pathCount)) {
    return ErrorCode.LOG_INCLUSION;
  }
  code = checkHistory();
  if (code == ErrorCode.OK) code = checkSignatures();
  return code;
}

/** The same for an object that names no device. */
export function checkLoggedForAll(type: ObjectType, message: usize, length: i32): i32 {
  return checkLogged(type, message, length, noSubjects);
}

/** The tree that the proof showed is the one that later proofs must continue. Journaled with what it allowed. */
export function rememberTree(): void {
  if (proof.size == 0) return;
  ledger.logSize = proof.size;
  memory.copy(LOG_ROOT, proof.root, Limit.DIGEST_BYTES);
}

// --- form ------------------------------------------------------------------------------------------------------------

function readProof(): i32 {
  if (cborCheck(given.at, given.length) != ErrorCode.OK) return ErrorCode.LOG_PROOF_FORM;
  reader.begin(given.at, given.length);
  const parts = reader.array();
  // A salt, where the agreement has commitments, and only there.
  if ((parts == COMMITMENT_PARTS) != (pact.logMode == LogMode.COMMITMENT)) misfit();
  if (parts != COMMITMENT_PARTS && parts != COMMITMENT_PARTS - 1) misfit();
  readReceipt();
  if (reader.array() != 3) misfit();
  proof.checkpointSize = reader.uint();
  proof.root = reader.bytesOf(Limit.DIGEST_BYTES);
  proof.checkpointSignature = reader.bytesOf(Limit.SIGNATURE_BYTES);
  proof.cosignatureCount = reader.array();
  if (proof.cosignatureCount > Limit.WITNESSES_MAX) misfit();
  proof.cosignatures = reader.at;
  for (let i = proof.cosignatureCount; i > 0 && reader.error == 0; i--) readCosignature();
  proof.consistencyCount = readPath();
  proof.consistency = firstOfPath(proof.consistencyCount);
  proof.salt = parts == COMMITMENT_PARTS ? reader.bytesOf(SALT_BYTES) : 0;
  if (reader.finish() != ErrorCode.OK) return ErrorCode.LOG_PROOF_FORM;
  return readInclusion();
}

function misfit(): void {
  reader.fail(ErrorCode.LOG_PROOF_FORM);
}

/** `18([<<{1: -19, 395: 1}>>, {4: kid, 396: {-1: [inclusion]}}, null, signature])`: RFC 9942 section 5.2.1. */
function readReceipt(): void {
  if (reader.tag() != CoseTag.SIGN1 || reader.array() != 4) misfit();
  const header = reader.bytes();
  if (reader.length != PROTECTED_BYTES || equalBytes(header, PROTECTED, PROTECTED_BYTES) == 0) misfit();
  if (reader.map() != 2 || reader.int() != CoseHeader.KID) misfit();
  proof.kid = reader.bytesOf(Limit.KID_BYTES);
  if (reader.int() != CoseHeader.VDP || reader.map() != 1) misfit();
  if (reader.int() != CoseReceipt.INCLUSION || reader.array() != 1) misfit();
  proof.inclusion = reader.bytes();
  proof.inclusionLength = reader.length;
  reader.nil();
  proof.receiptSignature = reader.bytesOf(Limit.SIGNATURE_BYTES);
}

/** `[size, index, [* digest]]`, in a byte string of its own. */
function readInclusion(): i32 {
  if (cborCheck(proof.inclusion, proof.inclusionLength) != ErrorCode.OK) return ErrorCode.LOG_PROOF_FORM;
  reader.begin(proof.inclusion, proof.inclusionLength);
  if (reader.array() != 3) misfit();
  proof.size = reader.uint();
  proof.index = reader.uint();
  proof.pathCount = readPath();
  proof.path = firstOfPath(proof.pathCount);
  return reader.finish() == ErrorCode.OK ? ErrorCode.OK : ErrorCode.LOG_PROOF_FORM;
}

/** An array of digests; their number. */
function readPath(): i32 {
  const count = reader.array();
  if (count > Limit.LOG_PATH_MAX) misfit();
  for (let i = count; i > 0 && reader.error == 0; i--) reader.bytesOf(Limit.DIGEST_BYTES);
  return count;
}

/** Address of the first digest of the array of `count` that was read last. */
function firstOfPath(count: i32): usize {
  return reader.at - <usize>count * PATH_STRIDE + 2;
}

/** `[witness, seconds, signature]`, at `cosignature`. */
function readCosignature(): void {
  if (reader.array() != 3) misfit();
  cosignature.witness = reader.uint();
  cosignature.seconds = reader.uint();
  cosignature.signature = reader.bytesOf(Limit.SIGNATURE_BYTES);
  if (cosignature.seconds > SECONDS_MAX) misfit();
}

// --- judgement -------------------------------------------------------------------------------------------------------

/** A tree is as large as the one seen before, and that one, or continues it. */
function checkHistory(): i32 {
  if (proof.size < ledger.logSize) return ErrorCode.LOG_ROLLED_BACK;
  if (ledger.logSize == 0 || proof.size == ledger.logSize) {
    if (proof.consistencyCount != 0) return ErrorCode.LOG_FORKED;
    if (ledger.logSize == 0) return ErrorCode.OK;
    return equalBytes(proof.root, LOG_ROOT, Limit.DIGEST_BYTES) != 0 ? ErrorCode.OK : ErrorCode.LOG_FORKED;
  }
  return continues(LOG_ROOT, ledger.logSize, proof.root, proof.size, proof.consistency, proof.consistencyCount)
    ? ErrorCode.OK
    : ErrorCode.LOG_FORKED;
}

function checkSignatures(): i32 {
  sigStructureSign1(PROTECTED, PROTECTED_BYTES);
  const logKey = LOG_KEY + Limit.KID_BYTES;
  const receipt = sigStructureResidue(0, 0, proof.root, Limit.DIGEST_BYTES, proof.receiptSignature, logKey);
  if (receipt != 0) return ErrorCode.LOG_RECEIPT;
  const checkpoint = checkpointResidue(proof.size, proof.root, proof.checkpointSignature, logKey);
  if (checkpoint != 0) return ErrorCode.LOG_CHECKPOINT;
  return checkCosignatures(receipt | checkpoint);
}

/** Exactly the quorum, each of another witness, in the order of the agreement: no bit of a proof is idle. */
function checkCosignatures(residues: u32): i32 {
  const count = <u32>proof.cosignatureCount;
  if (count == 0) return ErrorCode.LOG_WITNESS_MISSING;
  if (count != logTerms.quorum) return ErrorCode.LOG_WITNESS_QUORUM;
  reader.begin(proof.cosignatures, given.length - <i32>(proof.cosignatures - given.at));
  let seen: u32 = 0;
  let next: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    readCosignature();
    const witness = cosignature.witness;
    const seconds = cosignature.seconds;
    if (witness < next || witness >= <u64>logTerms.witnesses) return ErrorCode.LOG_WITNESS_UNKNOWN;
    next = witness + 1;
    const key = WITNESS_KEYS + <usize>witness * KEY_BYTES + Limit.KID_BYTES;
    const residue = cosignatureResidue(proof.size, proof.root, seconds, cosignature.signature, key);
    residues |= residue;
    if (residue != 0) return ErrorCode.LOG_COSIGNATURE;
    if (isStale(seconds)) return ErrorCode.LOG_STALE;
    seen |= (<u32>1) << (<u32>witness);
  }
  proof.residue = residues | (popcnt<u32>(seen) ^ logTerms.quorum);
  return proof.residue == 0 ? ErrorCode.OK : ErrorCode.LOG_WITNESS_QUORUM;
}

/** A governor that does not know the time has nothing to hold it against: then a nonce or an epoch makes it fresh. */
function isStale(seconds: u64): bool {
  return session.timeKnown != 0 && (seconds + <u64>logTerms.checkpointSecondsMax) * 1000 < timeLowerBound();
}
