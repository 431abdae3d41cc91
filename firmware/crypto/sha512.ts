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

/** The message schedule of one block. */
const W: usize = memory.data(640, 8);

// Section 4.1.3.
function choose(x: u64, y: u64, z: u64): u64 {
  return z ^ (x & (y ^ z));
}

function majority(x: u64, y: u64, z: u64): u64 {
  return (x & y) | (z & (x | y));
}

function bigSigma0(x: u64): u64 {
  return rotr<u64>(x, 28) ^ rotr<u64>(x, 34) ^ rotr<u64>(x, 39);
}

function bigSigma1(x: u64): u64 {
  return rotr<u64>(x, 14) ^ rotr<u64>(x, 18) ^ rotr<u64>(x, 41);
}

function sigma0(x: u64): u64 {
  return rotr<u64>(x, 1) ^ rotr<u64>(x, 8) ^ (x >> 7);
}

function sigma1(x: u64): u64 {
  return rotr<u64>(x, 19) ^ rotr<u64>(x, 61) ^ (x >> 6);
}

/** Section 6.4.2: one block. */
function compress(ctx: usize, block: usize): void {
  const state = changetype<Sha512Context>(ctx);
  for (let t: usize = 0; t < 128; t += 8) store<u64>(W + t, bswap<u64>(load<u64>(block + t)));
  for (let w: usize = W, end: usize = W + 512; w < end; w += 8) {
    store<u64>(w, sigma1(load<u64>(w, 112)) + load<u64>(w, 72) + sigma0(load<u64>(w, 8)) + load<u64>(w), 128);
  }
  let a: u64 = state.h0;
  let b: u64 = state.h1;
  let c: u64 = state.h2;
  let d: u64 = state.h3;
  let e: u64 = state.h4;
  let f: u64 = state.h5;
  let g: u64 = state.h6;
  let h: u64 = state.h7;
  for (let t: usize = 0; t < 640; t += 8) {
    const t1: u64 = h + bigSigma1(e) + choose(e, f, g) + load<u64>(K + t) + load<u64>(W + t);
    const t2: u64 = bigSigma0(a) + majority(a, b, c);
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
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

/** Starts a message. Section 5.3.5. */
export function sha512Begin(ctx: usize): void {
  const state = changetype<Sha512Context>(ctx);
  state.h0 = 0x6a09e667f3bcc908;
  state.h1 = 0xbb67ae8584caa73b;
  state.h2 = 0x3c6ef372fe94f82b;
  state.h3 = 0xa54ff53a5f1d36f1;
  state.h4 = 0x510e527fade682d1;
  state.h5 = 0x9b05688c2b3e6c1f;
  state.h6 = 0x1f83d9abfb41bd6b;
  state.h7 = 0x5be0cd19137e2179;
  state.total = 0;
}

/** Takes the next `len` bytes of the message. */
export function sha512Update(ctx: usize, ptr: usize, len: i32): void {
  const state = changetype<Sha512Context>(ctx);
  const held: i32 = (state.total as i32) & 127;
  state.total += len as u64;
  if (held > 0) {
    const room: i32 = 128 - held;
    const taken: i32 = len < room ? len : room;
    memory.copy(ctx + BLOCK + held, ptr, taken);
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
  memory.copy(ctx + BLOCK, ptr, len);
}

/** Pads (section 5.1), writes the digest of 64 bytes, and wipes the context and the schedule. */
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
  store<u64>(out, bswap<u64>(state.h0));
  store<u64>(out, bswap<u64>(state.h1), 8);
  store<u64>(out, bswap<u64>(state.h2), 16);
  store<u64>(out, bswap<u64>(state.h3), 24);
  store<u64>(out, bswap<u64>(state.h4), 32);
  store<u64>(out, bswap<u64>(state.h5), 40);
  store<u64>(out, bswap<u64>(state.h6), 48);
  store<u64>(out, bswap<u64>(state.h7), 56);
  wipe(ctx, SHA512_CONTEXT_BYTES);
  wipe(W, 640);
}

/** `out` may lie over the message: it is written last. */
export function sha512(msg: usize, len: i32, out: usize): void {
  sha512Begin(ONE_SHOT);
  sha512Update(ONE_SHOT, msg, len);
  sha512End(ONE_SHOT, out);
}
