/**
 * Arithmetic modulo p = 2^255 - 19 (RFC 8032 section 5.1), in constant time.
 *
 * An element is ten signed limbs of 32 bits, of 26 and 25 bits in turn (radix 2^25.5: Bernstein, "Curve25519", 2006):
 * the product of two limbs and all sums of such products fit the 64 bits that WebAssembly can multiply.
 *
 *     limb    0    1    2    3    4    5    6    7    8    9
 *     bit     0   26   51   77  102  128  153  179  204  230
 *
 * Multiplication leaves limbs within 1.01 * 2^25 and 1.01 * 2^24: call that weight 1. Decoding leaves weight 2 (limbs
 * of 26 and 25 bits, none negative). Addition and subtraction do not carry: weights add up. Multiplication takes any two
 * elements of weight 4 (its sums stay below 2^61 + 2^60) and encoding one of weight 8.
 */
import { wipe } from "./wipe";

/** Bytes of an element in memory. Encoded it has 32. */
export const FIELD_BYTES: i32 = 40;

/** Square root of -1: 2^((p-1)/4). */
export const FIELD_SQRT_MINUS_ONE: usize = memory.data<i32>([
  34513072, 25610706, 9377949, 3500415, 12389472, 33281959, 41962654, 31548777, 326685, 11406482,
]);

const TEMPORARIES: usize = memory.data(4 * FIELD_BYTES, 8);
const T0: usize = TEMPORARIES;
const T1: usize = TEMPORARIES + FIELD_BYTES;
const T2: usize = TEMPORARIES + 2 * FIELD_BYTES;
const T3: usize = TEMPORARIES + 3 * FIELD_BYTES;

/** Wipes what inversion and comparison leave behind. */
export function fieldWipe(): void {
  wipe(TEMPORARIES, 4 * FIELD_BYTES);
}

export function fieldCopy(out: usize, f: usize): void {
  memory.copy(out, f, FIELD_BYTES);
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
  store<i32>(out, load<i32>(f, 36) + load<i32>(g, 36), 36);
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
  store<i32>(out, load<i32>(f, 36) - load<i32>(g, 36), 36);
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
 * Schoolbook product: limb i times limb j belongs to limb i + j, doubled where both are odd (their bits add up to one
 * more than the place has), and times 19 where i + j passes 9, since 2^255 = 19. `d` doubled, `w` wrapped (times 19).
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
  const f9: i64 = load<i32>(f, 36);
  const g0: i64 = load<i32>(g);
  const g1: i64 = load<i32>(g, 4);
  const g2: i64 = load<i32>(g, 8);
  const g3: i64 = load<i32>(g, 12);
  const g4: i64 = load<i32>(g, 16);
  const g5: i64 = load<i32>(g, 20);
  const g6: i64 = load<i32>(g, 24);
  const g7: i64 = load<i32>(g, 28);
  const g8: i64 = load<i32>(g, 32);
  const g9: i64 = load<i32>(g, 36);
  const f1d: i64 = f1 * 2;
  const f3d: i64 = f3 * 2;
  const f5d: i64 = f5 * 2;
  const f7d: i64 = f7 * 2;
  const f9d: i64 = f9 * 2;
  const g1w: i64 = g1 * 19;
  const g2w: i64 = g2 * 19;
  const g3w: i64 = g3 * 19;
  const g4w: i64 = g4 * 19;
  const g5w: i64 = g5 * 19;
  const g6w: i64 = g6 * 19;
  const g7w: i64 = g7 * 19;
  const g8w: i64 = g8 * 19;
  const g9w: i64 = g9 * 19;
  let h0: i64 =
    f0 * g0 + f1d * g9w + f2 * g8w + f3d * g7w + f4 * g6w + f5d * g5w + f6 * g4w + f7d * g3w + f8 * g2w + f9d * g1w;
  let h1: i64 =
    f0 * g1 + f1 * g0 + f2 * g9w + f3 * g8w + f4 * g7w + f5 * g6w + f6 * g5w + f7 * g4w + f8 * g3w + f9 * g2w;
  let h2: i64 =
    f0 * g2 + f1d * g1 + f2 * g0 + f3d * g9w + f4 * g8w + f5d * g7w + f6 * g6w + f7d * g5w + f8 * g4w + f9d * g3w;
  let h3: i64 = f0 * g3 + f1 * g2 + f2 * g1 + f3 * g0 + f4 * g9w + f5 * g8w + f6 * g7w + f7 * g6w + f8 * g5w + f9 * g4w;
  let h4: i64 =
    f0 * g4 + f1d * g3 + f2 * g2 + f3d * g1 + f4 * g0 + f5d * g9w + f6 * g8w + f7d * g7w + f8 * g6w + f9d * g5w;
  let h5: i64 = f0 * g5 + f1 * g4 + f2 * g3 + f3 * g2 + f4 * g1 + f5 * g0 + f6 * g9w + f7 * g8w + f8 * g7w + f9 * g6w;
  let h6: i64 =
    f0 * g6 + f1d * g5 + f2 * g4 + f3d * g3 + f4 * g2 + f5d * g1 + f6 * g0 + f7d * g9w + f8 * g8w + f9d * g7w;
  let h7: i64 = f0 * g7 + f1 * g6 + f2 * g5 + f3 * g4 + f4 * g3 + f5 * g2 + f6 * g1 + f7 * g0 + f8 * g9w + f9 * g8w;
  let h8: i64 = f0 * g8 + f1d * g7 + f2 * g6 + f3d * g5 + f4 * g4 + f5d * g3 + f6 * g2 + f7d * g1 + f8 * g0 + f9d * g9w;
  let h9: i64 = f0 * g9 + f1 * g8 + f2 * g7 + f3 * g6 + f4 * g5 + f5 * g4 + f6 * g3 + f7 * g2 + f8 * g1 + f9 * g0;
  let c: i64 = (h0 + (1 << 25)) >> 26;
  h1 += c;
  h0 -= c << 26;
  c = (h4 + (1 << 25)) >> 26;
  h5 += c;
  h4 -= c << 26;
  c = (h1 + (1 << 24)) >> 25;
  h2 += c;
  h1 -= c << 25;
  c = (h5 + (1 << 24)) >> 25;
  h6 += c;
  h5 -= c << 25;
  c = (h2 + (1 << 25)) >> 26;
  h3 += c;
  h2 -= c << 26;
  c = (h6 + (1 << 25)) >> 26;
  h7 += c;
  h6 -= c << 26;
  c = (h3 + (1 << 24)) >> 25;
  h4 += c;
  h3 -= c << 25;
  c = (h7 + (1 << 24)) >> 25;
  h8 += c;
  h7 -= c << 25;
  c = (h4 + (1 << 25)) >> 26;
  h5 += c;
  h4 -= c << 26;
  c = (h8 + (1 << 25)) >> 26;
  h9 += c;
  h8 -= c << 26;
  c = (h9 + (1 << 24)) >> 25;
  h0 += c * 19;
  h9 -= c << 25;
  c = (h0 + (1 << 25)) >> 26;
  h1 += c;
  h0 -= c << 26;
  store<i32>(out, h0 as i32);
  store<i32>(out, h1 as i32, 4);
  store<i32>(out, h2 as i32, 8);
  store<i32>(out, h3 as i32, 12);
  store<i32>(out, h4 as i32, 16);
  store<i32>(out, h5 as i32, 20);
  store<i32>(out, h6 as i32, 24);
  store<i32>(out, h7 as i32, 28);
  store<i32>(out, h8 as i32, 32);
  store<i32>(out, h9 as i32, 36);
}

