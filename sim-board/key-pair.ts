/**
 * Ed25519 and HKDF for what stands beside the governor in silicon: the factory and the boot ROM. By OpenSSL, so that they
 * share nothing with the governor's own code, and a fleet is switched on in a quarter of the time.
 */
import { createPrivateKey, createPublicKey, hkdfSync, sign } from "node:crypto";

const SEED_BYTES = 32;
/** A secret key as JWK (RFC 8037 section 2) must have its public part, which OpenSSL makes anew and does not look at. */
const ANY_X = Buffer.alloc(SEED_BYTES).toString("base64url");

export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** Of a seed of 32 bytes (RFC 8032 section 5.1.5). */
export function keyPairOf(seed: Uint8Array): KeyPair {
  if (seed.length !== SEED_BYTES) throw new RangeError("an Ed25519 seed has 32 bytes");
  const d = Buffer.from(seed).toString("base64url");
  // OpenSSL 3 takes nine times as long to read the same key as DER.
  const key = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", d, x: ANY_X }, format: "jwk" });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  return {
    publicKey: new Uint8Array(Buffer.from(x!, "base64url")),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

/** HKDF-SHA256 (RFC 5869), 32 bytes of it. Without a salt: as many zeros as a hash has bytes. */
export function derivedSeed(ikm: Uint8Array, salt: Uint8Array | undefined, info: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", ikm, salt ?? new Uint8Array(0), info, SEED_BYTES));
}
