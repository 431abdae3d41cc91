/** COSE_Sign1 and COSE_Sign of the wire profile on both ends: the same verdict, and the same code. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { CoseFlag, CoseProof } from "../../../firmware/protocol/cose-labels.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { type CborValue, encode, Tagged } from "../../../host/protocol/cbor.ts";
import {
  addSignature,
  draftSign,
  ed25519Signer,
  parseSign,
  type Signer,
  sign1Structure,
  signSign1,
  signStructure,
  verifyQuorum,
  verifySign1,
} from "../../../host/protocol/cose.ts";
import { damaged } from "../../host/protocol/cbor-arbitrary.ts";
import { codeOf, hex } from "../../refusals.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { loadProbe, type Probe } from "../probe.ts";

let probe: Probe;
beforeAll(async () => {
  probe = await loadProbe();
});

const seed = (index: number) => new Uint8Array(32).fill(index + 1);
const signers: Signer[] = [0, 1, 2, 3].map((index) => ed25519Signer(seed(index)));
const [alice, bob, carol, mallory] = signers as [Signer, Signer, Signer, Signer];
const keys = [alice, bob, carol];
const AAD = Buffer.from("test/1");
const PAYLOAD = encode(new Map([[1, "a payload"]]));
const PROTECTED = hex("a10132");

const entry = (key: Signer) => Buffer.concat([key.kid, key.publicKey]);

/** Both ends on a COSE_Sign1 from `key`. The firmware's proof must say the same as its code. */
function verdict1(bytes: Uint8Array, key: Signer = alice, aad: Uint8Array = AAD): number {
  const [ptr, keyAt, aadAt] = probe.put(bytes, entry(key), aad);
  const firmware = probe.wasm.accept(ptr!, bytes.length, keyAt!, aadAt!, aad.length);
  expect(probe.wasm.acceptProof() === CoseProof.MAGIC).toBe(firmware === ErrorCode.OK);
  const host = codeOf(() => verifySign1(bytes, key, aad));
  expect(host, `firmware and host differ on ${Buffer.from(bytes).toString("hex")}`).toBe(firmware);
  return firmware;
}

/** Both ends on a COSE_Sign against a quorum. The firmware's proof must say the same as its code. */
function verdict(bytes: Uint8Array, threshold = 2, among: Signer[] = keys, aad: Uint8Array = AAD): number {
  const [ptr, keysAt, aadAt] = probe.put(bytes, Buffer.concat(among.map(entry)), aad);
  const { wasm } = probe;
  const firmware = wasm.quorum(ptr!, bytes.length, keysAt!, among.length, threshold, aadAt!, aad.length);
  expect(wasm.quorumProof() === CoseProof.MAGIC).toBe(firmware === ErrorCode.OK);
  let found: number[] = [];
  const host = codeOf(() => {
    const result = verifyQuorum(bytes, among, threshold, aad);
    found = result.signers;
    expect(probe.bytes(wasm.quorumPayload(), wasm.quorumPayloadLength())).toEqual(result.payload);
  });
  expect(host, `firmware and host differ on ${Buffer.from(bytes).toString("hex")}`).toBe(firmware);
  if (firmware === ErrorCode.OK) {
    expect(wasm.quorumSigners()).toBe(found.reduce((bits, index) => bits | (1 << index), 0));
  }
  return firmware;
}

const signedBy = (...by: Signer[]) =>
  by.reduce((bytes, signer) => addSignature(bytes, signer, AAD), draftSign(PAYLOAD));

type Fields = { guarded?: Uint8Array; open?: CborValue; payload?: CborValue; tag?: number | undefined };

/** A COSE_Sign1 with a field changed before it is signed, so that the signature holds for what is sent. */
function sign1With(fields: Fields): Uint8Array {
  const guarded = fields.guarded ?? PROTECTED;
  const payload = fields.payload === undefined ? PAYLOAD : fields.payload;
  const signature = alice.sign(sign1Structure(guarded, AAD, payload instanceof Uint8Array ? payload : PAYLOAD));
  const message = [guarded, fields.open ?? new Map([[4, alice.kid]]), payload, signature];
  return encode("tag" in fields && fields.tag === undefined ? message : new Tagged(fields.tag ?? 18, message));
}

