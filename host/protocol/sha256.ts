/** SHA-256 (FIPS 180-4) on the host, by the system's library. */
import { hash } from "node:crypto";

/** 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}