/** As `fieldMultiply`, each mixed product taken once, doubled. `v` is wrapped and doubled (times 38). */
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
  const f9: i64 = load<i32>(f, 36);
  const f0d: i64 = f0 * 2;
  const f1d: i64 = f1 * 2;
  const f2d: i64 = f2 * 2;
  const f3d: i64 = f3 * 2;
  const f4d: i64 = f4 * 2;
  const f5d: i64 = f5 * 2;
  const f5v: i64 = f5 * 38;
  const f6d: i64 = f6 * 2;
  const f6w: i64 = f6 * 19;
  const f7d: i64 = f7 * 2;
  const f7v: i64 = f7 * 38;
  const f7w: i64 = f7 * 19;
  const f8d: i64 = f8 * 2;
  const f8w: i64 = f8 * 19;
  const f9v: i64 = f9 * 38;
  const f9w: i64 = f9 * 19;
  let h0: i64 = f0 * f0 + f1d * f9v + f2d * f8w + f3d * f7v + f4d * f6w + f5 * f5v;
  let h1: i64 = f0d * f1 + f2d * f9w + f3d * f8w + f4d * f7w + f5d * f6w;
  let h2: i64 = f0d * f2 + f1 * f1d + f3d * f9v + f4d * f8w + f5d * f7v + f6 * f6w;
  let h3: i64 = f0d * f3 + f1d * f2 + f4d * f9w + f5d * f8w + f6d * f7w;
  let h4: i64 = f0d * f4 + f1d * f3d + f2 * f2 + f5d * f9v + f6d * f8w + f7 * f7v;
  let h5: i64 = f0d * f5 + f1d * f4 + f2d * f3 + f6d * f9w + f7d * f8w;
  let h6: i64 = f0d * f6 + f1d * f5d + f2d * f4 + f3 * f3d + f7d * f9v + f8 * f8w;
  let h7: i64 = f0d * f7 + f1d * f6 + f2d * f5 + f3d * f4 + f8d * f9w;
  let h8: i64 = f0d * f8 + f1d * f7d + f2d * f6 + f3d * f5d + f4 * f4 + f9 * f9v;
  let h9: i64 = f0d * f9 + f1d * f8 + f2d * f7 + f3d * f6 + f4d * f5;
  let c: i64 = (h0 + (1 << 25)) >> 26;
  h1 += c;
  h0 -= c << 26;
  c = (h4 + (1 << 25)) >> 26;
  h5 += c;
  h4 -= c << 26;
  c = (h1 + (1 << 24)) >> 25;
  h2 += c;
  h1 -= c << 25;
  c = (h5 + (1 << 24)) >> 25;
  h6 += c;
  h5 -= c << 25;
  c = (h2 + (1 << 25)) >> 26;
  h3 += c;
  h2 -= c << 26;
  c = (h6 + (1 << 25)) >> 26;
  h7 += c;
  h6 -= c << 26;
  c = (h3 + (1 << 24)) >> 25;
  h4 += c;
  h3 -= c << 25;
  c = (h7 + (1 << 24)) >> 25;
  h8 += c;
  h7 -= c << 25;
  c = (h4 + (1 << 25)) >> 26;
  h5 += c;
  h4 -= c << 26;
  c = (h8 + (1 << 25)) >> 26;
  h9 += c;
  h8 -= c << 26;
  c = (h9 + (1 << 24)) >> 25;
  h0 += c * 19;
  h9 -= c << 25;
  c = (h0 + (1 << 25)) >> 26;
  h1 += c;
  h0 -= c << 26;
  store<i32>(out, h0 as i32);
  store<i32>(out, h1 as i32, 4);
  store<i32>(out, h2 as i32, 8);
  store<i32>(out, h3 as i32, 12);
  store<i32>(out, h4 as i32, 16);
  store<i32>(out, h5 as i32, 20);
  store<i32>(out, h6 as i32, 24);
  store<i32>(out, h7 as i32, 28);
  store<i32>(out, h8 as i32, 32);
  store<i32>(out, h9 as i32, 36);
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
  store<i32>(out, ((load<u64>(bytes) >> 0) & 0x3ffffff) as i32);
  store<i32>(out, ((load<u64>(bytes, 3) >> 2) & 0x1ffffff) as i32, 4);
  store<i32>(out, ((load<u64>(bytes, 6) >> 3) & 0x3ffffff) as i32, 8);
  store<i32>(out, ((load<u64>(bytes, 9) >> 5) & 0x1ffffff) as i32, 12);
  store<i32>(out, ((load<u64>(bytes, 12) >> 6) & 0x3ffffff) as i32, 16);
  store<i32>(out, ((load<u64>(bytes, 16) >> 0) & 0x1ffffff) as i32, 20);
  store<i32>(out, ((load<u64>(bytes, 19) >> 1) & 0x3ffffff) as i32, 24);
  store<i32>(out, ((load<u64>(bytes, 22) >> 3) & 0x1ffffff) as i32, 28);
  store<i32>(out, ((load<u64>(bytes, 24) >> 12) & 0x3ffffff) as i32, 32);
  store<i32>(out, ((load<u64>(bytes, 24) >> 38) & 0x1ffffff) as i32, 36);
}

