/**
 * Ed25519 (RFC 8032 section 5.1). Deriving a key and signing take the same steps whatever the seed is, and leave
 * nothing secret in memory. Verification is for public data and may take longer for some than for others.
 *
 * What is accepted, here and on the host: S < L; A and R canonically encoded; A not of small order; the cofactored
 * equation [8][S]B = [8]R + [8][k]A. (RFC 8032 section 5.1.7 leaves small orders open; the rest is its text.)
 */
import {
  POINT_BYTES,
  pointCofactorResidue,
  pointDecode,
  pointEncode,
  pointMultiplyAddPublic,
  pointMultiplyBase,
  pointNegate,
  pointSubtract,
  pointWipe,
} from "./point25519";
import { SCALAR_BYTES, scalarExcess, scalarMultiplyAdd, scalarReduce } from "./scalar25519";
import { SHA512_BYTES, SHA512_CONTEXT_BYTES, sha512, sha512Begin, sha512End, sha512Update } from "./sha512";
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

/** Clears all that keys and signatures are made in, the public parts too: what is left can be tested to be nothing. */
function wipeAll(): void {
  wipe(DIGEST, SHA512_BYTES);
  wipe(EXPANDED, SHA512_BYTES);
  wipe(NONCE, SCALAR_BYTES);
  wipe(CHALLENGE, SCALAR_BYTES);
  wipe(SIGNATURE, 2 * HALF);
  wipe(KEY, HALF);
  wipe(POINT, POINT_BYTES);
  pointWipe();
}

/** Section 5.1.5, steps 1 and 2: three bits off, one bit on. */
function expand(seed: usize): void {
  sha512(seed, HALF, EXPANDED);
  store<u8>(EXPANDED, load<u8>(EXPANDED) & 0xf8);
  store<u8>(EXPANDED, (load<u8>(EXPANDED, 31) & 0x7f) | 0x40, 31);
}

/** [scalar] B, encoded. */
function encodeMultiple(out: usize, scalar: usize): void {
  pointMultiplyBase(POINT, scalar);
  pointEncode(out, POINT);
}

/** CHALLENGE = SHA-512(R || A || M) mod L, on the bytes as they came. */
function challenge(r: usize, a: usize, msg: usize, len: i32): void {
  sha512Begin(HASH);
  sha512Update(HASH, r, HALF);
  sha512Update(HASH, a, HALF);
  sha512Update(HASH, msg, len);
  sha512End(HASH, DIGEST);
  scalarReduce(CHALLENGE, DIGEST);
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
  sha512Begin(HASH);
  sha512Update(HASH, PREFIX, HALF);
  sha512Update(HASH, msg, len);
  sha512End(HASH, DIGEST);
  scalarReduce(NONCE, DIGEST);
  encodeMultiple(SIGNATURE, NONCE);
  challenge(SIGNATURE, KEY, msg, len);
  scalarMultiplyAdd(SIGNATURE + HALF, CHALLENGE, EXPANDED, NONCE);
  memory.copy(out, SIGNATURE, 2 * HALF);
  wipeAll();
}

/**
 * Section 5.1.7 without a branch: 0 exactly when the signature is valid, every check folded into the one word, so that
 * a caller can make what it opens depend on the value itself. `sig` has 64 bytes, `publicKey` 32.
 */
export function ed25519Residue(sig: usize, msg: usize, len: i32, publicKey: usize): u32 {
  let residue: u32 = scalarExcess(sig + HALF);
  residue |= pointDecode(A, publicKey);
  residue |= pointDecode(R, sig);
  residue |= (pointCofactorResidue(A) == 0) as u32;
  challenge(sig, publicKey, msg, len);
  pointNegate(A);
  pointMultiplyAddPublic(POINT, CHALLENGE, A, sig + HALF);
  pointSubtract(POINT, R);
  residue |= pointCofactorResidue(POINT);
  return residue;
}

/** 1 accepts, 0 refuses. */
export function ed25519Verify(sig: usize, msg: usize, len: i32, publicKey: usize): i32 {
  return (ed25519Residue(sig, msg, len, publicKey) == 0) as i32;
}
