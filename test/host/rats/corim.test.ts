/** Reference values from manifests: what is read of a CoRIM or a CoMID, what is passed over, and what is refused. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CborValue, Tagged } from "../../../host/protocol/cbor.ts";
import { readCorim } from "../../../host/rats/corim.ts";
import { CORIM_BYTES_MAX, encodeForeign } from "../../../host/rats/corim-cbor.ts";
import { CorimError, type CorimErrorCode } from "../../../host/rats/errors.ts";
import { bothValid, isValidAt } from "../../../host/rats/validity.ts";
import { encodeCorim, type ManifestDraft } from "../../../host/rats/write-corim.ts";
import { hex } from "../../refusals.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { cborLike, damaged } from "../protocol/cbor-arbitrary.ts";
import {
  CLASS,
  comidOf,
  comidTag,
  corimAround,
  corimOf,
  DIGEST,
  ENVIRONMENT,
  MEASUREMENT,
  map,
  measured,
  RECORD,
  time,
  uri,
  VALUES,
  valued,
} from "./corim-parts.ts";

/** The code that `read` is refused with; undefined if it is not. Anything but a `CorimError` is passed on. */
function refusalOf(read: () => unknown): CorimErrorCode | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof CorimError) return error.code;
    throw error;
  }
  return undefined;
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
const u32 = fc.nat({ max: 0xffffffff });
const reference = fc
  .record({
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    svnLeast: u32,
    isExact: fc.boolean(),
    version: fc.option(text, { nil: undefined }),
    vendor: text,
    model: fc.option(text, { nil: undefined }),
    classId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 16 }), { nil: undefined }),
  })
  .map(({ isExact, ...rest }) => ({ ...rest, svnMost: isExact ? rest.svnLeast : undefined }));
const anyManifest: fc.Arbitrary<ManifestDraft> = fc.record({
  id: text,
  measurements: fc.array(reference, { minLength: 1, maxLength: 6 }),
  validity: fc.option(fc.record({ notBeforeSeconds: fc.option(u32, { nil: undefined }), notAfterSeconds: u32 }), {
    nil: undefined,
  }),
});

