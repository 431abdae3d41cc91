// biome-ignore-all lint/correctness/noPrecisionLoss: these are u64 literals, not doubles.
/**
 * SHA-512 (FIPS 180-4): `sha512` for one piece of memory, a context for a message that comes in several.
 * No branch and no address depends on the bytes hashed, only on their number.
 */
import { wipe } from "./wipe";

/** Bytes of a digest. */
export const SHA512_BYTES: i32 = 64;
/** Bytes of a block, FIPS 180-4 section 5.2: also the block of HMAC. */
export const SHA512_BLOCK_BYTES: i32 = 128;

/** A hash under way: the chaining value, the bytes taken so far, then the block that is not full yet. */
@unmanaged
class Sha512Context {
  h0: u64;
  h1: u64;
  h2: u64;
  h3: u64;
  h4: u64;
  h5: u64;
  h6: u64;
  h7: u64;
  total: u64;
}

const BLOCK: usize = offsetof<Sha512Context>();

/** Bytes of a context; `memory.data(SHA512_CONTEXT_BYTES, 8)` makes one. */
export const SHA512_CONTEXT_BYTES: i32 = (BLOCK as i32) + SHA512_BLOCK_BYTES;

const ONE_SHOT: usize = memory.data(SHA512_CONTEXT_BYTES, 8);

// Section 5.3.5.
const H0: usize = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
  0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

// Section 4.2.3.
const K: usize = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
  0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
  0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
  0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
  0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
  0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
  0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
  0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
  0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
  0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
  0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
  0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
  0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
]);

/** The constants of the last sixteen rounds. */
const LAST_ROUNDS: usize = K + 512;

/** Section 3.1: `len` bytes as words, most significant byte first, or words as bytes. `out` may be `from`. */
function bigEndian(out: usize, from: usize, len: usize): void {
  for (let i: usize = 0; i < len; i += 8) {
    let x: u64 = load<u64>(from + i);
    x = ((x & 0x00ff00ff00ff00ff) << 8) | ((x >> 8) & 0x00ff00ff00ff00ff);
    x = ((x & 0x0000ffff0000ffff) << 16) | ((x >> 16) & 0x0000ffff0000ffff);
    store<u64>(out + i, rotl(x, 32));
  }
}

/**
 * Section 6.4.2: one block. Sixteen rounds are written out, in which the working variables change their names and not
 * their places: T1 is made in h, d + T1 is the next e, T1 + T2 the next a. Terms that are known late are added last.
 * The functions of section 4.1.3 are written out too, as the compiler inlines none that is called more than once:
 *
 *     Ch(e, f, g) = g ^ (e & (f ^ g))
 *     Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), where b ^ c was a ^ b in the round before: x and y in turns
 *
 * Between sixteen rounds and the next, W(t) takes the place of W(t - 16). In sigma0, rotations by 1 and by 8 are one by
 * 1 of w ^ rotr(w, 7).
 */