/** One signature of a COSE_Sign, with a field changed before it is signed. */
function signatureWith(by: Signer, fields: Fields & { body?: Uint8Array }): CborValue {
  const guarded = fields.guarded ?? PROTECTED;
  const signature = by.sign(signStructure(fields.body ?? new Uint8Array(0), guarded, AAD, PAYLOAD));
  return [guarded, fields.open ?? new Map([[4, by.kid]]), signature];
}

const signOf = (signatures: CborValue, body: CborValue = new Uint8Array(0), open: CborValue = new Map()) =>
  encode(new Tagged(98, [body, open, PAYLOAD, signatures]));

/** Changes that both kinds of message share: the layer that carries a signature. */
const LAYERS: [string, Fields, ErrorCode][] = [
  ["takes the layer as it should be", {}, ErrorCode.OK],
  ["refuses a protected header that is no map", { guarded: hex("01") }, ErrorCode.COSE_FORM],
  ["refuses an empty map for a protected header", { guarded: hex("a0") }, ErrorCode.COSE_FORM],
  ["refuses a protected header that is not deterministic", { guarded: hex("a1013800") }, ErrorCode.CBOR_NOT_SHORTEST],
  ["refuses a protected header with bytes after it", { guarded: hex("a1013200") }, ErrorCode.CBOR_TRAILING],
  ["refuses an unprotected header that is no map", { open: [] }, ErrorCode.COSE_FORM],
  ["refuses a message without an algorithm", { guarded: new Uint8Array(0) }, ErrorCode.COSE_ALGORITHM],
  ["refuses the deprecated EdDSA", { guarded: hex("a10127") }, ErrorCode.COSE_ALGORITHM],
  ["refuses another algorithm", { guarded: hex("a10126") }, ErrorCode.COSE_ALGORITHM],
  ["refuses an algorithm by name", { guarded: hex("a101654564445341") }, ErrorCode.COSE_ALGORITHM],
  [
    "refuses an algorithm that is not protected",
    { guarded: new Uint8Array(0), open: new Map([[1, -19]]) },
    ErrorCode.COSE_ALGORITHM,
  ],
  [
    "refuses an algorithm in both headers",
    {
      open: new Map<number, CborValue>([
        [1, -19],
        [4, alice.kid],
      ]),
    },
    ErrorCode.COSE_HEADER_TWICE,
  ],
  ["refuses any critical header", { guarded: hex("a2013202811863") }, ErrorCode.COSE_CRITICAL],
  ["refuses a critical header even of what it knows", { guarded: hex("a20132028101") }, ErrorCode.COSE_CRITICAL],
  [
    "refuses a critical header that is not protected",
    {
      open: new Map<number, CborValue>([
        [2, [1]],
        [4, alice.kid],
      ]),
    },
    ErrorCode.COSE_CRITICAL,
  ],
  ["refuses an unknown protected header", { guarded: hex("a201320300") }, ErrorCode.COSE_HEADER],
  [
    "refuses an unknown unprotected header",
    {
      open: new Map<number, CborValue>([
        [4, alice.kid],
        [5, hex("00")],
      ]),
    },
    ErrorCode.COSE_HEADER,
  ],
  [
    "refuses a header with a text label",
    {
      open: new Map<CborValue, CborValue>([
        [4, alice.kid],
        ["x", 0],
      ]),
    },
    ErrorCode.COSE_HEADER,
  ],
  [
    "refuses a header whose label is neither number nor text",
    {
      open: new Map<CborValue, CborValue>([
        [4, alice.kid],
        [hex("00"), 0],
      ]),
    },
    ErrorCode.COSE_HEADER,
  ],
  [
    "refuses a header label of 64 bits",
    {
      open: new Map<CborValue, CborValue>([
        [4, alice.kid],
        [2n ** 64n - 1n, 0],
      ]),
    },
    ErrorCode.COSE_HEADER,
  ],
  ["refuses a message without a kid", { open: new Map() }, ErrorCode.COSE_KID],
  ["refuses a kid of another length", { open: new Map([[4, alice.kid.slice(1)]]) }, ErrorCode.COSE_KID],
  ["refuses a kid that is no byte string", { open: new Map([[4, 7]]) }, ErrorCode.COSE_KID],
  [
    "refuses a protected kid",
    { guarded: Buffer.concat([hex("a2013204"), encode(alice.kid)]), open: new Map() },
    ErrorCode.COSE_KID,
  ],
];

