/**
 * Multiplication by combs: of the base point by a secret, in constant time, and of a public key by a public scalar.
 *
 * Four combs of four teeth, 16 bits apart, cover the 256 signed bits of a scalar: 16 columns, a doubling between two
 * columns, an addition from each comb in a column. Entry i of comb j is
 *
 *     2^(64 j) * (2^48 + s2 2^32 + s1 2^16 + s0) P,   s0, s1, s2 = +1 where the bit of i is set, else -1
 *
 * that is all sums of four signed teeth whose highest is +1; the others are their negatives (signed comb: Hamburg, "Fast
 * and compact elliptic-curve cryptography", 2012, section 3.3).
 */
import { BASE_COMB } from "./base25519";
import { FIELD_BYTES } from "./field25519";
import {
  AFFINE_BYTES,
  ENTRY_BYTES,
  POINT_BYTES,
  pointAddAffine,
  pointAddCached,
  pointCache,
  pointComplete,
  pointCompleteProjective,
  pointDouble,
  pointLoadEntry,
  pointLoadEntryNegateIf,
  pointNegate,
  pointSetIdentity,
  pointStoreEntries,
  pointWipe,
} from "./point25519";
import { SCALAR_BYTES, scalarSignedBits, scalarWipe } from "./scalar25519";
import { wipe } from "./wipe";

const SPACING: i32 = 16;
const COMBS: i32 = 4;
const TEETH: i32 = 4;
const COMB_BITS: i32 = SPACING * TEETH;
const ENTRIES: i32 = 8;
const COMB_BYTES: i32 = ENTRIES * ENTRY_BYTES;

/** Bytes of the four combs of a point. */
export const COMB_TABLE_BYTES: i32 = COMBS * COMB_BYTES;

const SIGNED_BITS: usize = memory.data(SCALAR_BYTES, 8);
const ENTRY: usize = memory.data(ENTRY_BYTES, 8);
const ADDEND: usize = memory.data(AFFINE_BYTES, 8);

/** Wipes what multiplication by a secret leaves behind, here and below. */
export function combWipe(): void {
  wipe(SIGNED_BITS, SCALAR_BYTES);
  wipe(ENTRY, ENTRY_BYTES);
  wipe(ADDEND, AFFINE_BYTES);
  pointWipe();
  scalarWipe();
}

/** Four of the signed bits, 16 apart: the teeth of the comb that begins at bit `first`. */
function teeth(bits: usize, first: i32): i32 {
  const at: usize = bits + (first >> 3);
  const shift: i32 = first & 7;
  return (
    ((load<u8>(at) >> shift) & 1) |
    (((load<u8>(at, 2) >> shift) & 1) << 1) |
    (((load<u8>(at, 4) >> shift) & 1) << 2) |
    (((load<u8>(at, 6) >> shift) & 1) << 3)
  );
}

/** -1 if both are the same, else 0; each below 2^31. */
function sameMask(a: i32, b: i32): i64 {
  return (((a ^ b) - 1) >> 31) as i64;
}

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
  for (let i: i32 = 0; i < ENTRY_BYTES; i += 8) {
    const at: usize = comb + i;
    const low: i64 =
      (load<i64>(at) & m0) | (load<i64>(at, 96) & m1) | (load<i64>(at, 192) & m2) | (load<i64>(at, 288) & m3);
    const high: i64 =
      (load<i64>(at, 384) & m4) | (load<i64>(at, 480) & m5) | (load<i64>(at, 576) & m6) | (load<i64>(at, 672) & m7);
    store<i64>(ENTRY + i, low | high);
  }
}

/** p = [scalar] B for a secret scalar below 2^255, in constant time. */
export function combMultiplyBase(p: usize, scalar: usize): void {
  scalarSignedBits(SIGNED_BITS, scalar);
  pointSetIdentity(p);
  for (let column: i32 = SPACING - 1; column >= 0; column--) {
    pointDouble(p);
    pointComplete(p);
    for (let j: i32 = 0; j < COMBS; j++) {
      const bits: i32 = teeth(SIGNED_BITS, j * COMB_BITS + column);
      // The highest tooth is the sign of the entry: if it is -1, all four are turned over.
      const negative: i32 = (bits >> 3) - 1;
      select(BASE_COMB + j * COMB_BYTES, (bits ^ negative) & 7);
      pointLoadEntryNegateIf(ADDEND, ENTRY, negative);
      pointAddAffine(p, ADDEND, false);
      pointComplete(p);
    }
  }
}

