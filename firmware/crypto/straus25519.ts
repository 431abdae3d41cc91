/**
 * Sums of multiples of public points, for keys that were not seen before: all scalars in non-adjacent forms over one row
 * of doublings (Straus, interleaved). All public: the time taken depends on the scalars.
 *
 * A term is a point with its scalar: the point's odd multiples q, 3q, ... 15q, cached, then the scalar's digits.
 */
import { BASE_ODD_MULTIPLES } from "./base25519";
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
  pointSetIdentity,
  pointStoreEntries,
} from "./point25519";
import { NON_ADJACENT_DIGITS, scalarNonAdjacent } from "./scalar25519";

const WIDTH: i32 = 5;
const BASE_WIDTH: i32 = 6;
const MULTIPLES: i32 = 8;
const DIGITS: usize = MULTIPLES * POINT_BYTES;

/** Bytes of a term. */
export const TERM_BYTES: i32 = MULTIPLES * POINT_BYTES + ((NON_ADJACENT_DIGITS + 7) & ~7);

const BASE_DIGITS: usize = memory.data(NON_ADJACENT_DIGITS, 8);
const DOUBLE: usize = memory.data(POINT_BYTES, 8);
const SUM: usize = memory.data(POINT_BYTES, 8);
const ADDEND: usize = memory.data(AFFINE_BYTES, 8);

const BASE_MULTIPLES: i32 = 16;
/** Bytes of a table of odd multiples. */
export const ODD_MULTIPLES_BYTES: i32 = BASE_MULTIPLES * ENTRY_BYTES;
const POINTS: usize = memory.data(BASE_MULTIPLES * POINT_BYTES, 8);
const PRODUCTS: usize = memory.data(BASE_MULTIPLES * FIELD_BYTES, 8);

/** Entry i of the table is (2 i + 1) q. */
export function oddMultiplesBuild(table: usize, q: usize): void {
  pointDouble(q);
  pointComplete(SUM);
  pointCache(DOUBLE, SUM);
  memory.copy(POINTS, q, POINT_BYTES);
  for (let i: i32 = 1; i < BASE_MULTIPLES; i++) {
    pointAddCached(POINTS + (i - 1) * POINT_BYTES, DOUBLE, false);
    pointComplete(POINTS + i * POINT_BYTES);
  }
  pointStoreEntries(table, POINTS, PRODUCTS, BASE_MULTIPLES);
}

/** The point of a term. */
export function termPoint(term: usize, q: usize): void {
  pointDouble(q);
  pointComplete(DOUBLE);
  pointCache(term, q);
  for (let i: i32 = 1; i < MULTIPLES; i++) {
    pointAddCached(DOUBLE, term + (i - 1) * POINT_BYTES, false);
    pointComplete(SUM);
    pointCache(term + i * POINT_BYTES, SUM);
  }
}

/** The scalar of a term, 32 bytes. */
export function termScalar(term: usize, scalar: usize): void {
  scalarNonAdjacent(term + DIGITS, scalar, WIDTH);
}

/** p = the sum of `count` terms side by side, and [s] B. */
export function strausSum(p: usize, terms: usize, count: i32, s: usize): void {
  scalarNonAdjacent(BASE_DIGITS, s, BASE_WIDTH);
  const end: usize = terms + count * TERM_BYTES;
  pointSetIdentity(p);
  for (let i: i32 = NON_ADJACENT_DIGITS - 1; i >= 0; i--) {
    pointDouble(p);
    for (let term: usize = terms; term < end; term += TERM_BYTES) {
      const digit: i32 = load<i8>(term + DIGITS + i);
      if (digit == 0) continue;
      pointComplete(p);
      pointAddCached(p, term + (abs(digit) >> 1) * POINT_BYTES, digit < 0);
    }
    const baseDigit: i32 = load<i8>(BASE_DIGITS + i);
    if (baseDigit != 0) {
      pointComplete(p);
      pointLoadEntry(ADDEND, BASE_ODD_MULTIPLES + (abs(baseDigit) >> 1) * ENTRY_BYTES);
      pointAddAffine(p, ADDEND, baseDigit < 0);
    }
    pointCompleteProjective(p);
  }
  pointComplete(p);
}
