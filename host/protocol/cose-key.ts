/** Keys that sign and verify COSE messages: Ed25519 with the one acceptance rule of both ends (docs/protocol.md). */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { CoseKey, CoseKeyValue } from "../../firmware/protocol/cose-labels.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { encode } from "./cbor.ts";

/** Who verifies: `kid` (8 bytes) names `publicKey` (32 bytes). */
export type VerificationKey = { readonly kid: Uint8Array; readonly publicKey: Uint8Array };

/** Who signs. The key itself may live elsewhere: all that is asked of it is a signature of 64 bytes. */
export type Signer = VerificationKey & { readonly sign: (message: Uint8Array) => Uint8Array };

/** A signer that holds its 32-byte seed (RFC 8032 section 5.1.5) in memory. */
export function ed25519Signer(seed: Uint8Array): Signer {
  const publicKey = ed25519.getPublicKey(seed);
  return { kid: keyId(publicKey), publicKey, sign: (message) => ed25519.sign(message, seed) };
}

export function verificationKey(publicKey: Uint8Array): VerificationKey {
  return { kid: keyId(publicKey), publicKey };
}

/**
 * Whether the signature holds: S < L, A and R canonical, A not of small order, the cofactored equation. That is noble
 * with `zip215: false`; its default is the loose mode.
 */
export function ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== Limit.SIGNATURE_BYTES || publicKey.length !== Limit.PUBLIC_KEY_BYTES) return false;
  return ed25519.verify(signature, message, publicKey, { zip215: false });
}

/** The first 8 bytes of the SHA-256 thumbprint of the COSE_Key (RFC 9679 section 3). */
export function keyId(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== Limit.PUBLIC_KEY_BYTES) throw new RangeError("an Ed25519 public key has 32 bytes");
  const key = new Map<number, number | Uint8Array>([
    [CoseKey.KTY, CoseKeyValue.KTY_OKP],
    [CoseKey.CRV, CoseKeyValue.CRV_ED25519],
    [CoseKey.X, publicKey],
  ]);
  return sha256(encode(key)).slice(0, Limit.KID_BYTES);
}
