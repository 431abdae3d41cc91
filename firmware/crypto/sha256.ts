// biome-ignore-all lint/correctness/noPrecisionLoss: these are u64 literals, not doubles.
/**
 * SHA-256 (FIPS 180-4): `sha256` for one piece of memory, a context for a message that comes in several.
 * No branch and no address depends on the bytes hashed, only on their number.
 */
import { wipe } from "./wipe";

/** Bytes of a digest. */
export const SHA256_BYTES: i32 = 32;
/** Bytes of a block, FIPS 180-4 section 5.2: also the block of HMAC. */
export const SHA256_BLOCK_BYTES: i32 = 64;

/** A hash under way: the chaining value, the bytes taken so far, then the block that is not full yet. */
@unmanaged
class Sha256Context {
  h0: u32;
  h1: u32;
  h2: u32;
  h3: u32;
  h4: u32;
  h5: u32;
  h6: u32;
  h7: u32;
  total: u64;
}

const BLOCK: usize = offsetof<Sha256Context>();

/** Bytes of a context; `memory.data(SHA256_CONTEXT_BYTES, 8)` makes one. */
export const SHA256_CONTEXT_BYTES: i32 = (BLOCK as i32) + SHA256_BLOCK_BYTES;

const ONE_SHOT: usize = memory.data(SHA256_CONTEXT_BYTES, 8);

// Section 5.3.3.
const H0: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

// Section 4.2.2.
const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);

/** The constants of the last sixteen rounds. */
const LAST_ROUNDS: usize = K + 192;

/**
 * Section 3.1: `len` bytes as words, most significant byte first, or words as bytes. `out` may be `from`. Two words at a
 * time: bytes change places, then pairs of bytes.
 */
function bigEndian(out: usize, from: usize, len: usize): void {
  for (let i: usize = 0; i < len; i += 8) {
    let x: u64 = load<u64>(from + i);
    x = ((x & 0x00ff00ff00ff00ff) << 8) | ((x >> 8) & 0x00ff00ff00ff00ff);
    x = ((x & 0x0000ffff0000ffff) << 16) | ((x >> 16) & 0x0000ffff0000ffff);
    store<u64>(out + i, x);
  }
}

/**
 * Section 6.2.2: one block. Sixteen rounds are written out, in which the working variables change their names and not
 * their places: T1 is made in h, d + T1 is the next e, T1 + T2 the next a. Terms that are known late are added last.
 * The functions of section 4.1.2 are written out too, as the compiler inlines none that is called more than once:
 *
 *     Ch(e, f, g) = g ^ (e & (f ^ g))
 *     Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), where b ^ c was a ^ b in the round before: x and y in turns
 *
 * Between sixteen rounds and the next, W(t) takes the place of W(t - 16). In sigma0, rotations by 7 and by 18 are one by
 * 7 of w ^ rotr(w, 11).
 */
