/** HKDF-SHA-256 (RFC 5869): keys from a key. */
import { hmacSha256, hmacSha256Begin, hmacSha256End, hmacSha256Update } from "./hmac";
import { SHA256_BYTES } from "./sha256";
import { wipe } from "./wipe";

const PRK: usize = memory.data(SHA256_BYTES, 8);
/** T(i), then the octet i that closes the message of T(i + 1). */
const T: usize = memory.data(SHA256_BYTES + 1, 8);
const COUNTER: usize = T + SHA256_BYTES;

/**
 * Extract (section 2.2; no salt is 32 zero bytes, which HMAC's own padding makes of length 0) and expand (section 2.3).
 * `outLen` is at most 255 * 32. `out` may lie over neither input but the key material.
 */
export function hkdfSha256(
  ikm: usize,
  ikmLen: i32,
  salt: usize,
  saltLen: i32,
  info: usize,
  infoLen: i32,
  out: usize,
  outLen: i32,
): void {
  hmacSha256(salt, saltLen, ikm, ikmLen, PRK);
  let previous: i32 = 0;
  let counter: u32 = 1;
  while (outLen > 0) {
    hmacSha256Begin(PRK, SHA256_BYTES);
    hmacSha256Update(T, previous);
    hmacSha256Update(info, infoLen);
    store<u8>(COUNTER, counter);
    hmacSha256Update(COUNTER, 1);
    hmacSha256End(T);
    previous = SHA256_BYTES;
    const taken: i32 = outLen < SHA256_BYTES ? outLen : SHA256_BYTES;
    memory.copy(out, T, taken);
    out += taken;
    outLen -= taken;
    counter++;
  }
  wipe(PRK, SHA256_BYTES);
  wipe(T, SHA256_BYTES + 1);
}
