/**
 * Arithmetic modulo L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032 section 5.1), in constant time but
 * for `scalarNonAdjacent`, which is for public scalars.
 *
 * A number under way is 24 signed limbs of 21 bits (radix 2^21, after the reference implementation of Bernstein and
 * others), so that a limb times a limb of L leaves room to add many of them up. A finished one is 32 little-endian bytes.
 */
import { wipe } from "./wipe";

/** Bytes of a scalar. */
export const SCALAR_BYTES: i32 = 32;

const LIMB_BITS: i32 = 21;
const LIMB_MASK: i64 = 0x1fffff;

const PRODUCT: usize = memory.data(24 * 8, 8);
const LEFT: usize = memory.data(12 * 8, 8);
const RIGHT: usize = memory.data(12 * 8, 8);

/** L, four words. */
const ORDER: usize = memory.data<u32>([
  0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0x00000000, 0x00000000, 0x00000000, 0x10000000,
]);

/** 2^252 = -(L - 2^252): six limbs, with signs, that stand for a limb twelve places up. */
const FOLD: usize = memory.data<i64>([666643, 470296, 654183, -997805, 136657, -683901]);

/** (2^256 - 1) mod L, added when a scalar is recoded into 256 signed bits. */
const ALL_ONES: usize = memory.data<u32>([
  0x8d98951c, 0xd6ec3174, 0x737dcf70, 0xc6ef5bf4, 0xfffffffe, 0xffffffff, 0xffffffff, 0x0fffffff,
]);

/** Wipes what the operations leave behind. */
export function scalarWipe(): void {
  wipe(PRODUCT, 24 * 8);
  wipe(LEFT, 12 * 8);
  wipe(RIGHT, 12 * 8);
}

function limb(at: usize, i: i32): usize {
  return at + (i << 3);
}

/** Splits 32 bytes into twelve limbs; the last takes the 25 bits that are left. */
function split(out: usize, bytes: usize): void {
  for (let i: i32 = 0; i < 11; i++) {
    const bit: i32 = i * LIMB_BITS;
    store<i64>(limb(out, i), ((load<u32>(bytes + (bit >> 3)) as i64) >> (bit & 7)) & LIMB_MASK);
  }
  store<i64>(limb(out, 11), (load<u32>(bytes, 28) >> 7) as i64);
}

/** Puts limb `i` down where 2^252 says, twelve places lower. */
function fold(i: i32): void {
  const value: i64 = load<i64>(limb(PRODUCT, i));
  store<i64>(limb(PRODUCT, i), 0);
  for (let j: i32 = 0; j < 6; j++) {
    const at: usize = limb(PRODUCT, i - 12 + j);
    store<i64>(at, load<i64>(at) + value * load<i64>(limb(FOLD, j)));
  }
}

/** Carries every second limb of `first`..`last` into the next; `rounding` of half a limb leaves limbs of both signs. */
function carry(first: i32, last: i32, step: i32, rounding: i64): void {
  for (let i: i32 = first; i <= last; i += step) {
    const at: usize = limb(PRODUCT, i);
    const value: i64 = load<i64>(at);
    const carried: i64 = (value + rounding) >> LIMB_BITS;
    store<i64>(at, load<i64>(at, 8) + carried, 8);
    store<i64>(at, value - (carried << LIMB_BITS));
  }
}

const HALF: i64 = 1 << 20;

/** PRODUCT modulo L into 32 bytes: fold from the top, carrying before a fold could pass 64 bits. */
function reduce(out: usize): void {
  for (let i: i32 = 23; i >= 18; i--) fold(i);
  carry(6, 16, 2, HALF);
  carry(7, 15, 2, HALF);
  for (let i: i32 = 17; i >= 12; i--) fold(i);
  carry(0, 10, 2, HALF);
  carry(1, 11, 2, HALF);
  fold(12);
  carry(0, 11, 1, 0);
  fold(12);
  carry(0, 10, 1, 0);

  // Twelve limbs of 21 bits, the last of 22, into eight words.
  let held: u64 = 0;
  let bits: i32 = 0;
  for (let i: i32 = 0; i < 12; i++) {
    held |= (load<i64>(limb(PRODUCT, i)) as u64) << bits;
    bits += LIMB_BITS;
    if (bits < 32) continue;
    store<u32>(out, held as u32);
    out += 4;
    held >>= 32;
    bits -= 32;
  }
  store<u32>(out, held as u32);
}

