/**
 * Points of edwards25519, -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 section 5.1), by the formulas of Hisil, Wong, Carter and
 * Dawson, "Twisted Edwards curves revisited", 2008. They are complete: no pair of points needs a case of its own.
 *
 *     extended   X Y Z T            x = X/Z, y = Y/Z, x y = T/Z
 *     cached     Y+X Y-X 2dT Z      an extended point ready to be added
 *     affine     y+x y-x 2dxy       the same with Z = 1: entries of base25519.ts
 *     completed  X Y Z T            x = X/Z, y = Y/T: what doubling and adding leave in COMPLETED
 *
 * Weights (field25519.ts): completed coordinates have at most 4, and at most 12 in the products that are taken of them;
 * decoded ones have 2; all others have 1.
 */
import { COMB_ENTRIES, COMB_SPACING, COMB_TABLE, COMBS, ODD_MULTIPLES } from "./base25519";
import {
  FIELD_BYTES,
  FIELD_SQRT_MINUS_ONE,
  fieldAdd,
  fieldCopy,
  fieldDecode,
  fieldEncode,
  fieldInvert,
  fieldIsOdd,
  fieldMoveIf,
  fieldMultiply,
  fieldNegateIf,
  fieldPower252,
  fieldResidue,
  fieldSet,
  fieldSquare,
  fieldSubtract,
  fieldWipe,
} from "./field25519";
import { NON_ADJACENT_DIGITS, SCALAR_BYTES, scalarNonAdjacent, scalarSignedBits, scalarWipe } from "./scalar25519";
import { wipe } from "./wipe";

/** Bytes of an extended or cached point in memory. Encoded it has 32. */
export const POINT_BYTES: i32 = 160;

const Y: usize = 40;
const Z: usize = 80;
const T: usize = 120;
// A cached or affine point.
const PLUS: usize = 0;
const MINUS: usize = 40;
const TWO_D_T: usize = 80;
const CACHED_Z: usize = 120;
const AFFINE_BYTES: i32 = 120;

/** d = -121665/121666. */
const D: usize = memory.data<i32>([
  56195235, 13857412, 51736253, 6949390, 114729, 24766616, 60832955, 30306712, 48412415, 21499315,
]);
/** 2 d. */
const TWO_D: usize = memory.data<i32>([
  45281625, 27714825, 36363642, 13898781, 229458, 15978800, 54557047, 27058993, 29715967, 9444199,
]);

const COMPLETED: usize = memory.data(POINT_BYTES, 8);
const SELECTED: usize = memory.data(POINT_BYTES, 8);
const ELEMENTS: usize = memory.data(6 * FIELD_BYTES, 8);
const E0: usize = ELEMENTS;
const E1: usize = ELEMENTS + FIELD_BYTES;
const E2: usize = ELEMENTS + 2 * FIELD_BYTES;
const E3: usize = ELEMENTS + 3 * FIELD_BYTES;
const E4: usize = ELEMENTS + 4 * FIELD_BYTES;
const E5: usize = ELEMENTS + 5 * FIELD_BYTES;
const SIGNED_BITS: usize = memory.data(SCALAR_BYTES, 8);

/** Wipes what multiplication by a secret leaves behind, here and in the field and the scalars. */
export function pointWipe(): void {
  wipe(COMPLETED, POINT_BYTES);
  wipe(SELECTED, POINT_BYTES);
  wipe(ELEMENTS, 6 * FIELD_BYTES);
  wipe(SIGNED_BITS, SCALAR_BYTES);
  fieldWipe();
  scalarWipe();
}

function setIdentity(p: usize): void {
  memory.fill(p, 0, POINT_BYTES);
  fieldSet(p + Y, 1);
  fieldSet(p + Z, 1);
}

/** COMPLETED to X, Y and Z: enough for a doubling. */
function completeProjective(p: usize): void {
  fieldMultiply(p, COMPLETED, COMPLETED + T);
  fieldMultiply(p + Y, COMPLETED + Y, COMPLETED + Z);
  fieldMultiply(p + Z, COMPLETED + Z, COMPLETED + T);
}

