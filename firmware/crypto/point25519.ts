/**
 * Points of edwards25519, -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 section 5.1), by the formulas of Hisil, Wong, Carter and
 * Dawson, "Twisted Edwards curves revisited", 2008. They are complete: no pair of points needs a case of its own.
 *
 *     extended   X Y Z T            x = X/Z, y = Y/Z, x y = T/Z
 *     cached     Y+X Y-X 2dT Z      an extended point ready to be added
 *     affine     y+x y-x 2dxy       the same with Z = 1
 *     entry      y+x y-x 2dxy       an affine point in a table: each coordinate encoded, in 32 bytes
 *     completed  X Y Z T            x = X/Z, y = Y/T: what doubling and adding leave in COMPLETED
 *
 * Weights (field25519.ts): completed coordinates have at most 4, and at most 12 in the products that are taken of them;
 * decoded ones have 2; all others have 1.
 */
import {
  FIELD_BYTES,
  FIELD_ENCODED_BYTES,
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
import { wipe } from "./wipe";

/** Bytes of an extended or cached point in memory. Encoded it has 32. */
export const POINT_BYTES: i32 = 4 * FIELD_BYTES;
/** Bytes of an affine point in memory. */
export const AFFINE_BYTES: i32 = 3 * FIELD_BYTES;
/** Bytes of a table's entry. */
export const ENTRY_BYTES: i32 = 3 * FIELD_ENCODED_BYTES;

const Y: usize = FIELD_BYTES;
const Z: usize = 2 * FIELD_BYTES;
const T: usize = 3 * FIELD_BYTES;
// A cached or affine point.
const PLUS: usize = 0;
const MINUS: usize = FIELD_BYTES;
const TWO_D_T: usize = 2 * FIELD_BYTES;
const CACHED_Z: usize = 3 * FIELD_BYTES;

/** d = -121665/121666. */
const D: usize = memory.data<i32>([
  324630691, 257584720, 276179677, 1350274, 512327687, 3980220, 432943901, 499478015, 5374828,
]);
/** 2 d. */
const TWO_D: usize = memory.data<i32>([
  112390489, 515169441, 15488442, 2700549, 487784462, 7960441, 329016890, 462085119, 2361049,
]);

const COMPLETED: usize = memory.data(POINT_BYTES, 8);
const ELEMENTS: usize = memory.data(6 * FIELD_BYTES, 8);
const E0: usize = ELEMENTS;
const E1: usize = ELEMENTS + FIELD_BYTES;
const E2: usize = ELEMENTS + 2 * FIELD_BYTES;
const E3: usize = ELEMENTS + 3 * FIELD_BYTES;
const E4: usize = ELEMENTS + 4 * FIELD_BYTES;
const E5: usize = ELEMENTS + 5 * FIELD_BYTES;

/** Wipes what operations on a secret point leave behind, here and in the field. */
export function pointWipe(): void {
  wipe(COMPLETED, POINT_BYTES);
  wipe(ELEMENTS, 6 * FIELD_BYTES);
  fieldWipe();
}

export function pointSetIdentity(p: usize): void {
  memory.fill(p, 0, POINT_BYTES);
  fieldSet(p + Y, 1);
  fieldSet(p + Z, 1);
}

/** COMPLETED to X, Y and Z: enough for a doubling. */
export function pointCompleteProjective(p: usize): void {
  fieldMultiply(p, COMPLETED, COMPLETED + T);
  fieldMultiply(p + Y, COMPLETED + Y, COMPLETED + Z);
  fieldMultiply(p + Z, COMPLETED + Z, COMPLETED + T);
}

/** COMPLETED to an extended point. */
export function pointComplete(p: usize): void {
  pointCompleteProjective(p);
  fieldMultiply(p + T, COMPLETED, COMPLETED + Y);
}

/** COMPLETED = 2 p; reads no T. */
export function pointDouble(p: usize): void {
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

/** E0 = (Y1+X1)(y2+x2), E1 = (Y1-X1)(y2-x2), E2 = 2d T1 t2. For -q the sums of q change places. */
function beginSum(p: usize, q: usize, negative: bool): void {
  fieldAdd(E0, p + Y, p);
  fieldSubtract(E1, p + Y, p);
  fieldMultiply(E0, E0, q + (negative ? MINUS : PLUS));
  fieldMultiply(E1, E1, q + (negative ? PLUS : MINUS));
  fieldMultiply(E2, p + T, q + TWO_D_T);
}

/** The common end of the additions, with E3 = 2 Z1 z2. For -q the sign of E2 changes. */
function endSum(negative: bool): void {
  fieldSubtract(COMPLETED, E0, E1);
  fieldAdd(COMPLETED + Y, E0, E1);
  fieldAdd(COMPLETED + (negative ? T : Z), E3, E2);
  fieldSubtract(COMPLETED + (negative ? Z : T), E3, E2);
}

/** COMPLETED = p + q or, if `negative` (which is never secret), p - q; q is affine. */
export function pointAddAffine(p: usize, q: usize, negative: bool): void {
  beginSum(p, q, negative);
  fieldAdd(E3, p + Z, p + Z);
  endSum(negative);
}

/** The same for a cached q. */
export function pointAddCached(p: usize, q: usize, negative: bool): void {
  beginSum(p, q, negative);
  fieldMultiply(E3, p + Z, q + CACHED_Z);
  fieldAdd(E3, E3, E3);
  endSum(negative);
}

/** Makes an extended point ready to be added. */
export function pointCache(out: usize, p: usize): void {
  fieldAdd(out + PLUS, p + Y, p);
  fieldSubtract(out + MINUS, p + Y, p);
  fieldMultiply(out + TWO_D_T, p + T, TWO_D);
  fieldCopy(out + CACHED_Z, p + Z);
}

/** An affine point of a table's entry. */
export function pointLoadEntry(q: usize, entry: usize): void {
  fieldDecode(q + PLUS, entry);
  fieldDecode(q + MINUS, entry + FIELD_ENCODED_BYTES);
  fieldDecode(q + TWO_D_T, entry + 2 * FIELD_ENCODED_BYTES);
}

/** The same or, where `mask` is -1, its negative, in constant time. What stands at `entry` is used up. */
export function pointLoadEntryNegateIf(q: usize, entry: usize, mask: i32): void {
  for (let i: i32 = 0; i < FIELD_ENCODED_BYTES; i += 8) {
    const plus: usize = entry + i;
    const minus: usize = plus + FIELD_ENCODED_BYTES;
    const exchanged: u64 = (load<u64>(plus) ^ load<u64>(minus)) & (mask as i64);
    store<u64>(plus, load<u64>(plus) ^ exchanged);
    store<u64>(minus, load<u64>(minus) ^ exchanged);
  }
  pointLoadEntry(q, entry);
  fieldNegateIf(q + TWO_D_T, q + TWO_D_T, mask);
}

/**
 * Entries of `count` extended points side by side, all by one inversion (Montgomery's trick): `products` takes the
 * product of all Z up to each.
 */
export function pointStoreEntries(entries: usize, points: usize, products: usize, count: i32): void {
  fieldCopy(products, points + Z);
  for (let i: i32 = 1; i < count; i++) {
    fieldMultiply(products + i * FIELD_BYTES, products + (i - 1) * FIELD_BYTES, points + i * POINT_BYTES + Z);
  }
  fieldInvert(E0, products + (count - 1) * FIELD_BYTES);
  for (let i: i32 = count - 1; i >= 0; i--) {
    const p: usize = points + i * POINT_BYTES;
    const entry: usize = entries + i * ENTRY_BYTES;
    if (i > 0) fieldMultiply(E1, E0, products + (i - 1) * FIELD_BYTES);
    else fieldCopy(E1, E0);
    fieldMultiply(E0, E0, p + Z);
    fieldMultiply(E2, p, E1);
    fieldMultiply(E3, p + Y, E1);
    fieldAdd(E4, E3, E2);
    fieldEncode(entry, E4);
    fieldSubtract(E4, E3, E2);
    fieldEncode(entry + FIELD_ENCODED_BYTES, E4);
    fieldMultiply(E4, E2, E3);
    fieldMultiply(E4, E4, TWO_D);
    fieldEncode(entry + 2 * FIELD_ENCODED_BYTES, E4);
  }
}

const CACHED: usize = memory.data(POINT_BYTES, 8);

/** p = p - q, both public. */
export function pointSubtract(p: usize, q: usize): void {
  pointCache(CACHED, q);
  pointAddCached(p, CACHED, true);
  pointComplete(p);
}

export function pointNegate(p: usize): void {
  fieldNegateIf(p, p, -1);
  fieldNegateIf(p + T, p + T, -1);
}

const OCTUPLE: usize = memory.data(POINT_BYTES, 8);

/**
 * 0 exactly when [8] p is the identity: X = 0 and Y = Z, and Z is not 0, which it is for no point. A step that a fault
 * leaves out, or a table that it clears, can make all of them 0: that is no identity.
 */
export function pointCofactorResidue(p: usize): u32 {
  pointDouble(p);
  pointCompleteProjective(OCTUPLE);
  pointDouble(OCTUPLE);
  pointCompleteProjective(OCTUPLE);
  pointDouble(OCTUPLE);
  pointCompleteProjective(OCTUPLE);
  fieldSubtract(E0, OCTUPLE + Y, OCTUPLE + Z);
  return fieldResidue(OCTUPLE) | fieldResidue(E0) | ((fieldResidue(OCTUPLE + Z) == 0) as u32);
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
