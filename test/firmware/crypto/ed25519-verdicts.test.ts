/**
 * The edge cases on which Ed25519 libraries disagree (Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", 2020),
 * made here from the group itself. Each verdict must be the host's, which is noble with `zip215: false`.
 */
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { loadPrimitives } from "../../primitives.ts";
import { ascii, concat, fromInteger, toHex, toInteger } from "./bytes.ts";
import { loadProbe, type Probe } from "./probe.ts";

const { Point } = ed25519;

const firmware = loadPrimitives();
const P = 2n ** 255n - 19n;
const L = Point.Fn.ORDER;
const B = Point.BASE;
const message = ascii("quiesce");
/** The eight points of small order. */
const torsion = ED25519_TORSION_SUBGROUP.map((text) => Point.fromHex(text));
/** Two secrets, as scalars. */
const a = 0x1234567890abcdef1234567890abcdef1234567890abcdefn;
const r = 0xfedcba0987654321fedcba0987654321fedcba0987654321n;

let probe: Probe;
beforeAll(async () => {
  probe = await loadProbe();
});

/** Every encoding that does not come out of the encoder: y of p or more, and x = 0 with the sign bit. */
const nonCanonical: Uint8Array[] = [1n, P - 1n].map((y) => fromInteger(y + 2n ** 255n));
for (let y = P; y < 2n ** 255n; y++) nonCanonical.push(fromInteger(y), fromInteger(y + 2n ** 255n));

function challenge(R: Uint8Array, A: Uint8Array, msg: Uint8Array): bigint {
  return toInteger(sha512(concat(R, A, msg))) % L;
}

/** S for the secrets r and a over whatever encodings R and A have. */
function forge(R: Uint8Array, A: Uint8Array, rSecret: bigint, aSecret: bigint): Uint8Array {
  return concat(R, fromInteger((rSecret + challenge(R, A, message) * aSecret) % L));
}

/** The common verdict of firmware and host; fails where they differ, or where the residue says something else. */
function verdict(signature: Uint8Array, msg: Uint8Array, key: Uint8Array): boolean {
  const ours = firmware.ed25519Verify(signature, msg, key);
  const text = `sig ${toHex(signature)} msg ${toHex(msg)} key ${toHex(key)}`;
  expect(ed25519.verify(signature, msg, key, { zip215: false }), text).toBe(ours);
  const residue = probe.call(
    "ed25519Residue",
    probe.put(0, signature),
    probe.put(128, msg),
    msg.length,
    probe.put(64, key),
  );
  expect(residue === 0, text).toBe(ours);
  return ours;
}

describe("Ed25519 verdicts", () => {
  it("accepts a key and an R of mixed order: the equation is the cofactored one", () => {
    for (const t of torsion) {
      const A = B.multiply(a).add(t).toBytes();
      for (const u of torsion) {
        const R = B.multiply(r).add(u).toBytes();
        expect(verdict(forge(R, A, r, a), message, A)).toBe(true);
      }
    }
  });

  it("accepts an R of small order under a proper key", () => {
    const A = B.multiply(a).toBytes();
    for (const u of torsion) expect(verdict(forge(u.toBytes(), A, 0n, a), message, A)).toBe(true);
  });

  it("refuses a key of small order, though the equation holds", () => {
    for (const t of torsion) {
      const A = t.toBytes();
      for (const u of torsion) {
        expect(verdict(forge(u.toBytes(), A, 0n, 0n), message, A)).toBe(false);
        const R = B.multiply(r).add(u).toBytes();
        expect(verdict(forge(R, A, r, 0n), message, A)).toBe(false);
      }
    }
  });

  it("refuses an R that is not canonically encoded, though the equation holds", () => {
    const A = B.multiply(a).toBytes();
    expect(nonCanonical.length).toBe(40);
    for (const R of nonCanonical) {
      expect(verdict(forge(R, A, 0n, a), message, A)).toBe(false);
      expect(verdict(forge(R, A, r, a), message, A)).toBe(false);
    }
  });

  it("refuses a key that is not canonically encoded, though the equation holds", () => {
    for (const A of nonCanonical) {
      for (const R of [B.multiply(r).toBytes(), torsion[1]!.toBytes(), ...nonCanonical.slice(0, 6)]) {
        expect(verdict(forge(R, A, r, 0n), message, A)).toBe(false);
        expect(verdict(forge(R, A, 0n, 0n), message, A)).toBe(false);
      }
    }
  });

  it("refuses S of L or more, of which each signature has fifteen", () => {
    const A = B.multiply(a).toBytes();
    const good = forge(B.multiply(r).toBytes(), A, r, a);
    const S = toInteger(good.subarray(32));
    expect(verdict(good, message, A)).toBe(true);
    for (let i = 1n; S + i * L < 2n ** 256n; i++) {
      expect(verdict(concat(good.subarray(0, 32), fromInteger(S + i * L)), message, A)).toBe(false);
    }
    for (const top of [0x20, 0x40, 0x80, 0xe0]) {
      const high = good.slice();
      high[63]! |= top;
      expect(verdict(high, message, A)).toBe(false);
    }
  });

  it("refuses any S at the edges of its range that was not made with the key", () => {
    const A = B.multiply(a).toBytes();
    for (const S of [0n, 1n, L - 1n, L, L + 1n, 2n ** 252n, 2n ** 253n - 1n, 2n ** 256n - 1n]) {
      for (const R of [B.toBytes(), B.negate().toBytes(), Point.ZERO.toBytes()]) {
        expect(verdict(concat(R, fromInteger(S)), message, A)).toBe(false);
      }
    }
  });

  it("refuses a key or an R that is no point", () => {
    const A = B.multiply(a).toBytes();
    const good = forge(B.multiply(r).toBytes(), A, r, a);
    let refused = 0;
    for (let y = 2n; refused < 20; y++) {
      const bytes = fromInteger(y);
      if (ed25519.utils.isValidPublicKey(bytes, false)) continue;
      refused++;
      expect(verdict(good, message, bytes)).toBe(false);
      expect(verdict(forge(bytes, A, r, a), message, A)).toBe(false);
    }
  });

  it("gives the host's verdict on any odd key and R, honestly signed or not, with or without one bit changed", () => {
    // A point with the secret to it: of any torsion, or in an encoding that nobody should make.
    const secrets = fc.constantFrom(0n, 1n, a, r, L - 1n);
    const mixed = fc.record({ secret: secrets, t: fc.constantFrom(...torsion) }).map(({ secret, t }) => ({
      secret,
      bytes: Point.BASE.multiplyUnsafe(secret).add(t).toBytes(),
    }));
    const odd = fc.constantFrom(...nonCanonical).map((bytes) => ({ secret: 0n, bytes }));
    const point = fc.oneof({ weight: 4, arbitrary: mixed }, { weight: 1, arbitrary: odd });
    const lie = fc.oneof({ weight: 4, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: secrets });
    const change = fc.option(fc.nat({ max: 767 }));
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(point, point, lie, change, (A, R, lied, bit) => {
        const all = concat(forge(R.bytes, A.bytes, R.secret + lied, A.secret), A.bytes);
        if (bit !== null) all[bit >> 3]! ^= 1 << (bit & 7);
        seen.add(verdict(all.subarray(0, 64), message, all.subarray(64)));
      }),
      { numRuns: 1000 },
    );
    expect(seen).toEqual(new Set([true, false]));
  });
});