function completeExtended(p: usize): void {
  completeProjective(p);
  fieldMultiply(p + T, COMPLETED, COMPLETED + Y);
}

/** COMPLETED = 2 p; reads no T. */
function double(p: usize): void {
  fieldSquare(E0, p);
  fieldSquare(E1, p + Y);
  fieldSquare(E2, p + Z);
  fieldAdd(E3, p, p + Y);
  fieldSquare(E3, E3);
  fieldAdd(COMPLETED + Y, E1, E0);
  fieldSubtract(COMPLETED + Z, E1, E0);
  fieldSubtract(COMPLETED, E3, COMPLETED + Y);
  fieldAdd(E2, E2, E2);
  fieldSubtract(COMPLETED + T, E2, COMPLETED + Z);
}

/** The common end of the additions: E0 = (Y1+X1)(y2+x2), E1 = (Y1-X1)(y2-x2), E2 = 2d T1 t2, E3 = 2 Z1 z2. */
function completeSum(): void {
  fieldSubtract(COMPLETED, E0, E1);
  fieldAdd(COMPLETED + Y, E0, E1);
  fieldAdd(COMPLETED + Z, E3, E2);
  fieldSubtract(COMPLETED + T, E3, E2);
}

/** COMPLETED = p + q for an affine q. */
function addAffine(p: usize, q: usize): void {
  fieldAdd(E0, p + Y, p);
  fieldSubtract(E1, p + Y, p);
  fieldMultiply(E0, E0, q + PLUS);
  fieldMultiply(E1, E1, q + MINUS);
  fieldMultiply(E2, p + T, q + TWO_D_T);
  fieldAdd(E3, p + Z, p + Z);
  completeSum();
}

/** COMPLETED = p + q for a cached q. */
function addCached(p: usize, q: usize): void {
  fieldAdd(E0, p + Y, p);
  fieldSubtract(E1, p + Y, p);
  fieldMultiply(E0, E0, q + PLUS);
  fieldMultiply(E1, E1, q + MINUS);
  fieldMultiply(E2, p + T, q + TWO_D_T);
  fieldMultiply(E3, p + Z, q + CACHED_Z);
  fieldAdd(E3, E3, E3);
  completeSum();
}

function cache(out: usize, p: usize): void {
  fieldAdd(out + PLUS, p + Y, p);
  fieldSubtract(out + MINUS, p + Y, p);
  fieldMultiply(out + TWO_D_T, p + T, TWO_D);
  fieldCopy(out + CACHED_Z, p + Z);
}

/** SELECTED = q or, where `mask` is -1, -q, for an affine q: the sums change places and 2dxy its sign. */
function negateAffine(q: usize, mask: i32): void {
  fieldCopy(SELECTED + PLUS, q + PLUS);
  fieldCopy(SELECTED + MINUS, q + MINUS);
  fieldMoveIf(SELECTED + PLUS, q + MINUS, mask);
  fieldMoveIf(SELECTED + MINUS, q + PLUS, mask);
  fieldNegateIf(SELECTED + TWO_D_T, q + TWO_D_T, mask);
}

/** The same for a cached q. */
function negateCached(q: usize, mask: i32): void {
  negateAffine(q, mask);
  fieldCopy(SELECTED + CACHED_Z, q + CACHED_Z);
}

/** -1 if both are the same, else 0; each below 2^31. */
function sameMask(a: i32, b: i32): i64 {
  return (((a ^ b) - 1) >> 31) as i64;
}

const ENTRY: usize = memory.data(AFFINE_BYTES, 8);

