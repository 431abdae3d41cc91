/**
 * `build/primitives.wasm`: the governor's primitives alone, from the same sources, for tests and for anyone who wants
 * to judge them. Everything takes addresses and lengths in the exported memory. This interface is stable.
 */
import "./panic";

export { cborCheck } from "./cbor/check";
export { coseSign1Verify } from "./cose/sign1";
export {
  ed25519PublicKey,
  ed25519Sign,
  ed25519SignKeyPair,
  ed25519Verify,
  ed25519VerifyKnown,
} from "./crypto/ed25519";
export { equalBytes } from "./crypto/equal";
export { hkdfSha256 } from "./crypto/hkdf";
export { hmacSha256 } from "./crypto/hmac";
export { sha256 } from "./crypto/sha256";
export { sha512 } from "./crypto/sha512";

const IO: usize = memory.data(65536, 16);

/** Address of 64 KiB that callers may use as they like; no scratch of the primitives lies in it. */
export function io(): usize {
  return IO;
}
