/**
 * Points and signatures on which Ed25519 libraries disagree (Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs",
 * 2020), made here from the group itself.
 */
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { ascii, concat, fromInteger, toInteger } from "./bytes.ts";

const { Point } = ed25519;

const P = 2n ** 255n - 19n;
export const L = Point.Fn.ORDER;
export const B = Point.BASE;
export const message = ascii("quiesce");
/** The eight points of small order. */
export const torsion = ED25519_TORSION_SUBGROUP.map((text) => Point.fromHex(text));
/** Two secrets, as scalars. */
export const a = 0x1234567890abcdef1234567890abcdef1234567890abcdefn;
export const r = 0xfedcba0987654321fedcba0987654321fedcba0987654321n;

/** Every encoding that does not come out of the encoder: y of p or more, and x = 0 with the sign bit. */
export const nonCanonical: Uint8Array[] = [1n, P - 1n].map((y) => fromInteger(y + 2n ** 255n));
for (let y = P; y < 2n ** 255n; y++) nonCanonical.push(fromInteger(y), fromInteger(y + 2n ** 255n));

function challenge(R: Uint8Array, A: Uint8Array): bigint {
  return toInteger(sha512(concat(R, A, message))) % L;
}

/** A signature on `message`: S for the secrets r and a over whatever encodings R and A have. */
export function forge(R: Uint8Array, A: Uint8Array, rSecret: bigint, aSecret: bigint): Uint8Array {
  return concat(R, fromInteger((rSecret + challenge(R, A) * aSecret) % L));
}

/** Any odd key and R, honestly signed or not, with or without one bit changed: the signature, then the key. */
export const anyOddSignature: fc.Arbitrary<{ signature: Uint8Array; key: Uint8Array }> = (() => {
  // A point with the secret to it: of any torsion, or in an encoding that nobody should make.
  const secrets = fc.constantFrom(0n, 1n, a, r, L - 1n);
  const mixed = fc.record({ secret: secrets, t: fc.constantFrom(...torsion) }).map(({ secret, t }) => ({
    secret,
    bytes: B.multiplyUnsafe(secret).add(t).toBytes(),
  }));
  const odd = fc.constantFrom(...nonCanonical).map((bytes) => ({ secret: 0n, bytes }));
  const point = fc.oneof({ weight: 4, arbitrary: mixed }, { weight: 1, arbitrary: odd });
  const lie = fc.oneof({ weight: 4, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: secrets });
  const change = fc.option(fc.nat({ max: 767 }));
  return fc.tuple(point, point, lie, change).map(([A, R, lied, bit]) => {
    const all = concat(forge(R.bytes, A.bytes, R.secret + lied, A.secret), A.bytes);
    if (bit !== null) all[bit >> 3]! ^= 1 << (bit & 7);
    return { signature: all.subarray(0, 64), key: all.subarray(64) };
  });
})();
