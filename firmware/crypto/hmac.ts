/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1): one call for one piece of memory, Begin/Update/End for a message in several.
 * There is one HMAC at a time; between Begin and End the caller may use SHA-256 and SHA-512 freely.
 */
import {
  SHA256_BLOCK_BYTES,
  SHA256_BYTES,
  SHA256_CONTEXT_BYTES,
  sha256,
  sha256Begin,
  sha256End,
  sha256Resume,
  sha256Update,
} from "./sha256";
import { wipe } from "./wipe";

const INNER: usize = memory.data(SHA256_CONTEXT_BYTES, 8);
const OUTER: usize = memory.data(SHA256_CONTEXT_BYTES, 8);
/** Bytes of a key made ready. */
export const HMAC_SHA256_READY_BYTES: i32 = 2 * SHA256_BYTES;
/** The key as one block, then the inner digest. */
const BLOCK: usize = memory.data(SHA256_BLOCK_BYTES, 8);

// RFC 2104 section 2: ipad and opad, four bytes at a time.
const INNER_PAD: u32 = 0x36363636;
const OUTER_PAD: u32 = 0x5c5c5c5c;

function pad(mask: u32): void {
  for (let i: i32 = 0; i < SHA256_BLOCK_BYTES; i += 4) store<u32>(BLOCK + i, load<u32>(BLOCK + i) ^ mask);
}

/** Starts a message under a key of any length; one longer than a block is hashed first. */
export function hmacSha256Begin(key: usize, keyLen: i32): void {
  memory.fill(BLOCK, 0, SHA256_BLOCK_BYTES);
  if (keyLen > SHA256_BLOCK_BYTES) sha256(key, keyLen, BLOCK);
  else memory.copy(BLOCK, key, keyLen);
  pad(INNER_PAD);
  sha256Begin(INNER);
  sha256Update(INNER, BLOCK, SHA256_BLOCK_BYTES);
  pad(INNER_PAD ^ OUTER_PAD);
  sha256Begin(OUTER);
  sha256Update(OUTER, BLOCK, SHA256_BLOCK_BYTES);
  wipe(BLOCK, SHA256_BLOCK_BYTES);
}

/**
 * Makes a key ready for many messages: what the inner and the outer hash are after their first block (RFC 2104 section
 * 4). It is as secret as the key, which is not needed any more.
 */
export function hmacSha256Ready(key: usize, keyLen: i32, ready: usize): void {
  hmacSha256Begin(key, keyLen);
  memory.copy(ready, INNER, SHA256_BYTES);
  memory.copy(ready + SHA256_BYTES, OUTER, SHA256_BYTES);
  wipe(INNER, SHA256_CONTEXT_BYTES);
  wipe(OUTER, SHA256_CONTEXT_BYTES);
}

/** Starts a message under a key that was made ready. */
export function hmacSha256Resume(ready: usize): void {
  sha256Resume(INNER, ready, SHA256_BLOCK_BYTES);
  sha256Resume(OUTER, ready + SHA256_BYTES, SHA256_BLOCK_BYTES);
}

export function hmacSha256Update(ptr: usize, len: i32): void {
  sha256Update(INNER, ptr, len);
}

/** Writes the 32 bytes of the code and wipes everything that came from the key. */
export function hmacSha256End(out: usize): void {
  sha256End(INNER, BLOCK);
  sha256Update(OUTER, BLOCK, SHA256_BYTES);
  sha256End(OUTER, out);
  wipe(BLOCK, SHA256_BLOCK_BYTES);
}

/** The same under a key that was made ready. */
export function hmacSha256Under(ready: usize, msg: usize, len: i32, out: usize): void {
  hmacSha256Resume(ready);
  hmacSha256Update(msg, len);
  hmacSha256End(out);
}

/** `out` may lie over the key or the message: it is written last. */
export function hmacSha256(key: usize, keyLen: i32, msg: usize, len: i32, out: usize): void {
  hmacSha256Begin(key, keyLen);
  hmacSha256Update(msg, len);
  hmacSha256End(out);
}
