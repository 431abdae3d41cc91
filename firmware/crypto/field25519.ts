/**
 * Arithmetic modulo p = 2^255 - 19 (RFC 8032 section 5.1), in constant time.
 *
 * An element is nine signed limbs of 29 bits in words of 32 (radix 2^29): limb i counts 2^(29 i), and 2^261 = 64 * 19.
 * That is the fewest limbs whose products, and all sums of such products, fit the 64 bits that WebAssembly multiplies.
 *
 * Multiplication leaves limbs within 1.001 * 2^28: call that weight 1. Decoding leaves weight 2 (limbs of 29 bits, none
 * negative). Addition and subtraction do not carry: weights add up. Multiplication takes elements whose weights have a
 * product of at most 14 (nine products of two limbs stay below 14.03 * 9 * 2^56 < 2^63), and encoding one of weight 7.
 */
import { wipe } from "./wipe";

/** Bytes of an element in memory. */
export const FIELD_BYTES: i32 = 36;
/** Bytes of its encoding, little-endian. */
export const FIELD_ENCODED_BYTES: i32 = 32;

const LIMB_BITS: i64 = 29;
const LIMB_MASK: i64 = (1 << 29) - 1;
/** Added before a carry, so that it rounds and leaves limbs of both signs. */
const HALF: i64 = 1 << 28;
const TWO_32: i64 = 1 << 32;
/** Bits of the ninth limb below 2^255. */
const TOP_BITS: i64 = 23;
const TOP_MASK: i64 = (1 << 23) - 1;
/** 2^261: what a limb nine places up is worth. */
const WRAP: i64 = 64 * 19;

/** Square root of -1: 2^((p-1)/4). */
export const FIELD_SQRT_MINUS_ONE: usize = memory.data<i32>([
  168730800, 124836154, 200875569, 103812442, 494564084, 5021437, 472689972, 269088827, 2851620,
]);

const TEMPORARIES: usize = memory.data(4 * FIELD_BYTES, 8);
const T0: usize = TEMPORARIES;
const T1: usize = TEMPORARIES + FIELD_BYTES;
const T2: usize = TEMPORARIES + 2 * FIELD_BYTES;
const T3: usize = TEMPORARIES + 3 * FIELD_BYTES;
const ENCODED: usize = memory.data(FIELD_ENCODED_BYTES, 8);

/** Wipes what inversion and comparison leave behind. */
export function fieldWipe(): void {
  wipe(TEMPORARIES, 4 * FIELD_BYTES);
  wipe(ENCODED, FIELD_ENCODED_BYTES);
}

export function fieldCopy(out: usize, f: usize): void {
  for (let i: i32 = 0; i < FIELD_BYTES; i += 4) store<i32>(out + i, load<i32>(f + i));
}

/** Sets a small constant. */
export function fieldSet(out: usize, value: i32): void {
  memory.fill(out, 0, FIELD_BYTES);
  store<i32>(out, value);
}

export function fieldAdd(out: usize, f: usize, g: usize): void {
  store<i32>(out, load<i32>(f) + load<i32>(g));
  store<i32>(out, load<i32>(f, 4) + load<i32>(g, 4), 4);
  store<i32>(out, load<i32>(f, 8) + load<i32>(g, 8), 8);
  store<i32>(out, load<i32>(f, 12) + load<i32>(g, 12), 12);
  store<i32>(out, load<i32>(f, 16) + load<i32>(g, 16), 16);
  store<i32>(out, load<i32>(f, 20) + load<i32>(g, 20), 20);
  store<i32>(out, load<i32>(f, 24) + load<i32>(g, 24), 24);
  store<i32>(out, load<i32>(f, 28) + load<i32>(g, 28), 28);
  store<i32>(out, load<i32>(f, 32) + load<i32>(g, 32), 32);
}

