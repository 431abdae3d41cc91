/**
 * Ed25519 (RFC 8032 section 5.1). Deriving a key and signing take the same steps whatever the seed is, and leave
 * nothing secret in memory. Verification is for public data and may take longer for some than for others.
 *
 * What is accepted, here and on the host: S < L; A and R canonically encoded; A not of small order; the cofactored
 * equation [8][S]B = [8]R + [8][k]A. (RFC 8032 section 5.1.7 leaves small orders open; the rest is its text.)
 */
import { baseTablesBuild } from "./base25519";
import { combMultiplyAddPublic, combMultiplyBase, combWipe } from "./comb25519";
import { knownCombs, knownCombsResidue, rememberKey } from "./known-keys";
import { POINT_BYTES, pointCofactorResidue, pointDecode, pointEncode, pointNegate, pointSubtract } from "./point25519";
import { SCALAR_BYTES, scalarExcess, scalarMultiplyAdd, scalarReduce } from "./scalar25519";
import { SHA512_BYTES, SHA512_CONTEXT_BYTES, sha512, sha512Begin, sha512End, sha512Update } from "./sha512";
import { strausSum, TERM_BYTES, termPoint, termScalar } from "./straus25519";
import { wipe } from "./wipe";

const HALF: i32 = 32;

const HASH: usize = memory.data(SHA512_CONTEXT_BYTES, 8);
const DIGEST: usize = memory.data(SHA512_BYTES, 8);
/** SHA-512 of the seed: the secret scalar, then the prefix of the nonce. */
const EXPANDED: usize = memory.data(SHA512_BYTES, 8);
const PREFIX: usize = EXPANDED + HALF;
const NONCE: usize = memory.data(SCALAR_BYTES, 8);
const CHALLENGE: usize = memory.data(SCALAR_BYTES, 8);
/** R, then S. */
const SIGNATURE: usize = memory.data(2 * HALF, 8);
const KEY: usize = memory.data(HALF, 8);
const POINT: usize = memory.data(POINT_BYTES, 8);
const A: usize = memory.data(POINT_BYTES, 8);
const R: usize = memory.data(POINT_BYTES, 8);
/** [k] A, under way. */
const TERM: usize = memory.data(TERM_BYTES, 8);

baseTablesBuild();

/** Clears all that keys and signatures are made in, the public parts too: what is left can be tested to be nothing. */
function wipeAll(): void {
  wipe(DIGEST, SHA512_BYTES);
  wipe(EXPANDED, SHA512_BYTES);
  wipe(NONCE, SCALAR_BYTES);
  wipe(CHALLENGE, SCALAR_BYTES);
  wipe(SIGNATURE, 2 * HALF);
  wipe(KEY, HALF);
  wipe(POINT, POINT_BYTES);
  combWipe();
}

/** Section 5.1.5, steps 1 and 2: three bits off, one bit on. */
function expand(seed: usize): void {
  sha512(seed, HALF, EXPANDED);
  store<u8>(EXPANDED, load<u8>(EXPANDED) & 0xf8);
  store<u8>(EXPANDED, (load<u8>(EXPANDED, 31) & 0x7f) | 0x40, 31);
}

/** [scalar] B, encoded. */
function encodeMultiple(out: usize, scalar: usize): void {
  combMultiplyBase(POINT, scalar);
  pointEncode(out, POINT);
}

/** k = SHA-512(R || A || M) mod L, on the bytes as they came, 32 bytes. */
export function ed25519Challenge(out: usize, r: usize, a: usize, msg: usize, len: i32): void {
  sha512Begin(HASH);
  sha512Update(HASH, r, HALF);
  sha512Update(HASH, a, HALF);
  sha512Update(HASH, msg, len);
  sha512End(HASH, DIGEST);
  scalarReduce(out, DIGEST);
}

/** Section 5.1.5: the public key of 32 bytes of a seed of 32 bytes. `out` may lie over the seed. */
export function ed25519PublicKey(seed: usize, out: usize): void {
  expand(seed);
  encodeMultiple(out, EXPANDED);
  wipeAll();
}

