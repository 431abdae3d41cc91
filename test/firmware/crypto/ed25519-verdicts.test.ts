/** The edge cases on which Ed25519 libraries disagree: each verdict must be the host's, and noble's with `zip215: false`. */
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ed25519Verify } from "../../../host/protocol/cose-key.ts";
import { loadPrimitives } from "../../primitives.ts";
import { concat, fromInteger, toHex, toInteger } from "./bytes.ts";
import { a, anyOddSignature, B, forge, L, message, nonCanonical, r, torsion } from "./odd-points.ts";
import { loadProbe, type Probe } from "./probe.ts";

const { Point } = ed25519;

const firmware = loadPrimitives();

let probe: Probe;
beforeAll(async () => {
  probe = await loadProbe();
});

/** The common verdict of firmware and host; fails where they differ, or where the residue says something else. */
function verdict(signature: Uint8Array, msg: Uint8Array, key: Uint8Array): boolean {
  const ours = firmware.ed25519Verify(signature, msg, key);
  const text = `sig ${toHex(signature)} msg ${toHex(msg)} key ${toHex(key)}`;
  expect(ed25519.verify(signature, msg, key, { zip215: false }), text).toBe(ours);
  expect(ed25519Verify(signature, msg, key), text).toBe(ours);
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
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(anyOddSignature, ({ signature, key }) => void seen.add(verdict(signature, message, key))),
      { numRuns: 1000 },
    );
    expect(seen).toEqual(new Set([true, false]));
  });
});