function compress(ctx: usize, block: usize): void {
  const state = changetype<Sha256Context>(ctx);
  const words: usize = ctx + BLOCK;
  bigEndian(words, block, SHA256_BLOCK_BYTES);
  let w0: u32 = load<u32>(words);
  let w1: u32 = load<u32>(words, 4);
  let w2: u32 = load<u32>(words, 8);
  let w3: u32 = load<u32>(words, 12);
  let w4: u32 = load<u32>(words, 16);
  let w5: u32 = load<u32>(words, 20);
  let w6: u32 = load<u32>(words, 24);
  let w7: u32 = load<u32>(words, 28);
  let w8: u32 = load<u32>(words, 32);
  let w9: u32 = load<u32>(words, 36);
  let w10: u32 = load<u32>(words, 40);
  let w11: u32 = load<u32>(words, 44);
  let w12: u32 = load<u32>(words, 48);
  let w13: u32 = load<u32>(words, 52);
  let w14: u32 = load<u32>(words, 56);
  let w15: u32 = load<u32>(words, 60);
  let a: u32 = state.h0;
  let b: u32 = state.h1;
  let c: u32 = state.h2;
  let d: u32 = state.h3;
  let e: u32 = state.h4;
  let f: u32 = state.h5;
  let g: u32 = state.h6;
  let h: u32 = state.h7;
  let x: u32;
  let y: u32 = b ^ c;
  for (let k: usize = K; ; k += 64) {
    x = a ^ b;
    h = h + load<u32>(k) + w0 + (g ^ (e & (f ^ g))) + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25));
    d += h;
    h = h + (b ^ (x & y)) + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22));
    y = h ^ a;
    g = g + load<u32>(k, 4) + w1 + (f ^ (d & (e ^ f))) + (rotr(d, 6) ^ rotr(d, 11) ^ rotr(d, 25));
    c += g;
    g = g + (a ^ (y & x)) + (rotr(h, 2) ^ rotr(h, 13) ^ rotr(h, 22));
    x = g ^ h;
    f = f + load<u32>(k, 8) + w2 + (e ^ (c & (d ^ e))) + (rotr(c, 6) ^ rotr(c, 11) ^ rotr(c, 25));
    b += f;
    f = f + (h ^ (x & y)) + (rotr(g, 2) ^ rotr(g, 13) ^ rotr(g, 22));
    y = f ^ g;
    e = e + load<u32>(k, 12) + w3 + (d ^ (b & (c ^ d))) + (rotr(b, 6) ^ rotr(b, 11) ^ rotr(b, 25));
    a += e;
    e = e + (g ^ (y & x)) + (rotr(f, 2) ^ rotr(f, 13) ^ rotr(f, 22));
    x = e ^ f;
    d = d + load<u32>(k, 16) + w4 + (c ^ (a & (b ^ c))) + (rotr(a, 6) ^ rotr(a, 11) ^ rotr(a, 25));
    h += d;
    d = d + (f ^ (x & y)) + (rotr(e, 2) ^ rotr(e, 13) ^ rotr(e, 22));
    y = d ^ e;
    c = c + load<u32>(k, 20) + w5 + (b ^ (h & (a ^ b))) + (rotr(h, 6) ^ rotr(h, 11) ^ rotr(h, 25));
    g += c;
    c = c + (e ^ (y & x)) + (rotr(d, 2) ^ rotr(d, 13) ^ rotr(d, 22));
    x = c ^ d;
    b = b + load<u32>(k, 24) + w6 + (a ^ (g & (h ^ a))) + (rotr(g, 6) ^ rotr(g, 11) ^ rotr(g, 25));
    f += b;
    b = b + (d ^ (x & y)) + (rotr(c, 2) ^ rotr(c, 13) ^ rotr(c, 22));
    y = b ^ c;
    a = a + load<u32>(k, 28) + w7 + (h ^ (f & (g ^ h))) + (rotr(f, 6) ^ rotr(f, 11) ^ rotr(f, 25));
    e += a;
    a = a + (c ^ (y & x)) + (rotr(b, 2) ^ rotr(b, 13) ^ rotr(b, 22));
    x = a ^ b;
    h = h + load<u32>(k, 32) + w8 + (g ^ (e & (f ^ g))) + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25));
    d += h;
    h = h + (b ^ (x & y)) + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22));
    y = h ^ a;
    g = g + load<u32>(k, 36) + w9 + (f ^ (d & (e ^ f))) + (rotr(d, 6) ^ rotr(d, 11) ^ rotr(d, 25));
    c += g;
    g = g + (a ^ (y & x)) + (rotr(h, 2) ^ rotr(h, 13) ^ rotr(h, 22));
    x = g ^ h;
    f = f + load<u32>(k, 40) + w10 + (e ^ (c & (d ^ e))) + (rotr(c, 6) ^ rotr(c, 11) ^ rotr(c, 25));
    b += f;
    f = f + (h ^ (x & y)) + (rotr(g, 2) ^ rotr(g, 13) ^ rotr(g, 22));
    y = f ^ g;
    e = e + load<u32>(k, 44) + w11 + (d ^ (b & (c ^ d))) + (rotr(b, 6) ^ rotr(b, 11) ^ rotr(b, 25));
    a += e;
    e = e + (g ^ (y & x)) + (rotr(f, 2) ^ rotr(f, 13) ^ rotr(f, 22));
    x = e ^ f;
    d = d + load<u32>(k, 48) + w12 + (c ^ (a & (b ^ c))) + (rotr(a, 6) ^ rotr(a, 11) ^ rotr(a, 25));
    h += d;
    d = d + (f ^ (x & y)) + (rotr(e, 2) ^ rotr(e, 13) ^ rotr(e, 22));
    y = d ^ e;
    c = c + load<u32>(k, 52) + w13 + (b ^ (h & (a ^ b))) + (rotr(h, 6) ^ rotr(h, 11) ^ rotr(h, 25));
    g += c;
    c = c + (e ^ (y & x)) + (rotr(d, 2) ^ rotr(d, 13) ^ rotr(d, 22));
    x = c ^ d;
    b = b + load<u32>(k, 56) + w14 + (a ^ (g & (h ^ a))) + (rotr(g, 6) ^ rotr(g, 11) ^ rotr(g, 25));
    f += b;
    b = b + (d ^ (x & y)) + (rotr(c, 2) ^ rotr(c, 13) ^ rotr(c, 22));
    y = b ^ c;
    a = a + load<u32>(k, 60) + w15 + (h ^ (f & (g ^ h))) + (rotr(f, 6) ^ rotr(f, 11) ^ rotr(f, 25));
    e += a;
    a = a + (c ^ (y & x)) + (rotr(b, 2) ^ rotr(b, 13) ^ rotr(b, 22));
    if (k == LAST_ROUNDS) break;
    w0 += (rotr(w14, 17) ^ rotr(w14, 19) ^ (w14 >> 10)) + w9 + (rotr(w1 ^ rotr(w1, 11), 7) ^ (w1 >> 3));
    w1 += (rotr(w15, 17) ^ rotr(w15, 19) ^ (w15 >> 10)) + w10 + (rotr(w2 ^ rotr(w2, 11), 7) ^ (w2 >> 3));
    w2 += (rotr(w0, 17) ^ rotr(w0, 19) ^ (w0 >> 10)) + w11 + (rotr(w3 ^ rotr(w3, 11), 7) ^ (w3 >> 3));
    w3 += (rotr(w1, 17) ^ rotr(w1, 19) ^ (w1 >> 10)) + w12 + (rotr(w4 ^ rotr(w4, 11), 7) ^ (w4 >> 3));
    w4 += (rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10)) + w13 + (rotr(w5 ^ rotr(w5, 11), 7) ^ (w5 >> 3));
    w5 += (rotr(w3, 17) ^ rotr(w3, 19) ^ (w3 >> 10)) + w14 + (rotr(w6 ^ rotr(w6, 11), 7) ^ (w6 >> 3));
    w6 += (rotr(w4, 17) ^ rotr(w4, 19) ^ (w4 >> 10)) + w15 + (rotr(w7 ^ rotr(w7, 11), 7) ^ (w7 >> 3));
    w7 += (rotr(w5, 17) ^ rotr(w5, 19) ^ (w5 >> 10)) + w0 + (rotr(w8 ^ rotr(w8, 11), 7) ^ (w8 >> 3));
    w8 += (rotr(w6, 17) ^ rotr(w6, 19) ^ (w6 >> 10)) + w1 + (rotr(w9 ^ rotr(w9, 11), 7) ^ (w9 >> 3));
    w9 += (rotr(w7, 17) ^ rotr(w7, 19) ^ (w7 >> 10)) + w2 + (rotr(w10 ^ rotr(w10, 11), 7) ^ (w10 >> 3));
    w10 += (rotr(w8, 17) ^ rotr(w8, 19) ^ (w8 >> 10)) + w3 + (rotr(w11 ^ rotr(w11, 11), 7) ^ (w11 >> 3));
    w11 += (rotr(w9, 17) ^ rotr(w9, 19) ^ (w9 >> 10)) + w4 + (rotr(w12 ^ rotr(w12, 11), 7) ^ (w12 >> 3));
    w12 += (rotr(w10, 17) ^ rotr(w10, 19) ^ (w10 >> 10)) + w5 + (rotr(w13 ^ rotr(w13, 11), 7) ^ (w13 >> 3));
    w13 += (rotr(w11, 17) ^ rotr(w11, 19) ^ (w11 >> 10)) + w6 + (rotr(w14 ^ rotr(w14, 11), 7) ^ (w14 >> 3));
    w14 += (rotr(w12, 17) ^ rotr(w12, 19) ^ (w12 >> 10)) + w7 + (rotr(w15 ^ rotr(w15, 11), 7) ^ (w15 >> 3));
    w15 += (rotr(w13, 17) ^ rotr(w13, 19) ^ (w13 >> 10)) + w8 + (rotr(w0 ^ rotr(w0, 11), 7) ^ (w0 >> 3));
  }
  state.h0 += a;
  state.h1 += b;
  state.h2 += c;
  state.h3 += d;
  state.h4 += e;
  state.h5 += f;
  state.h6 += g;
  state.h7 += h;
}