/** Writes the one encoding below p. */
export function fieldEncode(out: usize, f: usize): void {
  let h0: i64 = load<i32>(f);
  let h1: i64 = load<i32>(f, 4);
  let h2: i64 = load<i32>(f, 8);
  let h3: i64 = load<i32>(f, 12);
  let h4: i64 = load<i32>(f, 16);
  let h5: i64 = load<i32>(f, 20);
  let h6: i64 = load<i32>(f, 24);
  let h7: i64 = load<i32>(f, 28);
  let h8: i64 = load<i32>(f, 32);
  let h9: i64 = load<i32>(f, 36);
  // q = floor(f / p) = floor((f + 19 * 2^-25 * limb 9 + 1/2) / 2^255): what this leaves out, 19^2 * 2^-255 * q and
  // 19 * 2^-255 * (f - 2^230 * limb 9), is far below the 1/4 that each may be.
  let q: i64 = (h9 * 19 + (1 << 24)) >> 25;
  q = (h0 + q) >> 26;
  q = (h1 + q) >> 25;
  q = (h2 + q) >> 26;
  q = (h3 + q) >> 25;
  q = (h4 + q) >> 26;
  q = (h5 + q) >> 25;
  q = (h6 + q) >> 26;
  q = (h7 + q) >> 25;
  q = (h8 + q) >> 26;
  q = (h9 + q) >> 25;
  h0 += q * 19;
  h1 += h0 >> 26;
  h0 &= 0x3ffffff;
  h2 += h1 >> 25;
  h1 &= 0x1ffffff;
  h3 += h2 >> 26;
  h2 &= 0x3ffffff;
  h4 += h3 >> 25;
  h3 &= 0x1ffffff;
  h5 += h4 >> 26;
  h4 &= 0x3ffffff;
  h6 += h5 >> 25;
  h5 &= 0x1ffffff;
  h7 += h6 >> 26;
  h6 &= 0x3ffffff;
  h8 += h7 >> 25;
  h7 &= 0x1ffffff;
  h9 += h8 >> 26;
  h8 &= 0x3ffffff;
  h9 &= 0x1ffffff;
  store<u64>(out, h0 | (h1 << 26) | (h2 << 51));
  store<u64>(out, (h2 >> 13) | (h3 << 13) | (h4 << 38), 8);
  store<u64>(out, h5 | (h6 << 25) | (h7 << 51), 16);
  store<u64>(out, (h7 >> 13) | (h8 << 12) | (h9 << 38), 24);
}

const ENCODED: usize = T2;

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