/** ENTRY = entry `index` of a comb, by reading all of them, so that no address tells which. */
function select(comb: usize, index: i32): void {
  const m0: i64 = sameMask(index, 0);
  const m1: i64 = sameMask(index, 1);
  const m2: i64 = sameMask(index, 2);
  const m3: i64 = sameMask(index, 3);
  const m4: i64 = sameMask(index, 4);
  const m5: i64 = sameMask(index, 5);
  const m6: i64 = sameMask(index, 6);
  const m7: i64 = sameMask(index, 7);
  for (let i: i32 = 0; i < AFFINE_BYTES; i += 8) {
    const at: usize = comb + i;
    const low: i64 =
      (load<i64>(at) & m0) | (load<i64>(at, 120) & m1) | (load<i64>(at, 240) & m2) | (load<i64>(at, 360) & m3);
    const high: i64 =
      (load<i64>(at, 480) & m4) | (load<i64>(at, 600) & m5) | (load<i64>(at, 720) & m6) | (load<i64>(at, 840) & m7);
    store<i64>(ENTRY + i, low | high);
  }
}

/** Four bits of SIGNED_BITS, 16 apart: the teeth of the comb that begins at bit `first`. */
function teeth(first: i32): i32 {
  const at: usize = SIGNED_BITS + (first >> 3);
  const shift: i32 = first & 7;
  return (
    ((load<u8>(at) >> shift) & 1) |
    (((load<u8>(at, 2) >> shift) & 1) << 1) |
    (((load<u8>(at, 4) >> shift) & 1) << 2) |
    (((load<u8>(at, 6) >> shift) & 1) << 3)
  );
}

/**
 * p = [scalar] B for a secret scalar below 2^255, in constant time. Four combs of four teeth cover the 256 signed bits:
 * 16 columns, a doubling between two columns, four additions in each.
 */
export function pointMultiplyBase(p: usize, scalar: usize): void {
  scalarSignedBits(SIGNED_BITS, scalar);
  setIdentity(p);
  for (let column: i32 = COMB_SPACING - 1; column >= 0; column--) {
    double(p);
    completeExtended(p);
    for (let j: i32 = 0; j < COMBS; j++) {
      const bits: i32 = teeth(j * 64 + column);
      // The highest tooth is the sign of the entry: if it is -1, all four are turned over.
      const negative: i32 = (bits >> 3) - 1;
      select(COMB_TABLE + j * COMB_ENTRIES * AFFINE_BYTES, (bits ^ negative) & 7);
      negateAffine(ENTRY, negative);
      addAffine(p, SELECTED);
      completeExtended(p);
    }
  }
  wipe(ENTRY, AFFINE_BYTES);
}

const WIDTH: i32 = 5;
const BASE_WIDTH: i32 = 6;
const DIGITS: usize = memory.data(NON_ADJACENT_DIGITS, 8);
const BASE_DIGITS: usize = memory.data(NON_ADJACENT_DIGITS, 8);
/** q, 3q, ... 15q, cached. */
const MULTIPLES: usize = memory.data(8 * POINT_BYTES, 8);

function cacheOddMultiples(p: usize, q: usize): void {
  cache(MULTIPLES, q);
  double(q);
  completeExtended(p);
  for (let i: i32 = 1; i < 8; i++) {
    addCached(p, MULTIPLES + (i - 1) * POINT_BYTES);
    completeExtended(SELECTED);
    cache(MULTIPLES + i * POINT_BYTES, SELECTED);
  }
}

/** p = [k] q + [s] B, all public: the time taken depends on both scalars (Straus, interleaved). */
export function pointMultiplyAddPublic(p: usize, k: usize, q: usize, s: usize): void {
  scalarNonAdjacent(DIGITS, k, WIDTH);
  scalarNonAdjacent(BASE_DIGITS, s, BASE_WIDTH);
  cacheOddMultiples(p, q);
  setIdentity(p);
  for (let i: i32 = NON_ADJACENT_DIGITS - 1; i >= 0; i--) {
    double(p);
    const digit: i32 = load<i8>(DIGITS + i);
    if (digit != 0) {
      completeExtended(p);
      negateCached(MULTIPLES + (abs(digit) >> 1) * POINT_BYTES, digit >> 31);
      addCached(p, SELECTED);
    }
    const baseDigit: i32 = load<i8>(BASE_DIGITS + i);
    if (baseDigit != 0) {
      completeExtended(p);
      negateAffine(ODD_MULTIPLES + (abs(baseDigit) >> 1) * AFFINE_BYTES, baseDigit >> 31);
      addAffine(p, SELECTED);
    }
    completeProjective(p);
  }
  completeExtended(p);
}

