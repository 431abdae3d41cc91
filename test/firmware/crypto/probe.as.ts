// biome-ignore-all lint: AssemblyScript, which asc checks
// @ts-nocheck
/** The inner parts of the firmware's cryptography, for tests: compiled in memory by `probe.ts`, never shipped. */
import { BASE_COMB, BASE_ODD_MULTIPLES } from "../../../firmware/crypto/base25519";
import { COMB_TABLE_BYTES, combBuild } from "../../../firmware/crypto/comb25519";
import { ed25519Residue, ed25519ResidueKnown } from "../../../firmware/crypto/ed25519";
import { equalBytes } from "../../../firmware/crypto/equal";
import {
  FIELD_BYTES,
  fieldAdd,
  fieldDecode,
  fieldEncode,
  fieldInvert,
  fieldMultiply,
  fieldResidue,
  fieldSquare,
  fieldSubtract,
} from "../../../firmware/crypto/field25519";
import { hmacSha256Begin, hmacSha256End, hmacSha256Update } from "../../../firmware/crypto/hmac";
import { knownCombs } from "../../../firmware/crypto/known-keys";
import { POINT_BYTES, pointCofactorResidue, pointDecode } from "../../../firmware/crypto/point25519";
import {
  scalarExcess,
  scalarMultiplyAdd,
  scalarNonAdjacent,
  scalarReduce,
  scalarSignedBits,
} from "../../../firmware/crypto/scalar25519";
import { SHA256_CONTEXT_BYTES, sha256Begin, sha256End, sha256Update } from "../../../firmware/crypto/sha256";
import { SHA512_CONTEXT_BYTES, sha512Begin, sha512End, sha512Update } from "../../../firmware/crypto/sha512";
import { wipe } from "../../../firmware/crypto/wipe";
import "../../../firmware/panic";

const IO: usize = memory.data(8192, 16);
export function io(): usize {
  return IO;
}

const contexts256: usize = memory.data(2 * SHA256_CONTEXT_BYTES, 8);
const contexts512: usize = memory.data(2 * SHA512_CONTEXT_BYTES, 8);

export function begin256(i: i32): void {
  sha256Begin(contexts256 + i * SHA256_CONTEXT_BYTES);
}
export function update256(i: i32, ptr: usize, len: i32): void {
  sha256Update(contexts256 + i * SHA256_CONTEXT_BYTES, ptr, len);
}
export function end256(i: i32, out: usize): void {
  sha256End(contexts256 + i * SHA256_CONTEXT_BYTES, out);
}
export function begin512(i: i32): void {
  sha512Begin(contexts512 + i * SHA512_CONTEXT_BYTES);
}
export function update512(i: i32, ptr: usize, len: i32): void {
  sha512Update(contexts512 + i * SHA512_CONTEXT_BYTES, ptr, len);
}
export function end512(i: i32, out: usize): void {
  sha512End(contexts512 + i * SHA512_CONTEXT_BYTES, out);
}

const f: usize = memory.data(FIELD_BYTES, 8);
const g: usize = memory.data(FIELD_BYTES, 8);
const h: usize = memory.data(FIELD_BYTES, 8);

/** ((a + b - c) * (a - b - c))^2 encoded at `out`: operands at the full weight that multiplication allows for. */
export function fieldMixed(a: usize, b: usize, c: usize, out: usize): void {
  fieldDecode(f, a);
  fieldDecode(g, b);
  fieldAdd(h, f, g);
  fieldSubtract(f, f, g);
  fieldMultiply(h, h, f);
  fieldDecode(f, c);
  fieldSubtract(h, h, f);
  fieldSquare(h, h);
  fieldEncode(out, h);
}
export function fieldDifference(a: usize, b: usize, out: usize): u32 {
  fieldDecode(f, a);
  fieldDecode(g, b);
  fieldSubtract(f, f, g);
  fieldEncode(out, f);
  return fieldResidue(f);
}
/** The product of two elements, and the square of the first, whose limbs stand at `a` and `b` as they are. */
export function fieldProduct(a: usize, b: usize, out: usize): void {
  fieldMultiply(h, a, b);
  fieldEncode(out, h);
}
export function fieldSquared(a: usize, out: usize): void {
  fieldSquare(h, a);
  fieldEncode(out, h);
}
export function fieldEncoded(a: usize, out: usize): void {
  fieldEncode(out, a);
}
export function fieldInverse(a: usize, out: usize): void {
  fieldDecode(f, a);
  fieldInvert(f, f);
  fieldEncode(out, f);
}

export function baseComb(): usize {
  return BASE_COMB;
}
export function baseOddMultiples(): usize {
  return BASE_ODD_MULTIPLES;
}

const point: usize = memory.data(POINT_BYTES, 8);
const combs: usize = memory.data(COMB_TABLE_BYTES, 8);

/** Where the combs of a known key stand; 0 for none. */
export function knownCombsAt(publicKey: usize): usize {
  return knownCombs(publicKey);
}
export function pointCofactor(point: usize): u32 {
  return pointCofactorResidue(point);
}

/** Address of the combs of an encoded point. */
export function combsOf(encoded: usize): usize {
  pointDecode(point, encoded);
  combBuild(combs, point);
  return combs;
}

export {
  ed25519Residue,
  ed25519ResidueKnown,
  equalBytes,
  hmacSha256Begin,
  hmacSha256End,
  hmacSha256Update,
  scalarExcess,
  scalarMultiplyAdd,
  scalarNonAdjacent,
  scalarReduce,
  scalarSignedBits,
  wipe,
};
