/** Verification under keys that signed before: every verdict must be the one of a key that is new. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadPrimitives } from "../../primitives.ts";
import { concat, fromInteger } from "./bytes.ts";
import { a, anyOddSignature, B, forge, L, message, nonCanonical, r, torsion } from "./odd-points.ts";
import { loadProbe } from "./probe.ts";

/** Places for keys: as many as an agreement may name. */
const PLACES = 12;

const firmware = loadPrimitives();

/** As for a key whose combs are built, if it can be one: a good signature of it comes three times first. */
function known(signature: Uint8Array, key: Uint8Array, good: Uint8Array): boolean {
  for (let i = 0; i < 3; i++) expect(firmware.ed25519VerifyKnown(good, message, key)).toBe(true);
  return firmware.ed25519VerifyKnown(signature, message, key);
}

describe("a known key", () => {
  const keys = torsion.map((t) => B.multiply(a).add(t).toBytes());
  const goodOf = (key: Uint8Array) => forge(B.multiply(r).toBytes(), key, r, a);

  it("of mixed order accepts every R of mixed or small order: the equation is the cofactored one", () => {
    for (const key of keys) {
      for (const u of torsion) {
        expect(known(forge(B.multiply(r).add(u).toBytes(), key, r, a), key, goodOf(key))).toBe(true);
        expect(known(forge(u.toBytes(), key, 0n, a), key, goodOf(key))).toBe(true);
      }
    }
  });

  it("refuses an R that is not canonically encoded, and any S of L or more", () => {
    for (const key of keys) {
      for (const R of nonCanonical) expect(known(forge(R, key, 0n, a), key, goodOf(key))).toBe(false);
      const good = goodOf(key);
      const S = good.subarray(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
      for (let i = 1n; S + i * L < 2n ** 256n; i++) {
        expect(known(concat(good.subarray(0, 32), fromInteger(S + i * L)), key, good)).toBe(false);
      }
    }
  });

  it("gives the verdict of a new key on any odd signature", () => {
    const seen = new Set<boolean>();
    const verdict = fc.property(anyOddSignature, ({ signature, key }) => {
      const expected = firmware.ed25519Verify(signature, message, key);
      seen.add(expected);
      for (let i = 0; i < 3; i++) expect(firmware.ed25519VerifyKnown(signature, message, key)).toBe(expected);
    });
    fc.assert(verdict, { numRuns: 500 });
    expect(seen).toEqual(new Set([true, false]));
  });
});

describe("the places for known keys", () => {
  const crowd = Array.from({ length: 2 * PLACES + 1 }, (_, i) => {
    const seed = new Uint8Array(32).fill(i + 1);
    return { key: firmware.ed25519PublicKey(seed), signature: firmware.ed25519Sign(seed, message) };
  });

  it("serve more keys than there are, in any order, with every verdict right", () => {
    const turn = fc.record({ signer: fc.nat(crowd.length - 1), claimed: fc.nat(crowd.length - 1) });
    fc.assert(
      fc.property(fc.array(turn, { minLength: 40, maxLength: 80 }), (turns) => {
        for (const { signer, claimed } of turns) {
          const verdict = firmware.ed25519VerifyKnown(crowd[signer]!.signature, message, crowd[claimed]!.key);
          expect(verdict).toBe(signer === claimed);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe("combs that a fault cleared", () => {
  const COMB_BYTES = 4 * 8 * 96;
  const seed = new Uint8Array(32).fill(9);
  const key = firmware.ed25519PublicKey(seed);
  const good = firmware.ed25519Sign(seed, message);
  /** S = 7 with R = B, which nobody signed. */
  const forged = concat(B.toBytes(), fromInteger(7n));

  /** A key with combs, where they stand, and how it judges. */
  async function knownOn() {
    const probe = await loadProbe();
    const judge = (signature: Uint8Array) =>
      probe.call(
        "ed25519ResidueKnown",
        probe.put(0, signature),
        probe.put(128, message),
        message.length,
        probe.put(64, key),
      ) === 0;
    for (let i = 0; i < 3; i++) expect(judge(good)).toBe(true);
    return { probe, judge, combs: probe.call("knownCombsAt", probe.put(64, key)) };
  }

  it("let nothing pass, whether all of them are gone or one entry", async () => {
    const { probe, judge, combs } = await knownOn();
    const whole = probe.get(combs, COMB_BYTES);
    const clears = [[0, COMB_BYTES], ...Array.from({ length: 32 }, (_, i) => [i * 96, 96])];
    for (const [at, length] of clears) {
      probe.poke(combs, whole);
      expect(judge(good)).toBe(true);
      probe.poke(combs + at!, new Uint8Array(length!));
      for (let s = 7n; s < 15n; s++) {
        expect(judge(concat(B.toBytes(), fromInteger(s))), `cleared from ${at}, S = ${s}`).toBe(false);
      }
    }
  });

  it("let nothing pass when they are taken for built before they are", async () => {
    const { probe, judge, combs } = await knownOn();
    probe.poke(combs, new Uint8Array(COMB_BYTES));
    expect(judge(forged)).toBe(false);
    // The mark of being built stands right before them.
    probe.poke(combs - 8, new Uint8Array(8).fill(0xff));
    expect(judge(forged)).toBe(false);
    expect(judge(good)).toBe(false);
  });

  it("are no identity: a point with Z = 0 is none", async () => {
    const { probe } = await knownOn();
    expect(probe.call("pointCofactor", probe.put(0, new Uint8Array(144)))).not.toBe(0);
  });
});