export function fieldSubtract(out: usize, f: usize, g: usize): void {
  store<i32>(out, load<i32>(f) - load<i32>(g));
  store<i32>(out, load<i32>(f, 4) - load<i32>(g, 4), 4);
  store<i32>(out, load<i32>(f, 8) - load<i32>(g, 8), 8);
  store<i32>(out, load<i32>(f, 12) - load<i32>(g, 12), 12);
  store<i32>(out, load<i32>(f, 16) - load<i32>(g, 16), 16);
  store<i32>(out, load<i32>(f, 20) - load<i32>(g, 20), 20);
  store<i32>(out, load<i32>(f, 24) - load<i32>(g, 24), 24);
  store<i32>(out, load<i32>(f, 28) - load<i32>(g, 28), 28);
  store<i32>(out, load<i32>(f, 32) - load<i32>(g, 32), 32);
}

/** `out` = -f where `mask` is -1, f where it is 0. */
export function fieldNegateIf(out: usize, f: usize, mask: i32): void {
  for (let i: i32 = 0; i < FIELD_BYTES; i += 4) store<i32>(out + i, (load<i32>(f + i) ^ mask) - mask);
}

/** `out` = f where `mask` is -1, unchanged where it is 0. */
export function fieldMoveIf(out: usize, f: usize, mask: i32): void {
  for (let i: i32 = 0; i < FIELD_BYTES; i += 4) {
    const old: i32 = load<i32>(out + i);
    store<i32>(out + i, old ^ ((old ^ load<i32>(f + i)) & mask));
  }
}

/**
 * Schoolbook product by columns: limb i times limb j belongs to column i + j. The upper columns come first; their
 * carried limbs, times 2^261, are what the lower ones begin with. `c` is the column under way with the carry into it.
 */
export function fieldMultiply(out: usize, f: usize, g: usize): void {
  const f0: i64 = load<i32>(f);
  const f1: i64 = load<i32>(f, 4);
  const f2: i64 = load<i32>(f, 8);
  const f3: i64 = load<i32>(f, 12);
  const f4: i64 = load<i32>(f, 16);
  const f5: i64 = load<i32>(f, 20);
  const f6: i64 = load<i32>(f, 24);
  const f7: i64 = load<i32>(f, 28);
  const f8: i64 = load<i32>(f, 32);
  const g0: i64 = load<i32>(g);
  const g1: i64 = load<i32>(g, 4);
  const g2: i64 = load<i32>(g, 8);
  const g3: i64 = load<i32>(g, 12);
  const g4: i64 = load<i32>(g, 16);
  const g5: i64 = load<i32>(g, 20);
  const g6: i64 = load<i32>(g, 24);
  const g7: i64 = load<i32>(g, 28);
  const g8: i64 = load<i32>(g, 32);
  const h0: i64 = f0 * g0;
  const h1: i64 = f0 * g1 + f1 * g0;
  const h2: i64 = f0 * g2 + f1 * g1 + f2 * g0;
  const h3: i64 = f0 * g3 + f1 * g2 + f2 * g1 + f3 * g0;
  const h4: i64 = f0 * g4 + f1 * g3 + f2 * g2 + f3 * g1 + f4 * g0;
  const h5: i64 = f0 * g5 + f1 * g4 + f2 * g3 + f3 * g2 + f4 * g1 + f5 * g0;
  const h6: i64 = f0 * g6 + f1 * g5 + f2 * g4 + f3 * g3 + f4 * g2 + f5 * g1 + f6 * g0;
  const h7: i64 = f0 * g7 + f1 * g6 + f2 * g5 + f3 * g4 + f4 * g3 + f5 * g2 + f6 * g1 + f7 * g0;
  const h8: i64 = f0 * g8 + f1 * g7 + f2 * g6 + f3 * g5 + f4 * g4 + f5 * g3 + f6 * g2 + f7 * g1 + f8 * g0;
  const h9: i64 = f1 * g8 + f2 * g7 + f3 * g6 + f4 * g5 + f5 * g4 + f6 * g3 + f7 * g2 + f8 * g1;
  const h10: i64 = f2 * g8 + f3 * g7 + f4 * g6 + f5 * g5 + f6 * g4 + f7 * g3 + f8 * g2;
  const h11: i64 = f3 * g8 + f4 * g7 + f5 * g6 + f6 * g5 + f7 * g4 + f8 * g3;
  const h12: i64 = f4 * g8 + f5 * g7 + f6 * g6 + f7 * g5 + f8 * g4;
  const h13: i64 = f5 * g8 + f6 * g7 + f7 * g6 + f8 * g5;
  const h14: i64 = f6 * g8 + f7 * g7 + f8 * g6;
  const h15: i64 = f7 * g8 + f8 * g7;
  const h16: i64 = f8 * g8;
  let c: i64 = h9;
  const w0: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h10;
  const w1: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h11;
  const w2: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h12;
  const w3: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h13;
  const w4: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h14;
  const w5: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h15;
  const w6: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h16;
  const w7: i64 = (c & LIMB_MASK) * WRAP;
  const w8: i64 = (c >> LIMB_BITS) * WRAP;
  c = h0 + w0 + HALF;
  let r0: i64 = (c & LIMB_MASK) - HALF;
  c = (c >> LIMB_BITS) + h1 + w1 + HALF;
  const r1: i64 = (c & LIMB_MASK) - HALF;
  c = (c >> LIMB_BITS) + h2 + w2 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 8);
  c = (c >> LIMB_BITS) + h3 + w3 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 12);
  c = (c >> LIMB_BITS) + h4 + w4 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 16);
  c = (c >> LIMB_BITS) + h5 + w5 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 20);
  c = (c >> LIMB_BITS) + h6 + w6 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 24);
  c = (c >> LIMB_BITS) + h7 + w7 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 28);
  c = (c >> LIMB_BITS) + h8 + w8 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 32);
  r0 += (c >> LIMB_BITS) * WRAP + HALF;
  store<i32>(out, ((r0 & LIMB_MASK) - HALF) as i32);
  store<i32>(out, (r1 + (r0 >> LIMB_BITS)) as i32, 4);
}