/** Section 5.1.6: the signature of 64 bytes. `out` may lie over the seed or the message: it is written last. */
export function ed25519Sign(seed: usize, msg: usize, len: i32, out: usize): void {
  expand(seed);
  encodeMultiple(KEY, EXPANDED);
  sign(KEY, msg, len, out);
}

/**
 * The same for a seed whose public key is at hand, which halves the work. It must be the seed's own: signatures of one
 * message under two public keys give the secret away, so a caller makes sure of the bytes that it keeps.
 */
export function ed25519SignKeyPair(seed: usize, publicKey: usize, msg: usize, len: i32, out: usize): void {
  expand(seed);
  sign(publicKey, msg, len, out);
}

/** Section 5.1.6, steps 2 to 6, by the key in EXPANDED. */
function sign(publicKey: usize, msg: usize, len: i32, out: usize): void {
  sha512Begin(HASH);
  sha512Update(HASH, PREFIX, HALF);
  sha512Update(HASH, msg, len);
  sha512End(HASH, DIGEST);
  scalarReduce(NONCE, DIGEST);
  encodeMultiple(SIGNATURE, NONCE);
  ed25519Challenge(CHALLENGE, SIGNATURE, publicKey, msg, len);
  scalarMultiplyAdd(SIGNATURE + HALF, CHALLENGE, EXPANDED, NONCE);
  memory.copy(out, SIGNATURE, 2 * HALF);
  wipeAll();
}

/**
 * Section 5.1.7 without a branch on a check: 0 exactly when the signature is valid, every check folded into the one word,
 * so that a caller can make what it opens depend on the value itself. `sig` has 64 bytes, `publicKey` 32.
 */
export function ed25519Residue(sig: usize, msg: usize, len: i32, publicKey: usize): u32 {
  let residue: u32 = pointDecode(A, publicKey);
  residue |= (pointCofactorResidue(A) == 0) as u32;
  pointNegate(A);
  ed25519Challenge(CHALLENGE, sig, publicKey, msg, len);
  termPoint(TERM, A);
  termScalar(TERM, CHALLENGE);
  strausSum(POINT, TERM, 1, sig + HALF);
  // Nothing of this key is left for the next one to be judged by, should a fault leave a step out.
  memory.fill(TERM, 0, TERM_BYTES);
  return residue | equationResidue(sig);
}

/** The same, in less than half the time under a key that signed twice before. */
export function ed25519ResidueKnown(sig: usize, msg: usize, len: i32, publicKey: usize): u32 {
  const combs: usize = knownCombs(publicKey);
  if (combs == 0) {
    const residue: u32 = ed25519Residue(sig, msg, len, publicKey);
    if (residue == 0) rememberKey(publicKey, A);
    return residue;
  }
  ed25519Challenge(CHALLENGE, sig, publicKey, msg, len);
  combMultiplyAddPublic(POINT, CHALLENGE, combs, sig + HALF);
  return knownCombsResidue(combs, publicKey) | equationResidue(sig);
}

/** What the signature alone must be, and [8](POINT - R) = 0, where POINT is [S]B - [k]A. */
function equationResidue(sig: usize): u32 {
  const residue: u32 = scalarExcess(sig + HALF) | pointDecode(R, sig);
  pointSubtract(POINT, R);
  return residue | pointCofactorResidue(POINT);
}

/** 1 accepts, 0 refuses. */
export function ed25519Verify(sig: usize, msg: usize, len: i32, publicKey: usize): i32 {
  return (ed25519Residue(sig, msg, len, publicKey) == 0) as i32;
}

/** The same by `ed25519ResidueKnown`. */
export function ed25519VerifyKnown(sig: usize, msg: usize, len: i32, publicKey: usize): i32 {
  return (ed25519ResidueKnown(sig, msg, len, publicKey) == 0) as i32;
}
