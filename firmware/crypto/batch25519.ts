/**
 * Ed25519 signatures verified many at once, for verifiers and fleets; no governor contains this. With random z_i,
 *
 *     [8] ([sum z_i S_i] B - sum [z_i] R_i - sum [z_i k_i] A_i) = 0
 *
 * holds if every signature's own equation does, and if one does not, for at most one in 2^128 choices of its z_i
 * (Bernstein, Duif, Lange, Schwabe, Yang, "High-speed high-security signatures", 2012, section 5). All other checks of
 * the rule (ed25519.ts) look at one signature alone, so a batch that holds says of each what `ed25519Verify` would. One
 * that does not hold says that at least one is bad, and not which.
 *
 * One row of doublings serves all points, and signatures of one key share a term. All public.
 */
import { Limit } from "../protocol/limits";
import { ed25519Challenge } from "./ed25519";
import { POINT_BYTES, pointCofactorResidue, pointDecode, pointNegate } from "./point25519";
import { SCALAR_BYTES, scalarExcess, scalarMultiplyAdd } from "./scalar25519";
import { strausSum, TERM_BYTES, termPoint, termScalar } from "./straus25519";

/** Most signatures of a batch. */
export const BATCH_MAX: i32 = 64;
/** Bytes of a random coefficient. */
export const COEFFICIENT_BYTES: i32 = 16;

/** A key of the batch: its bytes, the sum of its z_i k_i, and its term. */
@unmanaged
@final
class BatchKey {
  key0: u64;
  key1: u64;
  key2: u64;
  key3: u64;
  scalar0: u64;
  scalar1: u64;
  scalar2: u64;
  scalar3: u64;
  term: usize;
}

const SCALAR: usize = offsetof<BatchKey>("scalar0");
const KEY_BYTES: usize = (offsetof<BatchKey>() + 7) & ~7;
const KEYS: usize = memory.data(BATCH_MAX * (KEY_BYTES as i32), 8);
/** One for each R and one for each key, in the order in which they came. */
const TERMS: usize = memory.data(2 * BATCH_MAX * TERM_BYTES, 8);
/** The sum of all z_i S_i. */
const SUM: usize = memory.data(SCALAR_BYTES, 8);
const Z: usize = memory.data(SCALAR_BYTES, 8);
const CHALLENGE: usize = memory.data(SCALAR_BYTES, 8);
const R: usize = memory.data(POINT_BYTES, 8);
const POINT: usize = memory.data(POINT_BYTES, 8);

let signatures: i32 = 0;
let keys: i32 = 0;
let terms: i32 = 0;

function keyAt(i: i32): usize {
  return KEYS + i * (KEY_BYTES as i32);
}

/** Starts a batch. */
export function batchBegin(): void {
  signatures = 0;
  keys = 0;
  terms = 0;
  memory.fill(SUM, 0, SCALAR_BYTES);
}

/**
 * Adds a signature with `COEFFICIENT_BYTES` of randomness, new for each, which no one who chooses a signature may foresee.
 * 0, and nothing is added, if the rule refuses the signature whatever its equation says, or if the batch is full; else 1.
 */
export function batchAdd(sig: usize, msg: usize, len: i32, publicKey: usize, coefficient: usize): i32 {
  const s: usize = sig + Limit.SIGNATURE_BYTES / 2;
  if (signatures == BATCH_MAX || (scalarExcess(s) | pointDecode(R, sig)) != 0) return 0;
  const key: usize = keyOf(publicKey);
  if (key == 0) return 0;
  memory.copy(Z, coefficient, COEFFICIENT_BYTES);
  ed25519Challenge(CHALLENGE, sig, publicKey, msg, len);
  scalarMultiplyAdd(key + SCALAR, Z, CHALLENGE, key + SCALAR);
  scalarMultiplyAdd(SUM, Z, s, SUM);
  termScalar(newNegativeTerm(R), Z);
  signatures++;
  return 1;
}

/** 1 if every signature of the batch is good; 0 if one at least is not. */
export function batchHolds(): i32 {
  for (let i: i32 = 0; i < keys; i++) {
    const key = changetype<BatchKey>(keyAt(i));
    termScalar(key.term, keyAt(i) + SCALAR);
  }
  strausSum(POINT, TERMS, terms, SUM);
  return (pointCofactorResidue(POINT) == 0) as i32;
}

/** A term of -q. */
function newNegativeTerm(q: usize): usize {
  const term: usize = TERMS + terms++ * TERM_BYTES;
  pointNegate(q);
  termPoint(term, q);
  return term;
}

/** The key of the batch with these bytes, made if it is new; 0 if the rule refuses it. */
function keyOf(publicKey: usize): usize {
  for (let i: i32 = 0; i < keys; i++) if (isKey(keyAt(i), publicKey)) return keyAt(i);
  if (pointDecode(POINT, publicKey) != 0 || pointCofactorResidue(POINT) == 0) return 0;
  const at: usize = keyAt(keys++);
  const key = changetype<BatchKey>(at);
  memory.copy(at, publicKey, Limit.PUBLIC_KEY_BYTES);
  memory.fill(at + SCALAR, 0, SCALAR_BYTES);
  key.term = newNegativeTerm(POINT);
  return at;
}

function isKey(at: usize, publicKey: usize): bool {
  const key = changetype<BatchKey>(at);
  return (
    key.key0 == load<u64>(publicKey) &&
    key.key1 == load<u64>(publicKey, 8) &&
    key.key2 == load<u64>(publicKey, 16) &&
    key.key3 == load<u64>(publicKey, 24)
  );
}