/** p = p - q. */
export function pointSubtract(p: usize, q: usize): void {
  cache(MULTIPLES, q);
  negateCached(MULTIPLES, -1);
  addCached(p, SELECTED);
  completeExtended(p);
}

export function pointNegate(p: usize): void {
  fieldNegateIf(p, p, -1);
  fieldNegateIf(p + T, p + T, -1);
}

/** 0 exactly when [8] p is the identity: X = 0 and Y = Z. */
export function pointCofactorResidue(p: usize): u32 {
  double(p);
  completeProjective(SELECTED);
  double(SELECTED);
  completeProjective(SELECTED);
  double(SELECTED);
  completeProjective(SELECTED);
  fieldSubtract(E0, SELECTED + Y, SELECTED + Z);
  return fieldResidue(SELECTED) | fieldResidue(E0);
}

/** RFC 8032 section 5.1.2. */
export function pointEncode(out: usize, p: usize): void {
  fieldInvert(E0, p + Z);
  fieldMultiply(E1, p, E0);
  fieldMultiply(E2, p + Y, E0);
  fieldEncode(out, E2);
  store<u8>(out, load<u8>(out, 31) | (fieldIsOdd(E1) << 7), 31);
}

const REENCODED: usize = memory.data(32, 8);

/**
 * RFC 8032 section 5.1.3, steps folded into one word: 0 exactly when the bytes are the one encoding of a point, that is
 * y < p, an x exists, and x = 0 does not come with the sign bit. If it is not 0, `p` is of no use.
 */
export function pointDecode(p: usize, bytes: usize): u32 {
  const sign: u32 = load<u8>(bytes, 31) >> 7;
  fieldDecode(p + Y, bytes);
  fieldSet(p + Z, 1);
  fieldEncode(REENCODED, p + Y);
  store<u8>(REENCODED, load<u8>(REENCODED, 31) | (sign << 7), 31);
  let residue: u32 = 0;
  for (let i: i32 = 0; i < 32; i += 4) residue |= load<u32>(REENCODED + i) ^ load<u32>(bytes + i);

  // u = y^2 - 1, v = d y^2 + 1, x = u v^3 (u v^7)^((p-5)/8).
  fieldSquare(E0, p + Y);
  fieldMultiply(E1, E0, D);
  fieldSubtract(E0, E0, p + Z);
  fieldAdd(E1, E1, p + Z);
  fieldSquare(E2, E1);
  fieldMultiply(E2, E2, E1);
  fieldSquare(E3, E2);
  fieldMultiply(E3, E3, E1);
  fieldMultiply(E3, E3, E0);
  fieldPower252(E3, E3);
  fieldMultiply(E2, E2, E0);
  fieldMultiply(p, E2, E3);

  // v x^2 is u, or -u and x wants a factor of the root of -1, or u/v has no root: both differences are not 0.
  fieldSquare(E4, p);
  fieldMultiply(E4, E4, E1);
  fieldSubtract(E5, E4, E0);
  const plain: u32 = fieldResidue(E5);
  fieldAdd(E5, E4, E0);
  const turned: u32 = fieldResidue(E5);
  const rootless: u64 = (plain as u64) * (turned as u64);
  residue |= (rootless as u32) | ((rootless >> 32) as u32);
  fieldMultiply(E4, p, FIELD_SQRT_MINUS_ONE);
  fieldMoveIf(p, E4, -((plain != 0) as i32));

  residue |= ((fieldResidue(p) == 0) as u32) & sign;
  fieldNegateIf(p, p, -(fieldIsOdd(p) ^ (sign as i32)));
  fieldMultiply(p + T, p, p + Y);
  return residue;
}