/** As `fieldMultiply`, each mixed product taken once, doubled (`d`). */
export function fieldSquare(out: usize, f: usize): void {
  const f0: i64 = load<i32>(f);
  const f1: i64 = load<i32>(f, 4);
  const f2: i64 = load<i32>(f, 8);
  const f3: i64 = load<i32>(f, 12);
  const f4: i64 = load<i32>(f, 16);
  const f5: i64 = load<i32>(f, 20);
  const f6: i64 = load<i32>(f, 24);
  const f7: i64 = load<i32>(f, 28);
  const f8: i64 = load<i32>(f, 32);
  const d0: i64 = f0 * 2;
  const d1: i64 = f1 * 2;
  const d2: i64 = f2 * 2;
  const d3: i64 = f3 * 2;
  const d4: i64 = f4 * 2;
  const d5: i64 = f5 * 2;
  const d6: i64 = f6 * 2;
  const d7: i64 = f7 * 2;
  const h0: i64 = f0 * f0;
  const h1: i64 = d0 * f1;
  const h2: i64 = d0 * f2 + f1 * f1;
  const h3: i64 = d0 * f3 + d1 * f2;
  const h4: i64 = d0 * f4 + d1 * f3 + f2 * f2;
  const h5: i64 = d0 * f5 + d1 * f4 + d2 * f3;
  const h6: i64 = d0 * f6 + d1 * f5 + d2 * f4 + f3 * f3;
  const h7: i64 = d0 * f7 + d1 * f6 + d2 * f5 + d3 * f4;
  const h8: i64 = d0 * f8 + d1 * f7 + d2 * f6 + d3 * f5 + f4 * f4;
  const h9: i64 = d1 * f8 + d2 * f7 + d3 * f6 + d4 * f5;
  const h10: i64 = d2 * f8 + d3 * f7 + d4 * f6 + f5 * f5;
  const h11: i64 = d3 * f8 + d4 * f7 + d5 * f6;
  const h12: i64 = d4 * f8 + d5 * f7 + f6 * f6;
  const h13: i64 = d5 * f8 + d6 * f7;
  const h14: i64 = d6 * f8 + f7 * f7;
  const h15: i64 = d7 * f8;
  const h16: i64 = f8 * f8;
  let c: i64 = h9;
  const w0: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h10;
  const w1: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h11;
  const w2: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h12;
  const w3: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h13;
  const w4: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h14;
  const w5: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h15;
  const w6: i64 = (c & LIMB_MASK) * WRAP;
  c = (c >> LIMB_BITS) + h16;
  const w7: i64 = (c & LIMB_MASK) * WRAP;
  const w8: i64 = (c >> LIMB_BITS) * WRAP;
  c = h0 + w0 + HALF;
  let r0: i64 = (c & LIMB_MASK) - HALF;
  c = (c >> LIMB_BITS) + h1 + w1 + HALF;
  const r1: i64 = (c & LIMB_MASK) - HALF;
  c = (c >> LIMB_BITS) + h2 + w2 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 8);
  c = (c >> LIMB_BITS) + h3 + w3 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 12);
  c = (c >> LIMB_BITS) + h4 + w4 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 16);
  c = (c >> LIMB_BITS) + h5 + w5 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 20);
  c = (c >> LIMB_BITS) + h6 + w6 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 24);
  c = (c >> LIMB_BITS) + h7 + w7 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 28);
  c = (c >> LIMB_BITS) + h8 + w8 + HALF;
  store<i32>(out, ((c & LIMB_MASK) - HALF) as i32, 32);
  r0 += (c >> LIMB_BITS) * WRAP + HALF;
  store<i32>(out, ((r0 & LIMB_MASK) - HALF) as i32);
  store<i32>(out, (r1 + (r0 >> LIMB_BITS)) as i32, 4);
}

