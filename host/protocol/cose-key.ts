/** Keys that sign and verify COSE messages: Ed25519 with the one acceptance rule of both ends (docs/protocol.md). */
import { CoseKey, CoseKeyValue } from "../../firmware/protocol/cose-labels.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { encode } from "./cbor.ts";
import { ed25519Secret } from "./ed25519.ts";
import { sha256 } from "./sha256.ts";

export { ed25519Verify, ed25519VerifyAsync, ed25519VerifyManyAsync } from "./ed25519.ts";

/** Who verifies: `kid` (8 bytes) names `publicKey` (32 bytes). */
export type VerificationKey = { readonly kid: Uint8Array; readonly publicKey: Uint8Array };

/** Who signs. The key itself may live elsewhere: all that is asked of it is a signature of 64 bytes. */
export type Signer = VerificationKey & { readonly sign: (message: Uint8Array) => Uint8Array };

/** A signer that holds its key, and signs at once or by another thread. */
export type LocalSigner = Signer & { readonly signAsync: (message: Uint8Array) => Promise<Uint8Array> };

/** Of a 32-byte seed (RFC 8032 section 5.1.5), which it needs no longer: the caller may wipe it. */
export function ed25519Signer(seed: Uint8Array): LocalSigner {
  const { publicKey, sign, signAsync } = ed25519Secret(seed);
  return { ...verificationKey(publicKey), sign, signAsync };
}

export function verificationKey(publicKey: Uint8Array): VerificationKey {
  return { kid: keyId(publicKey), publicKey };
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
