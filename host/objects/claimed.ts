/** Objects of one signer whose key is found by what they say of themselves: read once, then verified. */
import { parseSign1, type VerificationKey, verifySign1, verifySign1Async } from "../protocol/cose.ts";

/** What an object says before its signature was looked at. */
export interface Claimed<T> {
  /** Whose key it says that signed it, 8 bytes. */
  readonly kid: Uint8Array;
  /** Nobody vouches for this yet: good for finding the key, and nothing else. */
  readonly claims: T;
  /** The same, if the key signed it. Throws a `Refusal` (`COSE_KID`, `COSE_SIGNATURE`). */
  verify(key: VerificationKey): T;
  /** By another thread. The bytes must stay as they are until it has answered. */
  verifyAsync(key: VerificationKey): Promise<T>;
}

/** Throws a `Refusal` for what is no such object. */
export function parseClaimed<T>(bytes: Uint8Array, aad: Uint8Array, decode: (payload: Uint8Array) => T): Claimed<T> {
  const message = parseSign1(bytes);
  const claims = decode(message.payload);
  return {
    kid: message.kid!,
    claims,
    verify(key) {
      verifySign1(message, key, aad);
      return claims;
    },
    async verifyAsync(key) {
      await verifySign1Async(message, key, aad);
      return claims;
    },
  };
}