describe("COSE_Sign1", () => {
  for (const [title, fields, code] of LAYERS) test(title, () => expect(verdict1(sign1With(fields))).toBe(code));

  test("refuses a message of another form, tag or payload, each with its code", () => {
    const good = sign1With({});
    const cases: [string, Uint8Array, ErrorCode][] = [
      ["untagged", sign1With({ tag: undefined }), ErrorCode.COSE_TAG],
      ["another tag", sign1With({ tag: 98 }), ErrorCode.COSE_TAG],
      ["two tags", encode(new Tagged(61, new Tagged(18, []))), ErrorCode.COSE_TAG],
      ["a COSE_Sign", signedBy(alice, bob), ErrorCode.COSE_TAG],
      ["no array", encode(new Tagged(18, 0)), ErrorCode.COSE_FORM],
      ["three fields", encode(new Tagged(18, [PROTECTED, new Map(), PAYLOAD])), ErrorCode.COSE_FORM],
      ["five fields", encode(new Tagged(18, [PROTECTED, new Map(), PAYLOAD, hex("00"), 0])), ErrorCode.COSE_FORM],
      [
        "protected map not in a string",
        encode(new Tagged(18, [new Map(), new Map(), PAYLOAD, hex("")])),
        ErrorCode.COSE_FORM,
      ],
      ["detached payload", sign1With({ payload: null }), ErrorCode.COSE_PAYLOAD],
      ["payload not in a string", sign1With({ payload: "text" }), ErrorCode.COSE_FORM],
      [
        "signature not in a string",
        encode(new Tagged(18, [PROTECTED, new Map([[4, alice.kid]]), PAYLOAD, 0])),
        ErrorCode.COSE_FORM,
      ],
      [
        "short signature",
        encode(new Tagged(18, [PROTECTED, new Map([[4, alice.kid]]), PAYLOAD, hex("00")])),
        ErrorCode.COSE_SIGNATURE,
      ],
      ["cut short", good.slice(0, -1), ErrorCode.CBOR_TRUNCATED],
      ["a byte more", Buffer.concat([good, hex("00")]), ErrorCode.CBOR_TRAILING],
      ["over 4 KiB", Buffer.concat([good, new Uint8Array(4096)]), ErrorCode.CBOR_LENGTH],
      ["nothing", new Uint8Array(0), ErrorCode.CBOR_TRUNCATED],
    ];
    expect(cases.map(([name, bytes]) => [name, verdict1(bytes)])).toEqual(cases.map(([name, , code]) => [name, code]));
  });

  test("refuses another key, another purpose, and another's signature under this kid", () => {
    const good = sign1With({});
    expect(verdict1(good, bob)).toBe(ErrorCode.COSE_KID);
    expect(verdict1(good, alice, Buffer.from("test/2"))).toBe(ErrorCode.COSE_SIGNATURE);
    expect(verdict1(good, alice, new Uint8Array(0))).toBe(ErrorCode.COSE_SIGNATURE);
    expect(verdict1(signSign1(PAYLOAD, { ...alice, sign: bob.sign }, AAD))).toBe(ErrorCode.COSE_SIGNATURE);
    expect(verdict1(signSign1(PAYLOAD, alice, AAD))).toBe(ErrorCode.OK);
  });

  test("refuses a message with any one bit changed", () => {
    const good = signSign1(Uint8Array.of(7), alice, AAD);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(verdict1(bad), `bit ${bit}`).not.toBe(ErrorCode.OK);
    }
  });

  test("takes the longest message there is, and the firmware writes the same bytes as the host", () => {
    for (const length of [0, 1, 300, 4096 - 90]) {
      const payload = new Uint8Array(length).fill(length);
      const size = 4096;
      const secret = [seed(0), alice.publicKey, alice.kid];
      const [out, at, seedAt, key, kid, aad] = probe.put(new Uint8Array(size), payload, ...secret, AAD);
      const write = (room: number) => probe.wasm.write(out!, room, seedAt!, key!, kid!, at!, length, aad!, AAD.length);
      const written = write(size);
      const message = signSign1(payload, alice, AAD);
      expect(Buffer.from(probe.bytes(out!, written)).equals(message)).toBe(true);
      expect(verdict1(message)).toBe(ErrorCode.OK);
      expect(write(written - 1)).toBe(-1);
    }
    expect(codeOf(() => signSign1(new Uint8Array(4096), alice, AAD))).toBe(ErrorCode.CBOR_LENGTH);
  });
});

