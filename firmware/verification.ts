/**
 * `build/verification.wasm`: the governor's Ed25519, from the same sources, for verifiers and fleets: signatures one by
 * one, under keys that signed before, and many at once. Everything takes addresses and lengths in the exported memory.
 */
import { BATCH_MAX, COEFFICIENT_BYTES } from "./crypto/batch25519";
import { PLACE_BYTES, placeKnownKeys } from "./crypto/known-keys";
import "./panic";

export { batchAdd, batchBegin, batchHolds } from "./crypto/batch25519";
export { ed25519PublicKey, ed25519SignKeyPair, ed25519Verify, ed25519VerifyKnown } from "./crypto/ed25519";

/** Room for what is judged: a message, then what comes with it. */
const IO_BYTES: i32 = 131072;
const IO: usize = memory.data(IO_BYTES, 16);

/** Keys whose combs are kept: those of every party, and the devices that were seen last. */
const KNOWN_KEYS: i32 = 256;
placeKnownKeys(memory.data(KNOWN_KEYS * PLACE_BYTES, 8), KNOWN_KEYS);

/** Address of the room that callers may use as they like. */
export function io(): usize {
  return IO;
}

export function ioBytes(): i32 {
  return IO_BYTES;
}

/** Most signatures of a batch. */
export function batchMax(): i32 {
  return BATCH_MAX;
}

/** Bytes of a batch's coefficient. */
export function coefficientBytes(): i32 {
  return COEFFICIENT_BYTES;
}
