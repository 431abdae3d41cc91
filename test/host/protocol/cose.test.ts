/** COSE of the host by itself: key ids, parties signing one after another, and published examples. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CoseFlag } from "../../../firmware/protocol/cose-labels.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { type CborValue, cborCheck, decode, encode, Tagged } from "../../../host/protocol/cbor.ts";
import {
  addSignature,
  draftSign,
  ed25519Signer,
  ed25519Verify,
  keyId,
  parseSign,
  parseSign1,
  sign1Structure,
  signSign1,
  signStructure,
  verificationKey,
  verifyQuorum,
  verifySign1,
} from "../../../host/protocol/cose.ts";
import { codeOf, hex } from "../../refusals.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";

const AAD = Buffer.from("test/1");
const alice = ed25519Signer(new Uint8Array(32).fill(1));
const bob = ed25519Signer(new Uint8Array(32).fill(2));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("keys", () => {
  test("a key id is the beginning of the key's COSE thumbprint (RFC 9679)", () => {
    // {1: 1, -1: 6, -2: x} written out by hand.
    const coseKey = Buffer.concat([hex("a3 0101 2006 215820"), alice.publicKey]);
    expect(hexOf(keyId(alice.publicKey))).toBe(createHash("sha256").update(coseKey).digest("hex").slice(0, 16));
    expect(verificationKey(alice.publicKey)).toEqual({ kid: alice.kid, publicKey: alice.publicKey });
    expect(() => keyId(new Uint8Array(31))).toThrow("32 bytes");
  });

  test("a signature or a key of the wrong length doesn't verify", () => {
    const signature = alice.sign(AAD);
    expect(ed25519Verify(signature, AAD, alice.publicKey)).toBe(true);
    expect(ed25519Verify(signature.slice(1), AAD, alice.publicKey)).toBe(false);
    expect(ed25519Verify(signature, AAD, alice.publicKey.slice(1))).toBe(false);
  });
});

describe("one signer", () => {
  test("a message has the form of the wire profile, to the byte", () => {
    const message = signSign1(hex("0102"), alice, AAD);
    const signature = alice.sign(encode(["Signature1", hex("a10132"), AAD, hex("0102")]));
    expect(hexOf(message)).toBe(`d28443a10132a10448${hexOf(alice.kid)}4201025840${hexOf(signature)}`);
  });

  test("the key may be looked up by the kid", () => {
    const message = signSign1(hex("0102"), bob, AAD);
    const among = (kid: Uint8Array | undefined) => [alice, bob].find((key) => hexOf(key.kid) === hexOf(kid!));
    const { payload, key } = verifySign1(message, among, AAD);
    expect([payload, key]).toEqual([hex("0102"), bob]);
    expect(codeOf(() => verifySign1(message, () => undefined, AAD))).toBe(ErrorCode.COSE_KID);
    // A look-up that answers with another key doesn't help.
    expect(codeOf(() => verifySign1(message, () => alice, AAD))).toBe(ErrorCode.COSE_KID);
  });

  test("a signer may keep its key elsewhere", () => {
    const asked: string[] = [];
    const remote = {
      ...verificationKey(alice.publicKey),
      sign(message: Uint8Array) {
        asked.push(hexOf(message));
        return alice.sign(message);
      },
    };
    expect(signSign1(hex("00"), remote, AAD)).toEqual(signSign1(hex("00"), alice, AAD));
    expect(asked).toEqual([hexOf(sign1Structure(hex("a10132"), AAD, hex("00")))]);
  });
});

describe("several signers", () => {
  test("a message has the form of the wire profile, to the byte", () => {
    const message = addSignature(addSignature(draftSign(hex("0102")), alice, AAD), bob, AAD);
    const structure = encode(["Signature", hex(""), hex("a10132"), AAD, hex("0102")]);
    const part = (key: typeof alice) => `8343a10132a10448${hexOf(key.kid)}5840${hexOf(key.sign(structure))}`;
    expect(hexOf(message)).toBe(`d8628440a042010282${part(alice)}${part(bob)}`);
    expect(parseSign(message).signatures.map((each) => each.kid)).toEqual([alice.kid, bob.kid]);
    expect(verifyQuorum(message, [bob, alice], 2, AAD)).toEqual({ payload: hex("0102"), signers: [1, 0] });
  });

  test("nobody signs twice, and nobody adds to what is not such a message", () => {
    const once = addSignature(draftSign(hex("00")), alice, AAD);
    expect(codeOf(() => addSignature(once, alice, AAD))).toBe(ErrorCode.COSE_SIGNER_TWICE);
    expect(codeOf(() => addSignature(signSign1(hex("00"), alice, AAD), bob, AAD))).toBe(ErrorCode.COSE_TAG);
    expect(codeOf(() => draftSign(new Uint8Array(5000)))).toBe(ErrorCode.CBOR_LENGTH);
  });

  test("no message grows over what a mailbox takes", () => {
    expect(codeOf(() => addSignature(draftSign(new Uint8Array(4050)), alice, AAD))).toBe(ErrorCode.CBOR_LENGTH);
    const far = new Uint8Array(5000);
    expect(codeOf(() => signSign1(hex("00"), alice, far))).toBe(ErrorCode.CBOR_LENGTH);
    expect(codeOf(() => verifySign1(signSign1(hex("00"), alice, AAD), alice, far))).toBe(ErrorCode.COSE_SIGNATURE);
  });
});

describe.runIf(sharedIsHere)("published examples", () => {
  type Example = {
    fail?: boolean;
    input: { plaintext?: string; plaintext_hex?: string; sign0?: { external?: string } };
    intermediates: { ToBeSign_hex?: string; signers?: { ToBeSign_hex: string }[] };
    output: { cbor: string };
  };
  const examples = (file: string) => Object.entries(sharedJson<Record<string, Example>>(`vectors/cose/${file}`));
  const fieldsOf = (bytes: Uint8Array) => {
    const value = decode(bytes);
    return (value instanceof Tagged ? value.value : value) as [Uint8Array, CborValue, Uint8Array, CborValue];
  };

  test("what is signed is what the COSE working group says is signed", () => {
    let count = 0;
    for (const [name, example] of [...examples("cose_wg_sign1_tests.json"), ...examples("cose_wg_eddsa.json")]) {
      const [guarded, , payload, last] = fieldsOf(hex(example.output.cbor));
      const external = hex(example.input.sign0?.external ?? "");
      const sign1 = example.intermediates.ToBeSign_hex?.toLowerCase();
      if (example.fail !== true && sign1 !== undefined) {
        expect(hexOf(sign1Structure(guarded, external, payload)), name).toBe(sign1);
        count++;
      }
      const sign = example.intermediates.signers?.[0]?.ToBeSign_hex.toLowerCase();
      if (sign !== undefined) {
        const signature = (last as CborValue[])[0] as [Uint8Array];
        expect(hexOf(signStructure(guarded, signature[0], external, payload)), name).toBe(sign);
        count++;
      }
    }
    expect(count).toBe(7);
  });

  test("the Ed25519 COSE_Sign1 verifies where others' headers are tolerated", () => {
    const [, example] = examples("cose_wg_eddsa.json").find(([name]) => name.endsWith("eddsa-sig-01.json"))!;
    const publicKey = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const message = hex(example.output.cbor);
    const { payload } = verifySign1(message, verificationKey(publicKey), hex(""), CoseFlag.TOLERANT);
    expect(Buffer.from(payload).toString()).toBe("This is the content.");
    expect(codeOf(() => verifySign1(message, verificationKey(publicKey), hex("")))).toBe(ErrorCode.COSE_ALGORITHM);
  });

  test("each COSE_Sign1 of the working group and each CWT of RFC 8392 is refused for its own reason", () => {
    const reasons = [...examples("cose_wg_sign1_tests.json"), ...examples("cose_wg_cwt.json")].map(
      ([name, example]) => [name, codeOf(() => parseSign1(hex(example.output.cbor), CoseFlag.TOLERANT))],
    );
    // Another tag: fail-01, and the CWTs that are MACed (17) or encrypted (16). All others are ES256, or claim less.
    const tags = ["sign1-tests/sign-fail-01.json", "CWT/A_4.json", "CWT/A_5.json", "CWT/A_6.json", "CWT/A_7.json"];
    expect(reasons).toEqual(
      reasons.map(([name]) => [name, tags.includes(String(name)) ? ErrorCode.COSE_TAG : ErrorCode.COSE_ALGORITHM]),
    );
  });

  test("the CWT examples of RFC 8392 read as CBOR of the profile, and their claims too where they hold no float", () => {
    for (const [name, example] of examples("cose_wg_cwt.json")) {
      expect(cborCheck(hex(example.output.cbor)), name).toBe(ErrorCode.OK);
      const claims = hex(example.input.plaintext_hex!);
      expect(cborCheck(claims), name).toBe(name.endsWith("A_7.json") ? ErrorCode.CBOR_FLOAT : ErrorCode.OK);
    }
    const [, signedToken] = examples("cose_wg_cwt.json").find(([name]) => name === "CWT/A_3.json")!;
    expect(decode(fieldsOf(hex(signedToken.output.cbor))[2])).toEqual(
      new Map<number, CborValue>([
        [1, "coap://as.example.com"],
        [2, "erikw"],
        [3, "coap://light.example.com"],
        [4, 1444064944],
        [5, 1443944944],
        [6, 1443944944],
        [7, hex("0b71")],
      ]),
    );
  });
});