describe("the quorum of a COSE_Sign", () => {
  for (const [title, fields, code] of LAYERS) {
    test(`of a signature: ${title}`, () => {
      expect(verdict(signOf([signatureWith(alice, fields)]), 1)).toBe(code);
      expect(verdict(signOf([signatureWith(bob, {}), signatureWith(alice, fields)]))).toBe(code);
    });
  }

  const swapped = (at: number, by: Signer) => ({ ...signers[at]!, sign: by.sign }) as Signer;
  const QUORUMS: [string, () => Uint8Array, ErrorCode][] = [
    ["takes two of three parties, in either order", () => signedBy(alice, carol), ErrorCode.OK],
    ["takes them in the other order", () => signedBy(carol, alice), ErrorCode.OK],
    ["refuses one signature where two are needed", () => signedBy(alice), ErrorCode.COSE_QUORUM],
    [
      "refuses three where two are asked for: no signature may be idle",
      () => signedBy(alice, bob, carol),
      ErrorCode.COSE_SIGNATURES_SURPLUS,
    ],
    ["doesn't count a stranger", () => signedBy(alice, mallory), ErrorCode.COSE_QUORUM],
    [
      "doesn't count a stranger whose signature is bad",
      () => signedBy(alice, swapped(3, alice)),
      ErrorCode.COSE_QUORUM,
    ],
    ["refuses a known party's bad signature", () => signedBy(alice, swapped(1, mallory)), ErrorCode.COSE_SIGNATURE],
    [
      "refuses a known party's bad signature next to a stranger's",
      () => signedBy(mallory, swapped(1, mallory)),
      ErrorCode.COSE_SIGNATURE,
    ],
    [
      "counts a party that signed twice once, and says so",
      () => signOf([signatureWith(alice, {}), signatureWith(alice, {})]),
      ErrorCode.COSE_SIGNER_TWICE,
    ],
    ["refuses a message that nobody signed", () => draftSign(PAYLOAD), ErrorCode.COSE_FORM],
    ["refuses signatures that are no array", () => signOf(0), ErrorCode.COSE_FORM],
    ["refuses a signature that is no array of three", () => signOf([[PROTECTED, new Map()], 0]), ErrorCode.COSE_FORM],
    ["refuses a signature in text", () => signOf([[PROTECTED, new Map(), "x"], 0]), ErrorCode.COSE_FORM],
    [
      "refuses a short signature",
      () => signOf([[PROTECTED, new Map([[4, alice.kid]]), hex("00")], 0]),
      ErrorCode.COSE_SIGNATURE,
    ],
    ["refuses an algorithm for the whole body", () => signOf([0, 0], PROTECTED), ErrorCode.COSE_HEADER],
    ["refuses an empty map for the body's protected header", () => signOf([0, 0], hex("a0")), ErrorCode.COSE_FORM],
    [
      "refuses a kid for the whole body",
      () => signOf([0, 0], hex(""), new Map([[4, alice.kid]])),
      ErrorCode.COSE_HEADER,
    ],
    ["refuses a critical header in the body", () => signOf([0, 0], hex("a1028101")), ErrorCode.COSE_CRITICAL],
    ["refuses a COSE_Sign1", () => signSign1(PAYLOAD, alice, AAD), ErrorCode.COSE_TAG],
    ["refuses an untagged message", () => encode([hex(""), new Map(), PAYLOAD, [0, 0]]), ErrorCode.COSE_TAG],
    [
      "refuses a detached payload",
      () => encode(new Tagged(98, [hex(""), new Map(), null, [0, 0]])),
      ErrorCode.COSE_PAYLOAD,
    ],
    [
      "refuses a Sign1 signature in its place",
      () => signOf([[PROTECTED, new Map([[4, alice.kid]]), alice.sign(sign1Structure(PROTECTED, AAD, PAYLOAD))], 0]),
      ErrorCode.COSE_SIGNATURE,
    ],
  ];
  for (const [title, bytes, code] of QUORUMS) test(title, () => expect(verdict(bytes())).toBe(code));

  test("counts against the threshold it is given, and opens nothing for a threshold of none", () => {
    expect(verdict(signedBy(alice), 1)).toBe(ErrorCode.OK);
    expect(verdict(signedBy(alice, bob, carol), 3)).toBe(ErrorCode.OK);
    expect(verdict(signedBy(alice), 0)).toBe(ErrorCode.COSE_QUORUM);
    expect(verdict(signedBy(alice), -1)).toBe(ErrorCode.COSE_QUORUM);
    expect(verdict(signedBy(mallory), 1, [])).toBe(ErrorCode.COSE_QUORUM);
    expect(verdict(signedBy(alice, bob), 2, [alice, alice])).toBe(ErrorCode.COSE_QUORUM);
    expect(verdict(signedBy(alice, bob), 2, keys, Buffer.from("test/2"))).toBe(ErrorCode.COSE_SIGNATURE);
  });

  test("refuses a party's signature moved here from another payload", () => {
    const other = parseSign(addSignature(draftSign(Uint8Array.of(1)), bob, AAD)).signatures[0]!;
    const moved = signOf([signatureWith(alice, {}), [PROTECTED, new Map([[4, bob.kid]]), other.signature]]);
    expect(verdict(moved)).toBe(ErrorCode.COSE_SIGNATURE);
  });

  test("refuses a message with any one bit changed", () => {
    const good = signedBy(alice, bob);
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) => {
        const bad = good.slice();
        bad[bit >> 3]! ^= 1 << (bit & 7);
        expect(verdict(bad)).not.toBe(ErrorCode.OK);
      }),
      { numRuns: 400 },
    );
  });

  test("judges damaged messages alike on both ends, and never accepts one", () => {
    const good = signedBy(alice, bob);
    fc.assert(
      fc.property(damaged(fc.constant(good)), (bytes) => {
        const same = Buffer.from(bytes).equals(good);
        expect(verdict(bytes) === ErrorCode.OK).toBe(same);
      }),
      { numRuns: 1500 },
    );
  });
});

