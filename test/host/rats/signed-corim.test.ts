/** Signed manifests: whose they are, and that nothing is believed of one that nobody trusted signed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CborValue, Tagged } from "../../../host/protocol/cbor.ts";
import { sign1Structure } from "../../../host/protocol/cose.ts";
import { decodeForeign, encodeForeign } from "../../../host/rats/corim-cbor.ts";
import { CorimError, type CorimErrorCode } from "../../../host/rats/errors.ts";
import { signCorim, verifyCorim } from "../../../host/rats/signed-corim.ts";
import { encodeCorim } from "../../../host/rats/write-corim.ts";
import { signerOf } from "../fake-governor.ts";
import { cborLike, damaged } from "../protocol/cbor-arbitrary.ts";
import { comidOf, comidTag, corimAround, corimOf, DIGEST, map, RECORD, time, uri } from "./corim-parts.ts";

const north = signerOf("north silicon");
const south = signerOf("south silicon");
const stranger = signerOf("stranger");
const TRUSTED = [south, north];

function refusalOf(read: () => unknown): CorimErrorCode | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof CorimError) return error.code;
    throw error;
  }
  return undefined;
}

const CORIM = corimAround(RECORD);
const META = encodeForeign(map([0, map([0, "North Silicon"])]));
const TYPE = "application/rim+cbor";
const HEADER: [CborValue, CborValue][] = [
  [1, -19],
  [3, TYPE],
  [8, META],
];

/** A COSE_Sign1 as another tool might write it, signed over whatever stands in it. */
function signed(header: [CborValue, CborValue][], open: CborValue = map(), payload: Uint8Array = CORIM): Uint8Array {
  const guarded = encodeForeign(map(...header));
  const signature = north.sign(sign1Structure(guarded, new Uint8Array(0), payload));
  return encodeForeign(new Tagged(18, [guarded, open, payload, signature]));
}
const withHeader = (label: CborValue, value: CborValue) =>
  signed([...HEADER.filter(([known]) => known !== label), [label, value]]);