/** f^(2^count). */
function squareTimes(out: usize, f: usize, count: i32): void {
  fieldSquare(out, f);
  while (--count > 0) fieldSquare(out, out);
}

/** T1 = f^(2^250 - 1) and T0 = f^11: what both powers below begin with. */
function powerChain(f: usize): void {
  fieldSquare(T0, f); // 2
  squareTimes(T1, T0, 2); // 8
  fieldMultiply(T1, f, T1); // 9
  fieldMultiply(T0, T0, T1); // 11
  fieldSquare(T2, T0); // 22
  fieldMultiply(T1, T1, T2); // 2^5 - 1
  squareTimes(T2, T1, 5);
  fieldMultiply(T1, T2, T1); // 2^10 - 1
  squareTimes(T2, T1, 10);
  fieldMultiply(T2, T2, T1); // 2^20 - 1
  squareTimes(T3, T2, 20);
  fieldMultiply(T2, T3, T2); // 2^40 - 1
  squareTimes(T2, T2, 10);
  fieldMultiply(T1, T2, T1); // 2^50 - 1
  squareTimes(T2, T1, 50);
  fieldMultiply(T2, T2, T1); // 2^100 - 1
  squareTimes(T3, T2, 100);
  fieldMultiply(T2, T3, T2); // 2^200 - 1
  squareTimes(T2, T2, 50);
  fieldMultiply(T1, T2, T1); // 2^250 - 1
}

/** 1/f = f^(p - 2) = f^(2^255 - 21); 0 gives 0. */
export function fieldInvert(out: usize, f: usize): void {
  powerChain(f);
  squareTimes(T1, T1, 5);
  fieldMultiply(out, T1, T0);
}

/** f^((p - 5) / 8) = f^(2^252 - 3), the power of RFC 8032 section 5.1.3. */
export function fieldPower252(out: usize, f: usize): void {
  powerChain(f);
  squareTimes(T1, T1, 2);
  fieldMultiply(out, T1, f);
}

