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

/** The message schedule of one block. */
const W: usize = memory.data(256, 8);

// Section 4.1.2.
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}

function bigSigma0(x: u32): u32 {
  return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22);
}

function bigSigma1(x: u32): u32 {
  return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25);
}

function sigma0(x: u32): u32 {
  return rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3);
}

function sigma1(x: u32): u32 {
  return rotr<u32>(x, 17) ^ rotr<u32>(x, 19) ^ (x >> 10);
}

/** Section 6.2.2: one block. */
function compress(ctx: usize, block: usize): void {
  const state = changetype<Sha256Context>(ctx);
  for (let t: usize = 0; t < 64; t += 4) store<u32>(W + t, bswap<u32>(load<u32>(block + t)));
  for (let w: usize = W, end: usize = W + 192; w < end; w += 4) {
    store<u32>(w, sigma1(load<u32>(w, 56)) + load<u32>(w, 36) + sigma0(load<u32>(w, 4)) + load<u32>(w), 64);
  }
  let a: u32 = state.h0;
  let b: u32 = state.h1;
  let c: u32 = state.h2;
  let d: u32 = state.h3;
  let e: u32 = state.h4;
  let f: u32 = state.h5;
  let g: u32 = state.h6;
  let h: u32 = state.h7;
  for (let t: usize = 0; t < 256; t += 4) {
    const t1: u32 = h + bigSigma1(e) + choose(e, f, g) + load<u32>(K + t) + load<u32>(W + t);
    const t2: u32 = bigSigma0(a) + majority(a, b, c);
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

/** Starts a message. Section 5.3.3. */
export function sha256Begin(ctx: usize): void {
  const state = changetype<Sha256Context>(ctx);
  state.h0 = 0x6a09e667;
  state.h1 = 0xbb67ae85;
  state.h2 = 0x3c6ef372;
  state.h3 = 0xa54ff53a;
  state.h4 = 0x510e527f;
  state.h5 = 0x9b05688c;
  state.h6 = 0x1f83d9ab;
  state.h7 = 0x5be0cd19;
  state.total = 0;
}

/** Takes the next `len` bytes of the message. */
export function sha256Update(ctx: usize, ptr: usize, len: i32): void {
  const state = changetype<Sha256Context>(ctx);
  const held: i32 = (state.total as i32) & 63;
  state.total += len as u64;
  if (held > 0) {
    const room: i32 = 64 - held;
    const taken: i32 = len < room ? len : room;
    memory.copy(ctx + BLOCK + held, ptr, taken);
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
  memory.copy(ctx + BLOCK, ptr, len);
}

/** Pads (section 5.1), writes the digest of 32 bytes, and wipes the context and the schedule. */
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
  store<u32>(out, bswap<u32>(state.h0));
  store<u32>(out, bswap<u32>(state.h1), 4);
  store<u32>(out, bswap<u32>(state.h2), 8);
  store<u32>(out, bswap<u32>(state.h3), 12);
  store<u32>(out, bswap<u32>(state.h4), 16);
  store<u32>(out, bswap<u32>(state.h5), 20);
  store<u32>(out, bswap<u32>(state.h6), 24);
  store<u32>(out, bswap<u32>(state.h7), 28);
  wipe(ctx, SHA256_CONTEXT_BYTES);
  wipe(W, 256);
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