/** Starts a message. */
export function sha256Begin(ctx: usize): void {
  memory.copy(ctx, H0, SHA256_BYTES);
  changetype<Sha256Context>(ctx).total = 0;
}

/** Takes the next `len` bytes of the message. */
export function sha256Update(ctx: usize, ptr: usize, len: i32): void {
  const state = changetype<Sha256Context>(ctx);
  const held: i32 = (state.total as i32) & 63;
  state.total += len as u64;
  if (held > 0) {
    const room: i32 = 64 - held;
    const taken: i32 = len < room ? len : room;
    memory.copy(ctx + BLOCK + held, ptr, taken & 63);
    if (taken < room) return;
    compress(ctx, ctx + BLOCK);
    ptr += taken;
    len -= taken;
  }
  while (len >= 64) {
    compress(ctx, ptr);
    ptr += 64;
    len -= 64;
  }
  // Never more than a block's bytes, even if a fault ended the loop early: what lies behind the block is State.
  if (len > 0) memory.copy(ctx + BLOCK, ptr, len & 63);
}

/** Pads (section 5.1), writes the digest of 32 bytes, and wipes the context. */
export function sha256End(ctx: usize, out: usize): void {
  const state = changetype<Sha256Context>(ctx);
  const held: i32 = (state.total as i32) & 63;
  const block: usize = ctx + BLOCK;
  store<u8>(block + held, 0x80);
  memory.fill(block + held + 1, 0, 63 - held);
  if (held >= 56) {
    compress(ctx, block);
    memory.fill(block, 0, 64);
  }
  store<u64>(block, bswap<u64>(state.total << 3), 56);
  compress(ctx, block);
  bigEndian(out, ctx, SHA256_BYTES);
  wipe(ctx, SHA256_CONTEXT_BYTES);
}

/** `out` may lie over the message: it is written last. */
export function sha256(msg: usize, len: i32, out: usize): void {
  sha256Begin(ONE_SHOT);
  sha256Update(ONE_SHOT, msg, len);
  sha256End(ONE_SHOT, out);
}

/** Goes on from a chaining value, the first SHA256_BYTES of a context, that whole blocks of `total` bytes led to. */
export function sha256Resume(ctx: usize, chaining: usize, total: u64): void {
  memory.copy(ctx, chaining, SHA256_BYTES);
  changetype<Sha256Context>(ctx).total = total;
}
