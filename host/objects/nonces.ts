/**
 * One evidence for several verifiers: the device signs over one nonce that stands for those of all of them, so that
 * each sees its own freshness (RFC 9334 section 10.2) in the same bytes.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";

/** A verifier each, and at most as many as an agreement has parties. */
export const NONCES_MAX = Limit.PARTIES_MAX;

const PREFIX = new TextEncoder().encode("quiesce/1/nonces");

/**
 * SHA-256 over `quiesce/1/nonces` and the nonces in ascending bytewise order. Every one has 32 bytes, so no other list
 * gives the same input. Throws a `Refusal` (`CBOR_TYPE`) unless they are 1 to 8 different ones.
 */
export function combinedNonce(nonces: readonly Uint8Array[]): Uint8Array {
  if (nonces.length < 1 || nonces.length > NONCES_MAX) {
    throw new Refusal(ErrorCode.CBOR_TYPE, `${nonces.length} nonces instead of 1 to ${NONCES_MAX}`);
  }
  const sorted = [...nonces].sort(Buffer.compare);
  sorted.forEach((nonce, index) => {
    if (nonce.length !== Limit.NONCE_BYTES) {
      throw new Refusal(ErrorCode.CBOR_TYPE, `a nonce has ${nonce.length} bytes instead of ${Limit.NONCE_BYTES}`);
    }
    if (index > 0 && Buffer.compare(sorted[index - 1]!, nonce) === 0) {
      throw new Refusal(ErrorCode.CBOR_TYPE, "a nonce stands twice in the list");
    }
  });
  return sha256(Buffer.concat([PREFIX, ...sorted]));
}