describe("a manifest", () => {
  it("says after reading what its maker wrote", () => {
    fc.assert(
      fc.property(anyManifest, (draft) => {
        const { id, measurements, validity, kind, passedOver } = readCorim(encodeCorim(draft));
        expect({ id, validity }).toEqual({ id: draft.id, validity: draft.validity ?? {} });
        expect(measurements).toEqual(draft.measurements.map((one) => ({ ...one, isNamed: true })));
        expect([kind, passedOver]).toEqual(["CoRIM", []]);
      }),
    );
  });

  it("is the bytes that the draft says", () => {
    const bytes = encodeCorim({
      id: "rim-1",
      measurements: [{ digest: DIGEST, svnLeast: 3, vendor: "North Silicon", model: "N-1" }],
      validity: { notAfterSeconds: 10 },
    });
    const inside = comidOf([RECORD]);
    (inside as Map<CborValue, CborValue>).set(1, map([0, "rim-1"]));
    expect(Buffer.from(bytes)).toEqual(Buffer.from(corimOf([comidTag(inside)], [4, map([1, time(10)])])));
  });

  it("is read with its keys in any order, as common encoders write them", () => {
    // 501({1: [506(<<{4: {0: [[{0: {2: "m", 1: "v"}}, [{1: {2: [[1, h'd1..']], 1: 553(3)}}]]]}, 1: {0: "t"}}>>)], 0: "r"})
    const comid = `a204a1008182a100a202616d01617681a101a20281820158${"20"}${"d1".repeat(32)}01d9022903${"01a1006174"}`;
    const bytes = hex(`d901f5a20181d901fa58${(comid.length / 2).toString(16)}${comid}006172`);
    expect(readCorim(bytes)).toMatchObject({
      id: "r",
      measurements: [{ digest: DIGEST, svnLeast: 3, vendor: "v", model: "m", isNamed: false }],
    });
  });

  it.skipIf(!sharedIsHere)("may be a CoMID alone: the public example names one image of ACME's RoadRunner", () => {
    expect(readCorim(new Uint8Array(readFileSync(sharedPath("vectors/corim/comid-1.cbor"))))).toEqual({
      kind: "CoMID",
      id: "3f06af63-a93c-11e4-9797-00505690773f",
      measurements: [
        {
          digest: hex("44aa336af4cb14a879432e53dd6571c7fa9bccafb75f488259262d6ea3a4d91b"),
          svnLeast: 0,
          version: "1.0.0",
          vendor: "ACME Inc.",
          model: "ACME RoadRunner",
          isNamed: false,
        },
      ],
      validity: {},
      passedOver: [],
    });
  });

  it.skipIf(!sharedIsHere)(
    "may say nothing of governors: the public example of flags endorses, and refers to nothing",
    () => {
      const manifest = readCorim(new Uint8Array(readFileSync(sharedPath("vectors/corim/comid-flags.cbor"))));
      expect(manifest).toMatchObject({ id: "1eacd596-f4a3-4fb6-99bf-aeb58e0a4e49", measurements: [] });
      expect(manifest.passedOver).toEqual(["triples 1"]);
    },
  );

  it("is read inside the tags of older drafts, and as a CoMID in its tag", () => {
    const corim = new Tagged(501, map([0, "rim-1"], [1, [comidTag(comidOf([RECORD]))]]));
    expect(readCorim(encodeForeign(new Tagged(500, corim))).measurements).toHaveLength(1);
    expect(readCorim(encodeForeign(comidTag(comidOf([RECORD])))).measurements).toHaveLength(1);
  });

  it("tells exact security versions from least ones", () => {
    const svnOf = (svn: CborValue) => readCorim(corimAround(valued([1, svn], [2, [[1, DIGEST]]]))).measurements[0];
    expect(svnOf(new Tagged(553, 3))).toMatchObject({ svnLeast: 3 });
    expect(svnOf(new Tagged(553, 3))?.svnMost).toBeUndefined();
    expect(svnOf(new Tagged(552, 3))).toMatchObject({ svnLeast: 3, svnMost: 3 });
    expect(svnOf(3)).toMatchObject({ svnLeast: 3, svnMost: 3 });
  });

  it("takes the SHA-256 among digests of several algorithms", () => {
    const { measurements } = readCorim(
      corimAround(
        valued([
          2,
          [
            [7, new Uint8Array(48)],
            ["sha-256", DIGEST],
          ],
        ]),
      ),
    );
    expect(measurements).toMatchObject([{ digest: DIGEST }]);
  });
});

describe("what says nothing of a governor", () => {
  const notes = (record: CborValue) => readCorim(corimAround(record)).passedOver.join();
  // biome-ignore format: a table
  const PASSED: [string, CborValue, RegExp][] = [
    ["a device of its own", [map([0, CLASS], [1, new Tagged(550, new Uint8Array(33))]), [MEASUREMENT]], /instance or group/],
    ["a group of devices", [map([2, new Tagged(560, DIGEST)]), [MEASUREMENT]], /instance or group/],
    ["another part of the board", measured(map([0, "boot-rom"], [1, VALUES])), /another measured element/],
    ["another part of the board, in values that are not read here", measured(map([0, 7], [1, map([1, "x"])])), /another measured element/],
    ["a board as a whole", [ENVIRONMENT, [MEASUREMENT, map([0, "boot-rom"], [1, VALUES])]], /several measured elements/],
    ["a measurement that somebody must vouch for", measured(map([0, "governor"], [1, VALUES], [2, [new Tagged(554, "key")]])), /vouches/],
    ["flags", valued([2, [[1, DIGEST]]], [3, map([3, false])]), /values that evidence/],
    ["a value that only a profile explains", valued([2, [[1, DIGEST]]], [-1, 0]), /values that evidence/],
    ["an image without a digest", valued([1, 3]), /no SHA-256/],
    ["an image with a longer digest only", valued([2, [[7, new Uint8Array(48)]]]), /no SHA-256/],
  ];
  it.each(PASSED)("is passed over, and the manifest says so: %s", (_name, record, note) => {
    expect(readCorim(corimAround(record)).measurements).toEqual([]);
    expect(notes(record)).toMatch(note);
  });

  it("is passed over where it is another kind of tag or of triple, or an extension that the draft has room for", () => {
    const comid = comidOf([RECORD], [-1, "extension"], [3, [map([0, "other"], [1, 0])]]);
    const bytes = corimOf(
      [new Tagged(505, DIGEST), comidTag(comid), new Tagged(508, DIGEST)],
      [-9, "ext"],
      [5, [map()]],
    );
    expect(readCorim(bytes)).toMatchObject({ measurements: [{ digest: DIGEST }], passedOver: ["tag 505", "tag 508"] });
  });

  it("leaves no more than 64 notes, however much there is of it", () => {
    const many = comidOf(new Array<CborValue>(500).fill(measured(map([0, 7], [1, VALUES]))));
    expect(readCorim(corimOf([comidTag(many)])).passedOver).toHaveLength(64);
  });
});