function compress(ctx: usize, block: usize): void {
  const state = changetype<Sha512Context>(ctx);
  const words: usize = ctx + BLOCK;
  bigEndian(words, block, SHA512_BLOCK_BYTES);
  let w0: u64 = load<u64>(words);
  let w1: u64 = load<u64>(words, 8);
  let w2: u64 = load<u64>(words, 16);
  let w3: u64 = load<u64>(words, 24);
  let w4: u64 = load<u64>(words, 32);
  let w5: u64 = load<u64>(words, 40);
  let w6: u64 = load<u64>(words, 48);
  let w7: u64 = load<u64>(words, 56);
  let w8: u64 = load<u64>(words, 64);
  let w9: u64 = load<u64>(words, 72);
  let w10: u64 = load<u64>(words, 80);
  let w11: u64 = load<u64>(words, 88);
  let w12: u64 = load<u64>(words, 96);
  let w13: u64 = load<u64>(words, 104);
  let w14: u64 = load<u64>(words, 112);
  let w15: u64 = load<u64>(words, 120);
  let a: u64 = state.h0;
  let b: u64 = state.h1;
  let c: u64 = state.h2;
  let d: u64 = state.h3;
  let e: u64 = state.h4;
  let f: u64 = state.h5;
  let g: u64 = state.h6;
  let h: u64 = state.h7;
  let x: u64;
  let y: u64 = b ^ c;
  for (let k: usize = K; ; k += 128) {
    x = a ^ b;
    h = h + load<u64>(k) + w0 + (g ^ (e & (f ^ g))) + (rotr(e, 14) ^ rotr(e, 18) ^ rotr(e, 41));
    d += h;
    h = h + (b ^ (x & y)) + (rotr(a, 28) ^ rotr(a, 34) ^ rotr(a, 39));
    y = h ^ a;
    g = g + load<u64>(k, 8) + w1 + (f ^ (d & (e ^ f))) + (rotr(d, 14) ^ rotr(d, 18) ^ rotr(d, 41));
    c += g;
    g = g + (a ^ (y & x)) + (rotr(h, 28) ^ rotr(h, 34) ^ rotr(h, 39));
    x = g ^ h;
    f = f + load<u64>(k, 16) + w2 + (e ^ (c & (d ^ e))) + (rotr(c, 14) ^ rotr(c, 18) ^ rotr(c, 41));
    b += f;
    f = f + (h ^ (x & y)) + (rotr(g, 28) ^ rotr(g, 34) ^ rotr(g, 39));
    y = f ^ g;
    e = e + load<u64>(k, 24) + w3 + (d ^ (b & (c ^ d))) + (rotr(b, 14) ^ rotr(b, 18) ^ rotr(b, 41));
    a += e;
    e = e + (g ^ (y & x)) + (rotr(f, 28) ^ rotr(f, 34) ^ rotr(f, 39));
    x = e ^ f;
    d = d + load<u64>(k, 32) + w4 + (c ^ (a & (b ^ c))) + (rotr(a, 14) ^ rotr(a, 18) ^ rotr(a, 41));
    h += d;
    d = d + (f ^ (x & y)) + (rotr(e, 28) ^ rotr(e, 34) ^ rotr(e, 39));
    y = d ^ e;
    c = c + load<u64>(k, 40) + w5 + (b ^ (h & (a ^ b))) + (rotr(h, 14) ^ rotr(h, 18) ^ rotr(h, 41));
    g += c;
    c = c + (e ^ (y & x)) + (rotr(d, 28) ^ rotr(d, 34) ^ rotr(d, 39));
    x = c ^ d;
    b = b + load<u64>(k, 48) + w6 + (a ^ (g & (h ^ a))) + (rotr(g, 14) ^ rotr(g, 18) ^ rotr(g, 41));
    f += b;
    b = b + (d ^ (x & y)) + (rotr(c, 28) ^ rotr(c, 34) ^ rotr(c, 39));
    y = b ^ c;
    a = a + load<u64>(k, 56) + w7 + (h ^ (f & (g ^ h))) + (rotr(f, 14) ^ rotr(f, 18) ^ rotr(f, 41));
    e += a;
    a = a + (c ^ (y & x)) + (rotr(b, 28) ^ rotr(b, 34) ^ rotr(b, 39));
    x = a ^ b;
    h = h + load<u64>(k, 64) + w8 + (g ^ (e & (f ^ g))) + (rotr(e, 14) ^ rotr(e, 18) ^ rotr(e, 41));
    d += h;
    h = h + (b ^ (x & y)) + (rotr(a, 28) ^ rotr(a, 34) ^ rotr(a, 39));
    y = h ^ a;
    g = g + load<u64>(k, 72) + w9 + (f ^ (d & (e ^ f))) + (rotr(d, 14) ^ rotr(d, 18) ^ rotr(d, 41));
    c += g;
    g = g + (a ^ (y & x)) + (rotr(h, 28) ^ rotr(h, 34) ^ rotr(h, 39));
    x = g ^ h;
    f = f + load<u64>(k, 80) + w10 + (e ^ (c & (d ^ e))) + (rotr(c, 14) ^ rotr(c, 18) ^ rotr(c, 41));
    b += f;
    f = f + (h ^ (x & y)) + (rotr(g, 28) ^ rotr(g, 34) ^ rotr(g, 39));
    y = f ^ g;
    e = e + load<u64>(k, 88) + w11 + (d ^ (b & (c ^ d))) + (rotr(b, 14) ^ rotr(b, 18) ^ rotr(b, 41));
    a += e;
    e = e + (g ^ (y & x)) + (rotr(f, 28) ^ rotr(f, 34) ^ rotr(f, 39));
    x = e ^ f;
    d = d + load<u64>(k, 96) + w12 + (c ^ (a & (b ^ c))) + (rotr(a, 14) ^ rotr(a, 18) ^ rotr(a, 41));
    h += d;
    d = d + (f ^ (x & y)) + (rotr(e, 28) ^ rotr(e, 34) ^ rotr(e, 39));
    y = d ^ e;
    c = c + load<u64>(k, 104) + w13 + (b ^ (h & (a ^ b))) + (rotr(h, 14) ^ rotr(h, 18) ^ rotr(h, 41));
    g += c;
    c = c + (e ^ (y & x)) + (rotr(d, 28) ^ rotr(d, 34) ^ rotr(d, 39));
    x = c ^ d;
    b = b + load<u64>(k, 112) + w14 + (a ^ (g & (h ^ a))) + (rotr(g, 14) ^ rotr(g, 18) ^ rotr(g, 41));
    f += b;
    b = b + (d ^ (x & y)) + (rotr(c, 28) ^ rotr(c, 34) ^ rotr(c, 39));
    y = b ^ c;
    a = a + load<u64>(k, 120) + w15 + (h ^ (f & (g ^ h))) + (rotr(f, 14) ^ rotr(f, 18) ^ rotr(f, 41));
    e += a;
    a = a + (c ^ (y & x)) + (rotr(b, 28) ^ rotr(b, 34) ^ rotr(b, 39));
    if (k == LAST_ROUNDS) break;
    w0 += (rotr(w14, 19) ^ rotr(w14, 61) ^ (w14 >> 6)) + w9 + (rotr(w1 ^ rotr(w1, 7), 1) ^ (w1 >> 7));
    w1 += (rotr(w15, 19) ^ rotr(w15, 61) ^ (w15 >> 6)) + w10 + (rotr(w2 ^ rotr(w2, 7), 1) ^ (w2 >> 7));
    w2 += (rotr(w0, 19) ^ rotr(w0, 61) ^ (w0 >> 6)) + w11 + (rotr(w3 ^ rotr(w3, 7), 1) ^ (w3 >> 7));
    w3 += (rotr(w1, 19) ^ rotr(w1, 61) ^ (w1 >> 6)) + w12 + (rotr(w4 ^ rotr(w4, 7), 1) ^ (w4 >> 7));
    w4 += (rotr(w2, 19) ^ rotr(w2, 61) ^ (w2 >> 6)) + w13 + (rotr(w5 ^ rotr(w5, 7), 1) ^ (w5 >> 7));
    w5 += (rotr(w3, 19) ^ rotr(w3, 61) ^ (w3 >> 6)) + w14 + (rotr(w6 ^ rotr(w6, 7), 1) ^ (w6 >> 7));
    w6 += (rotr(w4, 19) ^ rotr(w4, 61) ^ (w4 >> 6)) + w15 + (rotr(w7 ^ rotr(w7, 7), 1) ^ (w7 >> 7));
    w7 += (rotr(w5, 19) ^ rotr(w5, 61) ^ (w5 >> 6)) + w0 + (rotr(w8 ^ rotr(w8, 7), 1) ^ (w8 >> 7));
    w8 += (rotr(w6, 19) ^ rotr(w6, 61) ^ (w6 >> 6)) + w1 + (rotr(w9 ^ rotr(w9, 7), 1) ^ (w9 >> 7));
    w9 += (rotr(w7, 19) ^ rotr(w7, 61) ^ (w7 >> 6)) + w2 + (rotr(w10 ^ rotr(w10, 7), 1) ^ (w10 >> 7));
    w10 += (rotr(w8, 19) ^ rotr(w8, 61) ^ (w8 >> 6)) + w3 + (rotr(w11 ^ rotr(w11, 7), 1) ^ (w11 >> 7));
    w11 += (rotr(w9, 19) ^ rotr(w9, 61) ^ (w9 >> 6)) + w4 + (rotr(w12 ^ rotr(w12, 7), 1) ^ (w12 >> 7));
    w12 += (rotr(w10, 19) ^ rotr(w10, 61) ^ (w10 >> 6)) + w5 + (rotr(w13 ^ rotr(w13, 7), 1) ^ (w13 >> 7));
    w13 += (rotr(w11, 19) ^ rotr(w11, 61) ^ (w11 >> 6)) + w6 + (rotr(w14 ^ rotr(w14, 7), 1) ^ (w14 >> 7));
    w14 += (rotr(w12, 19) ^ rotr(w12, 61) ^ (w12 >> 6)) + w7 + (rotr(w15 ^ rotr(w15, 7), 1) ^ (w15 >> 7));
    w15 += (rotr(w13, 19) ^ rotr(w13, 61) ^ (w13 >> 6)) + w8 + (rotr(w0 ^ rotr(w0, 7), 1) ^ (w0 >> 7));
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
export function sha512Begin(ctx: usize): void {
  memory.copy(ctx, H0, SHA512_BYTES);
  changetype<Sha512Context>(ctx).total = 0;
}

/** Takes the next `len` bytes of the message. */
export function sha512Update(ctx: usize, ptr: usize, len: i32): void {
  const state = changetype<Sha512Context>(ctx);
  const held: i32 = (state.total as i32) & 127;
  state.total += len as u64;
  if (held > 0) {
    const room: i32 = 128 - held;
    const taken: i32 = len < room ? len : room;
    memory.copy(ctx + BLOCK + held, ptr, taken & 127);
    if (taken < room) return;
    compress(ctx, ctx + BLOCK);
    ptr += taken;
    len -= taken;
  }
  while (len >= 128) {
    compress(ctx, ptr);
    ptr += 128;
    len -= 128;
  }
  // As in sha256.ts: never more than a block's bytes.
  if (len > 0) memory.copy(ctx + BLOCK, ptr, len & 127);
}

/** Pads (section 5.1), writes the digest of 64 bytes, and wipes the context. */
export function sha512End(ctx: usize, out: usize): void {
  const state = changetype<Sha512Context>(ctx);
  const held: i32 = (state.total as i32) & 127;
  const block: usize = ctx + BLOCK;
  store<u8>(block + held, 0x80);
  memory.fill(block + held + 1, 0, 127 - held);
  if (held >= 112) {
    compress(ctx, block);
    memory.fill(block, 0, 128);
  }
  store<u64>(block, bswap<u64>(state.total << 3), 120);
  compress(ctx, block);
  bigEndian(out, ctx, SHA512_BYTES);
  wipe(ctx, SHA512_CONTEXT_BYTES);
}

/** `out` may lie over the message: it is written last. */
export function sha512(msg: usize, len: i32, out: usize): void {
  sha512Begin(ONE_SHOT);
  sha512Update(ONE_SHOT, msg, len);
  sha512End(ONE_SHOT, out);
}