/** 64 little-endian bytes modulo L into 32. */
export function scalarReduce(out: usize, wide: usize): void {
  for (let i: i32 = 0; i < 23; i++) {
    const bit: i32 = i * LIMB_BITS;
    const word: i32 = bit >> 5;
    store<i64>(limb(PRODUCT, i), ((load<u64>(wide + (word << 2)) >> (bit - (word << 5))) as i64) & LIMB_MASK);
  }
  store<i64>(limb(PRODUCT, 23), (load<u32>(wide, 60) >> 3) as i64);
  reduce(out);
}

/** a * b + c modulo L; each is any 32 bytes. */
export function scalarMultiplyAdd(out: usize, a: usize, b: usize, c: usize): void {
  split(LEFT, a);
  split(RIGHT, b);
  split(PRODUCT, c);
  memory.fill(limb(PRODUCT, 12), 0, 12 * 8);
  for (let i: i32 = 0; i < 12; i++) {
    const left: i64 = load<i64>(limb(LEFT, i));
    for (let j: i32 = 0; j < 12; j++) {
      const at: usize = limb(PRODUCT, i + j);
      store<i64>(at, load<i64>(at) + left * load<i64>(limb(RIGHT, j)));
    }
  }
  carry(0, 22, 2, HALF);
  carry(1, 21, 2, HALF);
  reduce(out);
}

/** 0 if the 32 bytes are below L, else 1: the check of RFC 8032 section 5.1.7 on S. */
export function scalarExcess(bytes: usize): u32 {
  let borrow: i64 = 0;
  for (let i: i32 = 0; i < 32; i += 4) {
    borrow = ((load<u32>(bytes + i) as i64) - (load<u32>(ORDER + i) as i64) + borrow) >> 32;
  }
  return (borrow + 1) as u32;
}

/**
 * Writes 32 bytes K so that the scalar is the sum over all 256 bits of (bit of K ? 1 : -1) * 2^i, modulo L: no digit is
 * zero, so a multiplication by table never has to leave one out. That sum is 2K - (2^256 - 1), so K is half of the
 * scalar + (2^256 - 1) mod L, made even by adding L if need be. The scalar is below 2^255, so nothing overflows.
 */
export function scalarSignedBits(out: usize, scalar: usize): void {
  const odd: u32 = 0 - ((load<u32>(scalar) + load<u32>(ALL_ONES)) & 1);
  let sum: u64 = 0;
  let low: u32 = 0;
  for (let i: i32 = 0; i < 32; i += 4) {
    sum += (load<u32>(scalar + i) as u64) + (load<u32>(ALL_ONES + i) as u64) + ((load<u32>(ORDER + i) & odd) as u64);
    const word: u32 = sum as u32;
    if (i > 0) store<u32>(out + i - 4, low | (word << 31));
    low = word >> 1;
    sum >>= 32;
  }
  store<u32>(out, low, 28);
}

/** Digits that `scalarNonAdjacent` writes: one for each bit, and one that a carry may reach. */
export const NON_ADJACENT_DIGITS: i32 = 257;

/**
 * Width-`width` non-adjacent form of a public scalar, one signed byte for each bit: digits are 0 or odd and below
 * 2^(width-1), and of any `width` neighbors at most one is not 0. Takes a time that depends on the scalar.
 */
export function scalarNonAdjacent(out: usize, scalar: usize, width: i32): void {
  memory.fill(out, 0, NON_ADJACENT_DIGITS);
  let carried: i32 = 0;
  let i: i32 = 0;
  while (i < 256) {
    const bit: i32 = (load<u8>(scalar + (i >> 3)) >> (i & 7)) & 1;
    if (bit == carried) {
      i++;
      continue;
    }
    let value: i32 = carried;
    for (let j: i32 = 0; j < width && i + j < 256; j++) {
      value += ((load<u8>(scalar + ((i + j) >> 3)) >> ((i + j) & 7)) & 1) << j;
    }
    carried = value >> (width - 1);
    store<i8>(out + i, value - (carried << width));
    i += width;
  }
  store<i8>(out + 256, carried);
}
