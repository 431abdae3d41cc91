import { createHash } from "node:crypto";
import { sha256 as nobleSha256, sha512 as nobleSha512 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { IO_BYTES, loadPrimitives } from "../../primitives.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { ascii, concat, hex, toHex } from "./bytes.ts";
import { loadProbe, type Probe } from "./probe.ts";

const firmware = loadPrimitives();

/** FIPS 180-4's examples (csrc.nist.gov, "Cryptographic Standards and Guidelines: Example Values"; RFC 6234 section 8.5). */
const figures: Record<"sha256" | "sha512", [string, string][]> = {
  sha256: [
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
  ],
  sha512: [
    [
      "abc",
      `ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
       2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f`,
    ],
    [
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      `8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018
       501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909`,
    ],
  ],
};

/** SHA of a million "a", the third example of FIPS 180-4: too long for one call, so it goes through a context. */
const millionFigures = {
  sha256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  sha512: `e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb
           de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b`,
} as const;

const noble = { sha256: nobleSha256, sha512: nobleSha512 };

let probe: Probe;
beforeAll(async () => {
  probe = await loadProbe();
});

describe.each([
  { name: "sha256", block: 64, bytes: 32 },
  { name: "sha512", block: 128, bytes: 64 },
] as const)("$name", ({ name, block, bytes }) => {
  const bits = name.slice(3);

  /** Hash number `i` of the probe, in pieces. */
  function update(i: number, piece: Uint8Array): void {
    probe.call(`update${bits}`, i, probe.put(0, piece), piece.length);
  }

  function end(i: number): string {
    probe.call(`end${bits}`, i, probe.at(0));
    return toHex(probe.get(probe.at(0), bytes));
  }

  it.each(figures[name])("gives the digest that FIPS 180-4 prints for %j", (message, digest) => {
    expect(firmware[name](ascii(message))).toEqual(hex(digest));
    expect(noble[name](ascii(message))).toEqual(hex(digest));
  });

  it("gives the digest that FIPS 180-4 prints for a million a", () => {
    probe.call(`begin${bits}`, 0);
    for (let i = 0; i < 200; i++) update(0, ascii("a".repeat(5000)));
    expect(end(0)).toBe(toHex(hex(millionFigures[name])));
  });

  it.skipIf(!sharedIsHere)("agrees with every public vector, and so does the host", () => {
    const vectors = sharedJson<{ in: string; out: string }[]>(`vectors/sha2/${name}.json`);
    expect(vectors.length).toBeGreaterThan(100);
    for (const { in: message, out } of vectors) {
      expect(toHex(firmware[name](hex(message)))).toBe(out);
      expect(toHex(noble[name](hex(message)))).toBe(out);
    }
  });

  it("agrees with OpenSSL at every length around the ends of three blocks", () => {
    const message = Uint8Array.from({ length: 3 * block + 2 }, (_, i) => (i * 167 + 13) & 0xff);
    for (let length = 0; length <= message.length; length++) {
      const piece = message.subarray(0, length);
      expect(toHex(firmware[name](piece)), `${length} bytes`).toBe(createHash(name).update(piece).digest("hex"));
    }
  });

  it("takes the whole of the lent buffer, and may write the digest over the message", () => {
    const message = new Uint8Array(IO_BYTES).fill(0x5a);
    expect(toHex(firmware[name](message))).toBe(createHash(name).update(message).digest("hex"));
  });

  it("does not care how a message is cut into pieces, nor what a second hash does meanwhile", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 3 * block }), { maxLength: 8 }),
        fc.array(fc.uint8Array({ maxLength: block }), { maxLength: 8 }),
        (pieces, others) => {
          probe.call(`begin${bits}`, 0);
          probe.call(`begin${bits}`, 1);
          for (let i = 0; i < Math.max(pieces.length, others.length); i++) {
            if (pieces[i]) update(0, pieces[i]!);
            if (others[i]) update(1, others[i]!);
          }
          expect(end(0)).toBe(
            createHash(name)
              .update(concat(...pieces))
              .digest("hex"),
          );
          expect(end(1)).toBe(
            createHash(name)
              .update(concat(...others))
              .digest("hex"),
          );
        },
      ),
    );
  });
});
