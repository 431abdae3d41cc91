/** Ed25519 of the host, whoever computes it: the rule of both ends. noble, which has the rule itself, is the judge. */
import { createPublicKey, verify } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ed25519Signer, ed25519Verify, ed25519VerifyAsync, verificationKey } from "../../../host/protocol/cose-key.ts";
import { ed25519VerifyMany } from "../../../host/protocol/ed25519.ts";
import { ed25519Module } from "../../../host/protocol/ed25519-module.ts";
import { concat, fromInteger, hex, toHex, toInteger } from "../../firmware/crypto/bytes.ts";
import {
  a,
  anyOddSignature,
  B,
  forge,
  L,
  message,
  nonCanonical,
  r,
  torsion,
} from "../../firmware/crypto/odd-points.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";

/** The common verdict of every way to ask, which must be noble's. */
async function verdict(signature: Uint8Array, msg: Uint8Array, key: Uint8Array): Promise<boolean> {
  const exact = ed25519.verify(signature, msg, key, { zip215: false });
  const text = `sig ${toHex(signature)} msg ${toHex(msg)} key ${toHex(key)}`;
  expect(ed25519Verify(signature, msg, key), text).toBe(exact);
  expect(await ed25519VerifyAsync(signature, msg, key), text).toBe(exact);
  const item = { signature, message: msg, publicKey: key };
  expect(ed25519VerifyMany(new Array(4).fill(item)), text).toEqual(new Array(4).fill(exact));
  return exact;
}

/** What OpenSSL says by itself. */
function opensslVerdict(signature: Uint8Array, msg: Uint8Array, key: Uint8Array): boolean {
  const spki = Buffer.concat([hex("302a300506032b6570032100"), key]); // RFC 8410 section 4
  return verify(null, msg, createPublicKey({ key: spki, format: "der", type: "spki" }), signature);
}

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const messages = fc.uint8Array({ maxLength: 1000 });

describe("a signer", () => {
  it("has noble's key and makes noble's signatures, at once or by another thread, and both hold", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, messages, async (seed, msg) => {
        const { publicKey, kid, sign, signAsync } = ed25519Signer(seed);
        expect(publicKey).toEqual(ed25519.getPublicKey(seed));
        expect(kid).toEqual(verificationKey(publicKey).kid);
        expect(sign(msg)).toEqual(ed25519.sign(msg, seed));
        expect(await signAsync(msg)).toEqual(sign(msg));
        expect(await verdict(sign(msg), msg, publicKey)).toBe(true);
      }),
    );
  });

  it("needs its seed no longer than to be made", () => {
    const seed = new Uint8Array(32).fill(9);
    const signer = ed25519Signer(seed);
    const before = signer.sign(message);
    seed.fill(0);
    expect(signer.sign(message)).toEqual(before);
  });

  it("is not made of a seed of another length", () => {
    for (const length of [0, 31, 33, 64]) expect(() => ed25519Signer(new Uint8Array(length))).toThrow("32 bytes");
  });
});

describe("verdicts on published vectors are those that are published", () => {
  type Rfc8032 = { name: string; publicKey: string; message: string; signature: string };
  type SignInput = { pk: string; msg: string; sig: string };
  type Wycheproof = {
    testGroups: {
      publicKey: { pk: string };
      tests: { tcId: number; msg: string; sig: string; result: "valid" | "invalid" }[];
    }[];
  };

  it.skipIf(!sharedIsHere)("for RFC 8032 and the sample of sign.input", async () => {
    for (const { publicKey, message, signature } of sharedJson<Rfc8032[]>("vectors/ed25519/rfc8032.json")) {
      expect(await verdict(hex(signature), hex(message), hex(publicKey))).toBe(true);
    }
    for (const { pk, msg, sig } of sharedJson<SignInput[]>("vectors/ed25519/signinput_sample_a.json")) {
      expect(await verdict(hex(sig), hex(msg), hex(pk))).toBe(true);
    }
  });

  it.skipIf(!sharedIsHere)("for Wycheproof, signatures of another length among them", async () => {
    const { testGroups } = sharedJson<Wycheproof>("vectors/ed25519/wycheproof_ed25519_odd.json");
    const tests = testGroups.flatMap(({ publicKey, tests }) => tests.map((one) => ({ ...one, key: publicKey.pk })));
    expect(tests).toHaveLength(76);
    for (const { tcId, msg, sig, result, key } of tests) {
      const [signature, text, publicKey] = [hex(sig), hex(msg), hex(key)];
      const given = [
        ed25519Verify(signature, text, publicKey),
        await ed25519VerifyAsync(signature, text, publicKey),
        // noble has no verdict on other lengths: it throws.
        sig.length === 128 ? await verdict(signature, text, publicKey) : false,
      ];
      expect(given, `tcId ${tcId}`).toEqual(new Array(3).fill(result === "valid"));
    }
  });
});