/** Takes the low 255 bits of 32 little-endian bytes, whatever they are: a value of p or more is not refused here. */
export function fieldDecode(out: usize, bytes: usize): void {
  store<i32>(out, (load<u64>(bytes) & LIMB_MASK) as i32);
  store<i32>(out, ((load<u64>(bytes, 3) >> 5) & LIMB_MASK) as i32, 4);
  store<i32>(out, ((load<u64>(bytes, 7) >> 2) & LIMB_MASK) as i32, 8);
  store<i32>(out, ((load<u64>(bytes, 10) >> 7) & LIMB_MASK) as i32, 12);
  store<i32>(out, ((load<u64>(bytes, 14) >> 4) & LIMB_MASK) as i32, 16);
  store<i32>(out, ((load<u64>(bytes, 18) >> 1) & LIMB_MASK) as i32, 20);
  store<i32>(out, ((load<u64>(bytes, 21) >> 6) & LIMB_MASK) as i32, 24);
  store<i32>(out, ((load<u64>(bytes, 24) >> 11) & LIMB_MASK) as i32, 28);
  store<i32>(out, (load<u32>(bytes, 28) >> 8) & 0x7fffff, 32);
}

/**
 * Writes the one encoding below p. 2^9 p is added first, so that no limb is left negative; what then passes 2^255 comes
 * back as 19 times as much, and what is left is below 2p.
 */
export function fieldEncode(out: usize, f: usize): void {
  let c: i64 = (load<i32>(f) as i64) - 512 * 19;
  let h0: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 4) as i64);
  let h1: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 8) as i64);
  let h2: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 12) as i64);
  let h3: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 16) as i64);
  let h4: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 20) as i64);
  let h5: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 24) as i64);
  let h6: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 28) as i64);
  let h7: i64 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + (load<i32>(f, 32) as i64) + TWO_32;
  let h8: i64 = c & TOP_MASK;
  h0 += (c >> TOP_BITS) * 19;
  // 1 if it is p or more: then adding 19 carries into bit 255.
  c = h0 + 19;
  c = (c >> LIMB_BITS) + h1;
  c = (c >> LIMB_BITS) + h2;
  c = (c >> LIMB_BITS) + h3;
  c = (c >> LIMB_BITS) + h4;
  c = (c >> LIMB_BITS) + h5;
  c = (c >> LIMB_BITS) + h6;
  c = (c >> LIMB_BITS) + h7;
  c = (c >> LIMB_BITS) + h8;
  c = h0 + (c >> TOP_BITS) * 19;
  h0 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h1;
  h1 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h2;
  h2 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h3;
  h3 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h4;
  h4 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h5;
  h5 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h6;
  h6 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h7;
  h7 = c & LIMB_MASK;
  c = (c >> LIMB_BITS) + h8;
  h8 = c & TOP_MASK;
  store<u64>(out, h0 | (h1 << 29) | (h2 << 58));
  store<u64>(out, (h2 >> 6) | (h3 << 23) | (h4 << 52), 8);
  store<u64>(out, (h4 >> 12) | (h5 << 17) | (h6 << 46), 16);
  store<u64>(out, (h6 >> 18) | (h7 << 11) | (h8 << 40), 24);
}

/** 0 exactly when f = 0: all words of its encoding, folded into one. */
export function fieldResidue(f: usize): u32 {
  fieldEncode(ENCODED, f);
  const folded: u64 = load<u64>(ENCODED) | load<u64>(ENCODED, 8) | load<u64>(ENCODED, 16) | load<u64>(ENCODED, 24);
  return (folded as u32) | ((folded >> 32) as u32);
}

/** The sign of RFC 8032 section 5.1.2: the lowest bit of the encoding. */
export function fieldIsOdd(f: usize): i32 {
  fieldEncode(ENCODED, f);
  return load<u8>(ENCODED) & 1;
}
