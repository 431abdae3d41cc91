import { createHash } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type KeyHeader, newLock, openKey, readKeyHeader, sealKey } from "../../../host/keys/key-file.ts";
import { type CborValue, decode, encode } from "../../../host/protocol/cbor.ts";
import { ed25519Signer } from "../../../host/protocol/cose-key.ts";
import { codeOf, LOW_COST, passphrase } from "./folder.ts";

const seed = new Uint8Array(32).fill(7);
const { kid, publicKey } = ed25519Signer(seed);
const header: KeyHeader = {
  kid,
  publicKey,
  createdSeconds: 1_800_000_000,
  label: "Party A",
  status: "active",
  replaces: new Uint8Array(8).fill(1),
};
let file: Uint8Array;

beforeAll(async () => {
  file = await sealKey(header, seed, passphrase(), newLock(LOW_COST));
});

/** The file with some of its parts replaced, its checksum right again: what an attacker would write. */
function forged(change: (fields: Map<CborValue, CborValue>) => void, parts: { sealed?: Uint8Array } = {}): Uint8Array {
  const [magic, version, clear, sealed] = decode(file) as CborValue[];
  const fields = new Map(decode(clear as Uint8Array) as ReadonlyMap<CborValue, CborValue>);
  change(fields);
  const body = [magic!, version!, encode(fields), parts.sealed ?? sealed!];
  return encode([...body, createHash("sha256").update(encode(body)).digest()]);
}

describe("a key file", () => {
  it("gives back the seed and all that it says in the clear", async () => {
    expect(await openKey(file, passphrase())).toEqual({ header, seed: Buffer.from(seed) });
    expect(readKeyHeader(file)).toEqual(header);
  });

  it("is another one each time, for the same key and passphrase", async () => {
    expect(await sealKey(header, seed, passphrase(), newLock(LOW_COST))).not.toEqual(file);
  });

  it("holds the seed nowhere in the clear", () => {
    expect(Buffer.from(file).includes(Buffer.from(seed.subarray(0, 8)))).toBe(false);
  });

  it("holds no seed at all once the key is retired", async () => {
    const retired = { ...header, status: "retired" as const };
    const bytes = await sealKey(retired, undefined, passphrase(), newLock(LOW_COST));
    expect(bytes.length).toBeLessThan(file.length - 28);
    expect(await openKey(bytes, passphrase())).toEqual({ header: retired });
  });

  it("is refused for a wrong passphrase, by its own code", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (wrong) => {
        fc.pre(Buffer.compare(wrong, passphrase()) !== 0);
        expect(await codeOf(() => openKey(file, wrong))).toBe("keys/passphrase");
      }),
      { numRuns: 20 },
    );
  });

  it("is refused with any one byte of it changed, before the passphrase matters", () => {
    for (let at = 0; at < file.length; at++) {
      for (const mask of [0x01, 0x10, 0x80]) {
        const changed = file.slice();
        changed[at]! ^= mask;
        expect(() => readKeyHeader(changed), `byte ${at}`).toThrowError(
          expect.objectContaining({ code: expect.stringMatching(/^keys\/(corrupt|version)$/) }),
        );
      }
    }
  });

  it("is refused at any length but its own", async () => {
    for (let length = 0; length < file.length; length += 7) {
      expect(await codeOf(() => openKey(file.slice(0, length), passphrase()))).toBe("keys/corrupt");
    }
    expect(await codeOf(() => openKey(Buffer.concat([file, file]), passphrase()))).toBe("keys/corrupt");
    expect(await codeOf(() => openKey(new Uint8Array(2000), passphrase()))).toBe("keys/too-long");
  });

  it.each<[string, (fields: Map<CborValue, CborValue>) => void]>([
    ["the time it was made", (fields) => fields.set(3, 1)],
    ["the label", (fields) => fields.set(4, "Party B")],
    ["what it replaces", (fields) => fields.set(6, new Uint8Array(8))],
    ["that it replaces anything", (fields) => fields.delete(6)],
    ["the nonce", (fields) => fields.set(9, new Uint8Array(12))],
    [
      "the public key",
      (fields) => {
        const other = ed25519Signer(new Uint8Array(32));
        fields.set(1, other.kid).set(2, other.publicKey);
      },
    ],
  ])("is refused with %s altered on purpose", async (_what, change) => {
    expect(await codeOf(() => openKey(forged(change), passphrase()))).toBe("keys/corrupt");
  });

  it.each<[string, (fields: Map<CborValue, CborValue>) => void]>([
    ["a cost below the least", (fields) => fields.set(7, [9, 8, 1, new Uint8Array(16)])],
    ["a cost above the most", (fields) => fields.set(7, [21, 8, 1, new Uint8Array(16)])],
    ["other blocks", (fields) => fields.set(7, [10, 9, 1, new Uint8Array(16)])],
    ["too many lanes", (fields) => fields.set(7, [10, 8, 5, new Uint8Array(16)])],
    ["a short salt", (fields) => fields.set(7, [10, 8, 1, new Uint8Array(15)])],
    ["another key's kid", (fields) => fields.set(1, new Uint8Array(8))],
    ["an unknown status", (fields) => fields.set(5, "retiring")],
    ["a status that its seal belies", (fields) => fields.set(5, "retired")],
    ["a label that moves the cursor", (fields) => fields.set(4, "\u001b[2J")],
    ["a field too many", (fields) => fields.set(10, 0)],
    ["a field too few", (fields) => fields.delete(8)],
  ])("is refused for %s before any work is spent on it", (_what, change) => {
    expect(() => readKeyHeader(forged(change))).toThrowError(expect.objectContaining({ code: "keys/corrupt" }));
  });

  it("is refused when its seed is another key's, though the seal holds", async () => {
    const swapped = await sealKey(header, new Uint8Array(32), passphrase(), newLock(LOW_COST));
    expect(await codeOf(() => openKey(swapped, passphrase()))).toBe("keys/corrupt");
  });

  it("is refused when it is of a later version", async () => {
    const [magic, , ...rest] = decode(file) as CborValue[];
    expect(await codeOf(() => openKey(encode([magic!, 2, ...rest]), passphrase()))).toBe("keys/version");
  });

  it.each(["", "x".repeat(65), "two\nlines", "\u202eturned"])("is not made for the label %j", async (label) => {
    expect(await codeOf(() => sealKey({ ...header, label }, seed, passphrase(), newLock(LOW_COST)))).toBe("keys/label");
  });
});