const SIGNED_BITS_OF_KEY: usize = memory.data(SCALAR_BYTES, 8);

/** p = p + the column's multiple of the point whose combs stand at `table`; the scalar is public. */
function addColumn(p: usize, table: usize, bits: usize, column: i32): void {
  for (let j: i32 = 0; j < COMBS; j++) {
    const digit: i32 = teeth(bits, j * COMB_BITS + column);
    const negative: bool = digit < ENTRIES;
    const index: i32 = (negative ? ~digit : digit) & (ENTRIES - 1);
    pointLoadEntry(ADDEND, table + j * COMB_BYTES + index * ENTRY_BYTES);
    pointAddAffine(p, ADDEND, negative);
    pointComplete(p);
  }
}

/** p = [k] q + [s] B, all public, for a q whose combs stand at `table`; k and s are below 2^255. */
export function combMultiplyAddPublic(p: usize, k: usize, table: usize, s: usize): void {
  scalarSignedBits(SIGNED_BITS_OF_KEY, k);
  scalarSignedBits(SIGNED_BITS, s);
  pointSetIdentity(p);
  for (let column: i32 = SPACING - 1; column >= 0; column--) {
    pointDouble(p);
    pointComplete(p);
    addColumn(p, table, SIGNED_BITS_OF_KEY, column);
    addColumn(p, BASE_COMB, SIGNED_BITS, column);
  }
}

const TOOTH: usize = memory.data(POINT_BYTES, 8);
const CACHED_TOOTH: usize = memory.data(POINT_BYTES, 8);
const SUMS: usize = memory.data(ENTRIES * POINT_BYTES, 8);
const PRODUCTS: usize = memory.data(ENTRIES * FIELD_BYTES, 8);

/** The four combs of a public point, `COMB_TABLE_BYTES` at `table`. */
export function combBuild(table: usize, q: usize): void {
  memory.copy(TOOTH, q, POINT_BYTES);
  for (let j: i32 = 0; j < COMBS; j++) {
    if (j > 0) nextTooth();
    buildSums();
    pointStoreEntries(table + j * COMB_BYTES, SUMS, PRODUCTS, ENTRIES);
  }
}

/** SUMS = the entries of the comb whose lowest tooth is TOOTH. TOOTH is its highest in the end. */
function buildSums(): void {
  memory.copy(SUMS, TOOTH, POINT_BYTES);
  pointNegate(SUMS);
  memory.copy(SUMS + POINT_BYTES, TOOTH, POINT_BYTES);
  for (let count: i32 = 2; count < ENTRIES; count *= 2) {
    nextTooth();
    for (let i: i32 = 0; i < count; i++) {
      addTooth(SUMS + (count + i) * POINT_BYTES, SUMS + i * POINT_BYTES, false);
      addTooth(SUMS + i * POINT_BYTES, SUMS + i * POINT_BYTES, true);
    }
  }
  nextTooth();
  for (let i: i32 = 0; i < ENTRIES; i++) addTooth(SUMS + i * POINT_BYTES, SUMS + i * POINT_BYTES, false);
}

/** out = p + TOOTH, or p - TOOTH. */
function addTooth(out: usize, p: usize, negative: bool): void {
  pointAddCached(p, CACHED_TOOTH, negative);
  pointComplete(out);
}

/** TOOTH = 2^16 TOOTH, also cached. */
function nextTooth(): void {
  for (let i: i32 = 0; i < SPACING; i++) {
    pointDouble(TOOTH);
    if (i < SPACING - 1) pointCompleteProjective(TOOTH);
    else pointComplete(TOOTH);
  }
  pointCache(CACHED_TOOTH, TOOTH);
}