describe.runIf(sharedIsHere)("the COSE working group's examples of COSE_Sign", () => {
  type Example = { output: { cbor: string }; intermediates: { signers: { ToBeSign_hex: string }[] } };
  const examples = () => sharedJson<Record<string, Example>>("vectors/cose/cose_wg_eddsa.json");
  const KEY = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

  function firstSignature(name: string, flags: CoseFlag): number {
    const bytes = hex(examples()[name]!.output.cbor);
    const [ptr, key] = probe.put(bytes, KEY);
    return probe.wasm.firstSignature(ptr!, bytes.length, flags, key!, ptr!, 0);
  }

  test("Ed25519 holds where others' headers are tolerated, and is refused by the strict profile", () => {
    expect(firstSignature("eddsa-examples/eddsa-01.json", CoseFlag.TOLERANT)).toBe(ErrorCode.OK);
    expect(firstSignature("eddsa-examples/eddsa-01.json", CoseFlag.STRICT)).toBe(ErrorCode.COSE_HEADER);
  });

  test("Ed448 is refused: its signature has another length", () => {
    expect(firstSignature("eddsa-examples/eddsa-02.json", CoseFlag.TOLERANT)).toBe(ErrorCode.COSE_SIGNATURE);
    expect(firstSignature("eddsa-examples/eddsa-02.json", CoseFlag.STRICT)).toBe(ErrorCode.COSE_ALGORITHM);
  });
});
