/** `coseSign1Verify` of `primitives.wasm`, which also takes what others write, against the host's tolerant reading. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoseFlag } from "../../../firmware/protocol/cose-labels.ts";
import { type CborValue, encode, Tagged } from "../../../host/protocol/cbor.ts";
import { ed25519Signer, sign1Structure, verificationKey, verifySign1 } from "../../../host/protocol/cose.ts";
import { damaged } from "../../host/protocol/cbor-arbitrary.ts";
import { loadPrimitives } from "../../primitives.ts";
import { codeOf, hex } from "../../refusals.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";

const primitives = loadPrimitives();
const signer = ed25519Signer(new Uint8Array(32).fill(9));
const NONE = new Uint8Array(0);

/** The verdict of both ends, which must be one. */
function verifies(message: Uint8Array, publicKey = signer.publicKey, aad: Uint8Array = NONE): boolean {
  const firmware = primitives.coseSign1Verify(message, publicKey, aad);
  const host = codeOf(() => verifySign1(message, verificationKey(publicKey), aad, CoseFlag.TOLERANT)) === 0;
  expect(host, `firmware and host differ on ${Buffer.from(message).toString("hex")}`).toBe(firmware);
  return firmware;
}

function signed(
  guarded: string,
  open: CborValue,
  aad: Uint8Array = NONE,
  payload: Uint8Array = hex("010203"),
  tagged = true,
) {
  const signature = signer.sign(sign1Structure(hex(guarded), aad, payload));
  const message = [hex(guarded), open, payload, signature];
  return encode(tagged ? new Tagged(18, message) : message);
}

describe("coseSign1Verify", () => {
  test("takes both names of the algorithm, tagged and untagged, any kid or none, and further headers", () => {
    const unprotected: CborValue[] = [
      new Map(),
      new Map([[4, hex("3131")]]),
      new Map<CborValue, CborValue>([
        [5, new Map([["nested", [hex("00"), new Tagged(1000, "x")]]])],
        [-70000, true],
        ["text", null],
      ]),
    ];
    for (const guarded of ["a10132", "a10127", "a201320300", "a30127043adeadbeef0563616263"]) {
      for (const open of unprotected) {
        for (const tagged of [true, false]) {
          const expected = !guarded.startsWith("a3");
          expect(verifies(signed(guarded, open, NONE, hex("010203"), tagged)), guarded).toBe(expected);
        }
      }
    }
  });

  test("refuses what RFC 9052 refuses: a label in both headers, a critical header, an algorithm that is not protected", () => {
    const cases: [string, CborValue][] = [
      ["a10132", new Map([[1, -19]])],
      ["a2013204423131", new Map([[4, hex("3131")]])],
      ["a201320300", new Map([[3, 0]])],
      ["a2013261780a", new Map([["x", 0]])],
      ["a20132028103", new Map()],
      ["", new Map([[1, -19]])],
      ["", new Map()],
      ["a0", new Map()],
      ["a10126", new Map()],
      ["a10133", new Map()],
      ["a1013b0000000000000012", new Map()],
      ["a101820132", new Map()],
      ["a10132", new Map([[hex("00"), 0]])],
      ["a1013200", new Map()],
      ["80", new Map()],
    ];
    for (const [guarded, open] of cases) expect(verifies(signed(guarded, open)), guarded).toBe(false);
  });

  test("binds the external data", () => {
    for (const aad of [hex("00"), new Uint8Array(23), new Uint8Array(256).fill(7)]) {
      const message = signed("a10132", new Map(), aad);
      expect(verifies(message, signer.publicKey, aad)).toBe(true);
      expect(verifies(message)).toBe(false);
      expect(verifies(message, signer.publicKey, aad.slice(1))).toBe(false);
    }
  });

  test("takes a message of 4 KiB and no longer one, and no external data that would not fit", () => {
    const message = (bytes: number) => signed("a10132", new Map(), NONE, new Uint8Array(bytes));
    const most = 4096 - message(1000).length + 1000;
    expect([message(most).length, verifies(message(most))]).toEqual([4096, true]);
    expect(verifies(message(most + 1))).toBe(false);
    const aad = new Uint8Array(1000);
    expect(verifies(signed("a10132", new Map(), aad, hex("01")), signer.publicKey, aad)).toBe(true);
    expect(verifies(signed("a10132", new Map(), aad, new Uint8Array(4000)), signer.publicKey, aad)).toBe(false);
  });

  test("judges damaged messages alike on both ends", () => {
    const messages = [
      signed("a10132", new Map([[4, hex("3131")]])),
      signed(
        "a201320300",
        new Map<CborValue, CborValue>([
          [4, hex("3131")],
          ["x", [1, 2]],
        ]),
        NONE,
        NONE,
        false,
      ),
    ];
    let accepted = 0;
    fc.assert(
      fc.property(damaged(fc.constantFrom(...messages)), (bytes) => {
        if (verifies(bytes)) accepted++;
      }),
      { numRuns: 2500 },
    );
    // Damage to what is not signed (an unprotected header) may pass here; the strict profile leaves none of it.
    expect(accepted).toBeLessThan(1000);
  });

  test("never traps, whatever it is given", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void expect(verifies(bytes)).toBe(false)),
      { numRuns: 1000 },
    );
  });
});

describe.runIf(sharedIsHere)("published messages", () => {
  type Example = {
    input: { sign0?: { key: { x_hex?: string } } };
    output: { cbor: string };
  };
  const verdicts = (file: string, key: (example: Example) => Uint8Array) =>
    Object.entries(sharedJson<Record<string, Example>>(`vectors/cose/${file}`)).map(([name, example]) => {
      const aad = name.endsWith("sign-pass-02.json") ? hex("11aa22bb33cc44dd55006699") : NONE;
      return [name, verifies(hex(example.output.cbor), key(example), aad)];
    });

  test("EdDSA examples of the COSE working group: the COSE_Sign1 with Ed25519 holds, the rest is refused", () => {
    const KEY = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    expect(verdicts("cose_wg_eddsa.json", () => KEY)).toEqual([
      ["eddsa-examples/eddsa-01.json", false],
      ["eddsa-examples/eddsa-02.json", false],
      ["eddsa-examples/eddsa-sig-01.json", true],
      ["eddsa-examples/eddsa-sig-02.json", false],
    ]);
  });

  test("none with another algorithm is taken: ES256 messages, and the CWT examples of RFC 8392", () => {
    const others = [...verdicts("cose_wg_sign1_tests.json", () => signer.publicKey)];
    others.push(...verdicts("cose_wg_cwt.json", () => signer.publicKey));
    expect(others).toHaveLength(14);
    expect(others.filter(([, accepted]) => accepted)).toEqual([]);
  });
});
