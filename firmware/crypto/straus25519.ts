/**
 * Multiplication of a public key that was not seen before: both scalars in non-adjacent forms over one row of doublings
 * (Straus, interleaved). All public: the time taken depends on the scalars.
 */
import { BASE_ODD_MULTIPLES } from "./base25519";
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
} from "./point25519";
import { NON_ADJACENT_DIGITS, scalarNonAdjacent } from "./scalar25519";

const WIDTH: i32 = 5;
const BASE_WIDTH: i32 = 6;
const MULTIPLES_COUNT: i32 = 8;

const DIGITS: usize = memory.data(NON_ADJACENT_DIGITS, 8);
const BASE_DIGITS: usize = memory.data(NON_ADJACENT_DIGITS, 8);
/** Cached points. */
const MULTIPLES: usize = memory.data(MULTIPLES_COUNT * POINT_BYTES, 8);
const DOUBLE: usize = memory.data(POINT_BYTES, 8);
const SUM: usize = memory.data(POINT_BYTES, 8);
const ADDEND: usize = memory.data(AFFINE_BYTES, 8);

/** MULTIPLES = q, 3q, ... 15q. */
function cacheOddMultiples(q: usize): void {
  pointDouble(q);
  pointComplete(DOUBLE);
  pointCache(MULTIPLES, q);
  for (let i: i32 = 1; i < MULTIPLES_COUNT; i++) {
    pointAddCached(DOUBLE, MULTIPLES + (i - 1) * POINT_BYTES, false);
    pointComplete(SUM);
    pointCache(MULTIPLES + i * POINT_BYTES, SUM);
  }
}

/** p = [k] q + [s] B. */
export function strausMultiplyAdd(p: usize, k: usize, q: usize, s: usize): void {
  scalarNonAdjacent(DIGITS, k, WIDTH);
  scalarNonAdjacent(BASE_DIGITS, s, BASE_WIDTH);
  cacheOddMultiples(q);
  pointSetIdentity(p);
  for (let i: i32 = NON_ADJACENT_DIGITS - 1; i >= 0; i--) {
    pointDouble(p);
    const digit: i32 = load<i8>(DIGITS + i);
    if (digit != 0) {
      pointComplete(p);
      pointAddCached(p, MULTIPLES + (abs(digit) >> 1) * POINT_BYTES, digit < 0);
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