describe("a manifest is refused", () => {
  const around = (members: [CborValue, CborValue][]) => encodeForeign(new Tagged(501, map(...members)));
  const tags: CborValue = [comidTag(comidOf([RECORD]))];
  // biome-ignore format: a table
  const REFUSED: [string, CorimErrorCode, Uint8Array][] = [
    ["of no bytes", "corim/cbor", new Uint8Array(0)],
    ["over 1 MiB", "corim/too-long", new Uint8Array(CORIM_BYTES_MAX + 1)],
    ["of too many items", "corim/cbor", encodeForeign(map([1, map([0, "t"])], [4, map([0, new Array<CborValue>(70_000).fill(0)])]))],
    ["nested too deep", "corim/cbor", hex(`${"81".repeat(17)}00`)],
    ["of indefinite length", "corim/cbor", hex("d901f5bf006172ff")],
    ["with a key twice", "corim/cbor", hex("d901f5a3006172018000617a")],
    ["with a key twice, apart", "corim/cbor", hex("a2 00 00 00 00")],
    ["with a longer head than it needs", "corim/cbor", hex("d901f5a1 1800 6172")],
    ["with floating point", "corim/cbor", hex("a100f93c00")],
    ["cut off", "corim/cbor", corimOf(tags).subarray(0, -1)],
    ["with a byte after it", "corim/cbor", Buffer.concat([corimOf(tags), Uint8Array.of(0)])],
    ["that is a number", "corim/kind", encodeForeign(7)],
    ["of another tag", "corim/kind", encodeForeign(new Tagged(571, map()))],
    ["with a signature to be verified", "corim/signed", encodeForeign(new Tagged(18, []))],
    ["with a profile, which the draft forbids to read unknown", "corim/profile", corimOf(tags, [3, uri("https://p.example")])],
    ["without an id", "corim/form", around([[1, tags]])],
    ["with a number for an id", "corim/form", around([[0, 1], [1, tags]])],
    ["with an empty id", "corim/form", around([[0, ""], [1, tags]])],
    ["without tags", "corim/form", around([[0, "r"]])],
    ["with an empty list of tags", "corim/form", corimOf([])],
    ["with a tag that is none", "corim/form", corimOf([7])],
    ["with a CoMID that is not in a byte string", "corim/form", corimOf([new Tagged(506, comidOf([RECORD]))])],
    ["with a CoMID that is not CBOR", "corim/cbor", corimOf([new Tagged(506, hex("ff"))])],
    ["with an empty list of entities", "corim/form", corimOf(tags, [5, []])],
    ["with a validity without an end", "corim/form", corimOf(tags, [4, map([0, time(1)])])],
    ["with a time that is no time", "corim/form", corimOf(tags, [4, map([1, 1])])],
    ["with a time before 1970", "corim/form", corimOf(tags, [4, map([1, time(-1)])])],
    ["with a validity that says more", "corim/form", corimOf(tags, [4, map([1, time(1)], [2, 0])])],
    ["with a CoMID without an id", "corim/form", corimOf([comidTag(map([4, map([0, [RECORD]])]))])],
    ["with a CoMID without triples", "corim/form", corimOf([comidTag(map([1, map([0, "t"])]))])],
    ["with a CoMID with no triples in it", "corim/form", corimOf([comidTag(map([1, map([0, "t"])], [4, map()]))])],
    ["with a tag identity that says more", "corim/form", corimOf([comidTag(map([1, map([0, "t"], [5, 0])], [4, map([0, [RECORD]])]))])],
    ["with an empty list of reference triples", "corim/form", corimOf([comidTag(comidOf([]))])],
    ["with a triple of one", "corim/form", corimAround([ENVIRONMENT])],
    ["with an environment that says more", "corim/form", corimAround([map([0, CLASS], [3, 0]), [MEASUREMENT]])],
    ["with an environment that says nothing", "corim/form", corimAround([map(), [MEASUREMENT]])],
    ["with a class that says nothing", "corim/form", corimAround([map([0, map()]), [MEASUREMENT]])],
    ["with a class that says more", "corim/form", corimAround([map([0, map([1, "v"], [5, 0])]), [MEASUREMENT]])],
    ["with a class id without a tag", "corim/form", corimAround([map([0, map([0, DIGEST])]), [MEASUREMENT]])],
    ["with an empty list of measurements", "corim/form", corimAround([ENVIRONMENT, []])],
    ["with a measurement without values", "corim/form", corimAround(measured(map([0, "governor"])))],
    ["with a measurement that says more", "corim/form", corimAround(measured(map([1, VALUES], [3, 0])))],
    ["with an empty list of digests", "corim/form", corimAround(valued([2, []]))],
    ["with a SHA-256 of 31 bytes", "corim/form", corimAround(valued([2, [[1, DIGEST.subarray(1)]]]))],
    ["with two SHA-256, under two names", "corim/form", corimAround(valued([2, [[1, DIGEST], ["sha-256", DIGEST]]]))],
    ["with an algorithm that is none", "corim/form", corimAround(valued([2, [[DIGEST, DIGEST]]]))],
    ["with a security version below zero", "corim/form", corimAround(valued([1, -1], [2, [[1, DIGEST]]]))],
    ["with a security version over 32 bits", "corim/form", corimAround(valued([1, new Tagged(553, 2 ** 32)], [2, [[1, DIGEST]]]))],
    ["with a security version in another tag", "corim/form", corimAround(valued([1, new Tagged(564, 3)], [2, [[1, DIGEST]]]))],
    ["with a version that is a number", "corim/form", corimAround(valued([0, map([0, 1])], [2, [[1, DIGEST]]]))],
  ];
  it.each(REFUSED)("%s", (_name, code, bytes) => {
    expect(refusalOf(() => readCorim(bytes))).toBe(code);
  });

  it("but never crashes a reader, whatever its bytes are", () => {
    const changed = damaged(fc.oneof(anyManifest.map(encodeCorim), fc.constant(corimAround(RECORD))));
    fc.assert(
      fc.property(fc.oneof(cborLike, changed), (bytes) => {
        refusalOf(() => readCorim(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the validity of a manifest", () => {
  it("includes its first and its last second, and knows no bound where none is named", () => {
    const validity = { notBeforeSeconds: 10, notAfterSeconds: 20 };
    expect([9, 10, 20, 21].map((now) => isValidAt(validity, now))).toEqual([false, true, true, false]);
    expect(isValidAt({}, 0)).toBe(true);
    expect([isValidAt({ notAfterSeconds: 5 }, 6), isValidAt({ notBeforeSeconds: 5 }, 6)]).toEqual([false, true]);
  });

  it("is the time that lies in all that are named", () => {
    const bound = fc.option(fc.nat({ max: 40 }), { nil: undefined });
    const validity = fc.record({ notBeforeSeconds: bound, notAfterSeconds: bound });
    fc.assert(
      fc.property(validity, validity, fc.nat({ max: 40 }), (a, b, now) => {
        expect(isValidAt(bothValid(a, b), now)).toBe(isValidAt(a, now) && isValidAt(b, now));
      }),
    );
  });
});