describe("where OpenSSL has another rule", () => {
  it("what only the cofactored equation accepts is accepted, though OpenSSL refuses it", async () => {
    let refused = 0;
    for (const t of torsion) {
      const A = B.multiply(a).add(t).toBytes();
      for (const u of torsion) {
        const signature = forge(B.multiply(r).add(u).toBytes(), A, r, a);
        if (!opensslVerdict(signature, message, A)) refused++;
        expect(await verdict(signature, message, A)).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(40);
  });

  it("keys of small order are refused, though OpenSSL accepts them", async () => {
    let accepted = 0;
    for (const t of torsion) {
      const A = t.toBytes();
      for (const [R, secret] of [...torsion.map((u) => [u, 0n] as const), [B.multiply(r), r] as const]) {
        const signature = forge(R.toBytes(), A, secret, 0n);
        if (opensslVerdict(signature, message, A)) accepted++;
        expect(await verdict(signature, message, A)).toBe(false);
      }
    }
    expect(accepted).toBeGreaterThan(8);
  });

  it("keys in a second encoding are refused, though OpenSSL accepts them", async () => {
    let accepted = 0;
    for (const A of nonCanonical) {
      for (const [R, secret] of [...torsion.map((u) => [u, 0n] as const), [B.multiply(r), r] as const]) {
        const signature = forge(R.toBytes(), A, secret, 0n);
        if (opensslVerdict(signature, message, A)) accepted++;
        expect(await verdict(signature, message, A)).toBe(false);
      }
    }
    expect(accepted).toBeGreaterThan(8);
  });

  it("an R in a second encoding is refused, and so is one that is no point", async () => {
    const A = B.multiply(a).toBytes();
    for (const R of [...nonCanonical, fromInteger(2n)]) {
      expect(await verdict(forge(R, A, 0n, a), message, A)).toBe(false);
      expect(await verdict(forge(R, A, r, a), message, A)).toBe(false);
    }
  });

  it("every S at and over L is refused, and what lies at the edges is judged as it should be", async () => {
    const A = B.multiply(a).toBytes();
    const good = forge(B.multiply(r).toBytes(), A, r, a);
    const S = toInteger(good.subarray(32));
    expect(await verdict(good, message, A)).toBe(true);
    for (let i = 1n; S + i * L < 2n ** 256n; i++) {
      expect(await verdict(concat(good.subarray(0, 32), fromInteger(S + i * L)), message, A)).toBe(false);
    }
    // S = 0 with R = -kA: good, and S = L is the same number again.
    for (const edge of [0n, 1n, L - 1n, L, L + 1n]) {
      const R = B.multiply(r).toBytes();
      expect(await verdict(concat(R, fromInteger(edge)), message, A)).toBe(false);
    }
  });

  it("any odd key and R is judged as noble does, whether it was honestly signed, or a bit changed", async () => {
    const seen = { true: 0, false: 0 };
    const judge = async ({ signature, key }: { signature: Uint8Array; key: Uint8Array }) => {
      seen[`${await verdict(signature, message, key)}`]++;
    };
    await fc.assert(fc.asyncProperty(anyOddSignature, judge), { numRuns: 1000 });
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(20);
  });
});

describe("a signature", () => {
  it("with any one bit changed, in itself, the message or the key, does not hold", async () => {
    const { publicKey, sign } = ed25519Signer(new Uint8Array(32).fill(3));
    const parts = [sign(message), message.slice(), publicKey] as const;
    expect(await verdict(...parts)).toBe(true);
    for (const [which, part] of parts.entries()) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        expect(ed25519Verify(...parts), `part ${which}, bit ${bit}`).toBe(false);
        expect(await ed25519VerifyAsync(...parts), `part ${which}, bit ${bit}`).toBe(false);
        part[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
    expect(await verdict(...parts)).toBe(true);
  });

  it("of another length, or under a key of another length, does not hold", async () => {
    const { publicKey, sign } = ed25519Signer(new Uint8Array(32).fill(3));
    const signature = sign(message);
    for (const [sig, key] of [
      [signature.subarray(1), publicKey],
      [concat(signature, Uint8Array.of(0)), publicKey],
      [new Uint8Array(0), publicKey],
      [signature, publicKey.subarray(1)],
      [signature, concat(publicKey, Uint8Array.of(0))],
    ] as const) {
      expect([ed25519Verify(sig, message, key), await ed25519VerifyAsync(sig, message, key)]).toEqual([false, false]);
    }
  });

  it("is judged by its own bytes where many are judged at once", async () => {
    const signers = Array.from({ length: 8 }, (_, i) => ed25519Signer(new Uint8Array(32).fill(i)));
    const asked = Array.from({ length: 200 }, (_, i) => {
      const { sign, publicKey } = signers[i % 8]!;
      const signature = sign(Uint8Array.of(i));
      if (i % 3 === 0) signature[i % 64]! ^= 1;
      return { signature, text: Uint8Array.of(i), publicKey, holds: i % 3 !== 0 };
    });
    const given = await Promise.all(asked.map((one) => ed25519VerifyAsync(one.signature, one.text, one.publicKey)));
    expect(given).toEqual(asked.map(({ holds }) => holds));
  });
});

describe("many signatures at once", () => {
  const [one, other] = [1, 2].map((fill) => ed25519Signer(new Uint8Array(32).fill(fill)));
  const item = (i: number, signer = i % 3 === 0 ? other! : one!) => {
    const text = new Uint8Array(i % 300).fill(i);
    return { signature: signer.sign(text), message: text, publicKey: signer.publicKey };
  };

  it("are judged by the module, which the tests' build makes", () => {
    expect(ed25519Module).toBeDefined();
  });

  it("all hold where each does, for any number of them", () => {
    for (const count of [0, 1, 2, 3, 4, 5, 63, 64, 65, 128, 200]) {
      const items = Array.from({ length: count }, (_, i) => item(i));
      expect(ed25519VerifyMany(items), `${count}`).toEqual(new Array(count).fill(true));
    }
  });

  it("are judged each as noble does, whatever they are mixed with", () => {
    fc.assert(
      fc.property(fc.array(anyOddSignature, { minLength: 4, maxLength: 80 }), fc.nat(80), (odd, honest) => {
        const items = [
          ...odd.map(({ signature, key }) => ({ signature, message, publicKey: key })),
          ...Array.from({ length: honest }, (_, i) => item(i)),
        ];
        const exact = items.map((one) => ed25519.verify(one.signature, one.message, one.publicKey, { zip215: false }));
        expect(ed25519VerifyMany(items)).toEqual(exact);
      }),
      { numRuns: 20 },
    );
  });

  it("do not hold for one another: two errors that would cancel out in a plain sum are both found", () => {
    const [first, second] = [item(1), item(2)];
    const delta = 12345n;
    const shift = (signature: Uint8Array, by: bigint) =>
      concat(signature.subarray(0, 32), fromInteger((toInteger(signature.subarray(32)) + by + L) % L));
    const items = [
      { ...first, signature: shift(first.signature, delta) },
      { ...second, signature: shift(second.signature, -delta) },
      item(3),
      item(4),
    ];
    expect(ed25519VerifyMany(items)).toEqual([false, false, true, true]);
  });

  it("of odd lengths do not hold, and do not hide the others", () => {
    const good = item(7);
    const items = [good, { ...good, signature: good.signature.subarray(1) }, good, { ...good, publicKey: hex("00") }];
    expect(ed25519VerifyMany([...items, good])).toEqual([true, false, true, false, true]);
  });

  it("and messages longer than the module has room for are judged all the same", async () => {
    const long = new Uint8Array(ed25519Module!.messageBytesMax + 1).fill(5);
    const signature = one!.sign(long);
    const { publicKey } = one!;
    const wrong = { ...item(8), message: long };
    expect(ed25519Verify(signature, long, publicKey)).toBe(true);
    expect(ed25519VerifyMany([item(8), { signature, message: long, publicKey }, wrong])).toEqual([true, true, false]);
    expect(await ed25519VerifyAsync(wrong.signature, long, wrong.publicKey)).toBe(false);
  });
});