describe("a signed manifest", () => {
  const draft = { id: "rim-1", measurements: [{ digest: DIGEST, svnLeast: 3, vendor: "North Silicon", model: "N-1" }] };

  it("is read under the key that signed it, which it names with its signer", () => {
    const bytes = signCorim(encodeCorim(draft), north, "North Silicon");
    const { measurements, signer, id } = verifyCorim(bytes, TRUSTED);
    expect({ id, measurements }).toEqual({ id: "rim-1", measurements: [{ ...draft.measurements[0], isNamed: true }] });
    expect(signer).toEqual({ name: "North Silicon", key: north });
  });

  it("is valid while both the manifest and its signature are", () => {
    const corim = encodeCorim({ ...draft, validity: { notBeforeSeconds: 10, notAfterSeconds: 40 } });
    const bytes = signCorim(corim, north, "North Silicon", { notAfterSeconds: 30 });
    expect(verifyCorim(bytes, TRUSTED).validity).toEqual({ notBeforeSeconds: 10, notAfterSeconds: 30 });
  });

  it("of others is read as they write it: EdDSA, any kid or none, certificates beside it, CWT claims for its signer", () => {
    const cwt = map([1, "North Silicon"], [2, "rim"], [4, 30], [5, 10], [-70_000, "x"]);
    const others = [
      withHeader(1, -8),
      withHeader(4, Buffer.from("their key no. 1")),
      signed(HEADER, map([4, north.kid])),
      signed(HEADER, map([33, DIGEST])),
      withHeader(33, [DIGEST, DIGEST]),
      signed([
        [1, -19],
        [3, TYPE],
        [15, cwt],
      ]),
      signed(
        HEADER,
        map(),
        encodeForeign(new Tagged(500, new Tagged(501, map([0, "r"], [1, [comidTag(comidOf([RECORD]))]])))),
      ),
      encodeForeign(new Tagged(500, new Tagged(502, new Tagged(18, partsOf(signed(HEADER)))))),
    ];
    for (const bytes of others) {
      const { measurements, signer } = verifyCorim(bytes, TRUSTED);
      expect([measurements.length, signer.name, signer.key]).toEqual([1, "North Silicon", north]);
    }
    expect(verifyCorim(others[5]!, TRUSTED).validity).toEqual({ notBeforeSeconds: 10, notAfterSeconds: 30 });
  });

  it("may name its signer twice only if both say the same", () => {
    const meta = encodeForeign(
      map([0, map([0, "North Silicon"], [1, uri("https://north.example")])], [1, map([1, time(30)])]),
    );
    const header = (cwt: CborValue): [CborValue, CborValue][] => [
      [1, -19],
      [3, TYPE],
      [8, meta],
      [15, cwt],
    ];
    expect(verifyCorim(signed(header(map([1, "North Silicon"], [4, 30]))), TRUSTED).signer.name).toBe("North Silicon");
    expect(refusalOf(() => verifyCorim(signed(header(map([1, "Other"], [4, 30]))), TRUSTED))).toBe("corim/header");
    expect(refusalOf(() => verifyCorim(signed(header(map([1, "North Silicon"], [4, 31]))), TRUSTED))).toBe(
      "corim/header",
    );
  });

  it("is refused with a bit changed anywhere in it", () => {
    const bytes = signCorim(encodeCorim(draft), north, "North Silicon");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(
        refusalOf(() => verifyCorim(bytes, TRUSTED)),
        `bit ${bit}`,
      ).toBeDefined();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it("is refused when nobody who is trusted signed it", () => {
    const bytes = signCorim(encodeCorim(draft), stranger, "North Silicon");
    expect(refusalOf(() => verifyCorim(bytes, TRUSTED))).toBe("corim/signature");
    expect(refusalOf(() => verifyCorim(bytes, []))).toBe("corim/signature");
  });

  it("is never read as an unsigned one, nor an unsigned one as signed", () => {
    expect(refusalOf(() => verifyCorim(CORIM, TRUSTED))).toBe("corim/unsigned");
  });

  const [guarded, , , signature] = partsOf(signed(HEADER)) as CborValue[];
  const parts = (...fields: CborValue[]) => encodeForeign(new Tagged(18, fields));
  // biome-ignore format: a table
  const REFUSED: [string, CorimErrorCode, Uint8Array][] = [
    ["of three parts", "corim/form", parts(guarded!, map(), CORIM)],
    ["without a protected header", "corim/form", parts(map(...HEADER), map(), CORIM, signature!)],
    ["with its payload elsewhere", "corim/payload", parts(guarded!, map(), null, signature!)],
    ["with a signature that is cut", "corim/signature", parts(guarded!, map(), CORIM, (signature as Uint8Array).subarray(1))],
    ["with a signature that is a number", "corim/signature", parts(guarded!, map(), CORIM, 1)],
    ["with an unprotected header that is none", "corim/header", parts(guarded!, [], CORIM, signature!)],
    ["with another algorithm", "corim/algorithm", withHeader(1, -7)],
    ["with no algorithm", "corim/header", signed(HEADER.slice(1))],
    ["with the algorithm unprotected", "corim/header", signed(HEADER.slice(1), map([1, -19]))],
    ["of another content type", "corim/header", withHeader(3, "application/cbor")],
    ["without a content type", "corim/header", signed([HEADER[0]!, HEADER[2]!])],
    ["that says nothing of its signer", "corim/header", signed(HEADER.slice(0, 2))],
    ["with critical headers", "corim/header", withHeader(2, [8])],
    ["with a header that is not known here", "corim/header", withHeader(258, -16)],
    ["with a header by a name", "corim/header", withHeader("x", 0)],
    ["with an unprotected header that is not known here", "corim/header", signed(HEADER, map([9, 0]))],
    ["with the kid in both headers", "corim/header", signed([...HEADER, [4, north.kid]], map([4, north.kid]))],
    ["with a kid that is a text", "corim/header", withHeader(4, "key")],
    ["with a signer without a name", "corim/header", withHeader(8, encodeForeign(map([0, map([1, uri("https://x.example")])])))],
    ["with a description of its signer that is not CBOR", "corim/cbor", withHeader(8, Uint8Array.of(0xff))],
    ["over a CoMID instead of a CoRIM", "corim/kind", signed(HEADER, map(), encodeForeign(comidOf([RECORD])))],
    ["over something that is not CBOR", "corim/cbor", signed(HEADER, map(), Uint8Array.of(0xff))],
    ["over a manifest with a profile", "corim/profile", signed(HEADER, map(), corimOf([comidTag(comidOf([RECORD]))], [3, uri("https://p.example")]))],
  ];
  it.each(REFUSED)("is refused %s", (_name, code, bytes) => {
    expect(refusalOf(() => verifyCorim(bytes, TRUSTED))).toBe(code);
  });

  it("is read or refused, never a crash, whatever its bytes are; and read only if it is the one that was signed", () => {
    const bytes = signed(HEADER);
    fc.assert(
      fc.property(fc.oneof(cborLike, damaged(fc.constant(bytes))), (other) => {
        const code = refusalOf(() => verifyCorim(other, TRUSTED));
        expect(code === undefined).toBe(Buffer.compare(other, bytes) === 0);
      }),
      { numRuns: 300 },
    );
  });

  it("is read at the length of a thousand images", () => {
    const measurements = Array.from({ length: 1000 }, (_, index) => ({
      digest: new Uint8Array(32).fill(index & 255),
      svnLeast: index,
      vendor: "North Silicon",
      model: `N-${index}`,
    }));
    const bytes = signCorim(encodeCorim({ id: "all", measurements }), north, "North Silicon");
    expect(bytes.length).toBeGreaterThan(64 * 1024);
    expect(verifyCorim(bytes, TRUSTED).measurements).toHaveLength(1000);
  });
});

/** The four fields of a COSE_Sign1. */
function partsOf(bytes: Uint8Array): CborValue {
  return (decodeForeign(bytes) as Tagged).value;
}
