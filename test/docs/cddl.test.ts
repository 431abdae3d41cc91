/** docs/protocol.md against the code: what the code emits is what the page says, and nothing that it does not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { encodeEntry } from "../../host/log/entry.ts";
import { encodeAgreement, signAgreement } from "../../host/objects/agreement.ts";
import {
  encodeCertificate,
  encodeEndorsement,
  signCertificate,
  signEndorsement,
} from "../../host/objects/endorsement.ts";
import { encodeEvidence, signEvidence } from "../../host/objects/evidence.ts";
import { encodeLicense, signLicense } from "../../host/objects/license.ts";
import { encodeLicenseRequest } from "../../host/objects/license-request.ts";
import { encodeLogProof } from "../../host/objects/log-proof.ts";
import { encodeOpening } from "../../host/objects/opening.ts";
import { encodeOrder, signOrder } from "../../host/objects/order.ts";
import { encodeRecovery, signRecovery } from "../../host/objects/recovery.ts";
import { encodeReportBatch } from "../../host/objects/report-batch.ts";
import { encodeTime, signTime } from "../../host/objects/time.ts";
import { encodeUsageReport, signUsageReport } from "../../host/objects/usage-report.ts";
import { type CborMap, type CborValue, decode, encode, Tagged } from "../../host/protocol/cbor.ts";
import { encodeEar, signEar } from "../../host/rats/ear.ts";
import { Cddl } from "../cddl/match.ts";
import { protocol } from "../cddl/protocol.ts";
import * as any from "../host/objects/arbitrary.ts";
import { anyEar } from "../host/rats/arbitrary.ts";
import { PARTIES, phaseOf, Rig } from "../rig.ts";

const [north, south] = PARTIES as [(typeof PARTIES)[0], (typeof PARTIES)[0]];
const parties = [north, south];
const signature = new Uint8Array(64);
const guarded = Uint8Array.of(0xa1, 0x01, 0x32);
const kid = new Map([[4, north.kid]]);

/** As a COSE message goes, but signed with zeros: the form is all that CDDL judges. */
const sign1 = (payload: Uint8Array) => encode(new Tagged(18, [guarded, kid, payload, signature]));
const sign = (payload: Uint8Array) =>
  encode(new Tagged(98, [new Uint8Array(0), new Map(), payload, [[guarded, kid, signature]]]));
const bare = (payload: Uint8Array) => payload;

interface ObjectRow {
  readonly rule: string;
  readonly any: fc.Arbitrary<never>;
  /** What the code sends. */
  readonly send: (object: never) => Uint8Array;
  /** What is inside, and how it is wrapped. */
  readonly encode: (object: never) => Uint8Array;
  readonly wrap: (payload: Uint8Array) => Uint8Array;
  readonly optional?: readonly number[];
}

/** Every column is of one type of object, which no list of them can say. */
const row = <T>(
  rule: string,
  anyOf: fc.Arbitrary<T>,
  send: (object: T) => Uint8Array,
  encodeObject: (object: T) => Uint8Array,
  wrap: (payload: Uint8Array) => Uint8Array,
  optional: readonly number[] = [],
): ObjectRow => ({ rule, any: anyOf as never, send, encode: encodeObject, wrap, optional });

// biome-ignore format: a table
const OBJECTS: readonly ObjectRow[] = [
  row("agreement", any.anyAgreement, (object) => signAgreement(object, parties), encodeAgreement, sign, [15, 18]),
  row("license", any.anyLicense, (object) => signLicense(object, parties), encodeLicense, sign, [10, -75004, -75006]),
  row("order", any.anyOrder, (object) => signOrder(object, parties), encodeOrder, sign, [-75006, -75010, -75011]),
  row("recovery", any.anyRecovery, (object) => signRecovery(object, parties), encodeRecovery, sign),
  row("beacon", any.anyBeacon, (object) => signTime(ObjectType.BEACON, object, parties), (object) => encodeTime(ObjectType.BEACON, object), sign1),
  row("time-proof", any.anyTimeProof, (object) => signTime(ObjectType.TIME_PROOF, object, [north]), (object) => encodeTime(ObjectType.TIME_PROOF, object), sign),
  row("endorsement", any.anyEndorsement, (object) => signEndorsement(object, north), encodeEndorsement, sign1),
  row("certificate", any.anyCertificate, (object) => signCertificate(object, north), encodeCertificate, sign1),
  row("evidence", any.anyEvidence, (object) => signEvidence(object, north), encodeEvidence, sign1, [-75037]),
  row("usage-report", any.anyUsageReport, (object) => signUsageReport(object, north), encodeUsageReport, sign1),
  row("license-request", any.anyLicenseCall, encodeLicenseRequest, encodeLicenseRequest, bare, [2, 3, 4]),
  row("reports", any.anyReportBatch, encodeReportBatch, encodeReportBatch, bare),
  row("opening", any.anyOpening, encodeOpening, encodeOpening, bare),
  row("log-proof", any.anyLogProof, encodeLogProof, encodeLogProof, bare),
  row("log-entry", any.anyLogEntry, encodeEntry, encodeEntry, bare),
  row("attestation-result", anyEar, (object) => signEar(encodeEar(object), north), encodeEar, sign1),
];

const RUNS = 40;

describe.each(OBJECTS)(
  "docs/protocol.md, $rule",
  ({ rule, any: anyObject, send, encode: encodeObject, wrap, optional }) => {
    const payload = anyObject.map((object) => decode(encodeObject(object)));
    const faultOf = (value: CborValue) => protocol.faultOf(wrap(encode(value)), rule);

    it("is what the code sends, whatever is in it", () => {
      fc.assert(
        fc.property(anyObject, (object) => {
          expect(protocol.faultOf(send(object), rule)).toBeUndefined();
        }),
        { numRuns: RUNS },
      );
    });

    it("has no room for a claim more, nor for one less than it must have", () => {
      fc.assert(
        fc.property(payload, fc.nat(), (value, pick) => {
          if (Array.isArray(value)) {
            expect(faultOf([...value, 7])).toBeDefined();
            expect(faultOf([])).toBeDefined();
            return;
          }
          const claims = value as CborMap;
          expect(faultOf(new Map(claims).set(999, 0))).toBeDefined();
          const needed = [...claims.keys()].filter((label) => !optional?.includes(label as number));
          const less = new Map(claims);
          less.delete(needed[pick % needed.length]!);
          expect(faultOf(less)).toBeDefined();
        }),
        { numRuns: RUNS },
      );
    });

    it("has no room for another type, anywhere in it", () => {
      fc.assert(
        fc.property(payload, fc.nat(), (value, pick) => {
          const places = placesOf(value);
          const place = places[pick % places.length]!;
          expect(faultOf(changed(value, place, retyped)), place.join()).toBeDefined();
        }),
        { numRuns: RUNS * 4 },
      );
    });

    it("bounds every string and every list in it", () => {
      fc.assert(
        fc.property(payload, fc.nat(), (value, pick) => {
          const places = placesOf(value).filter((place) => resized(at(value, place)) !== undefined);
          fc.pre(places.length > 0);
          const place = places[pick % places.length]!;
          expect(faultOf(changed(value, place, (part) => resized(part)!)), place.join()).toBeDefined();
        }),
        { numRuns: RUNS * 4 },
      );
    });
  },
);

describe("docs/protocol.md", () => {
  it("says what the firmware itself sends", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(40));
    const [, evidence] = rig.ask(Command.EVIDENCE, new Uint8Array(32));
    expect(protocol.faultOf(evidence as Uint8Array, "evidence")).toBeUndefined();
    expect(protocol.faultOf(rig.report().bytes, "usage-report")).toBeUndefined();
  });

  it("has a test for every object that it has a rule for", () => {
    expect(new Set(protocol.roots)).toEqual(new Set(OBJECTS.map(({ rule }) => rule)));
  });

  it("knows one form of a signature", () => {
    const payload = encode(
      new Map([
        [6, 1],
        [-75000, new Uint8Array(32)],
        [-75001, 1],
        [-75032, new Uint8Array(32)],
      ] as [CborValue, CborValue][]),
    );
    const message = (...fields: CborValue[]) => protocol.faultOf(encode(new Tagged(18, fields)), "beacon");
    expect(message(guarded, kid, payload, signature)).toBeUndefined();
    const wrong: CborValue[][] = [
      [Uint8Array.of(0xa1, 0x01, 0x27), kid, payload, signature],
      [guarded, new Map(), payload, signature],
      [guarded, new Map([[4, north.kid.subarray(1)]]), payload, signature],
      [guarded, kid, payload, signature.subarray(1)],
      [guarded, kid, null, signature],
      [guarded, kid, payload.subarray(1), signature],
      [guarded, kid, payload],
    ];
    for (const fields of wrong) expect(message(...fields)).toBeDefined();
    expect(protocol.faultOf(encode([guarded, kid, payload, signature]), "beacon")).toBeDefined();
  });
});

describe("the reading of CDDL in these tests", () => {
  const faults = (cddl: string, ...values: CborValue[]) => {
    const rules = new Cddl(cddl);
    return values.map((value) => rules.faultOf(encode(value), "x") !== undefined);
  };
  const map = (...entries: [CborValue, CborValue][]) => new Map(entries);

  it("takes the first alternative that fits, and each member once", () => {
    const cddl = "x = { ( 1: uint, ? 2: uint // 1: tstr ), ? 3: bool }";
    expect(faults(cddl, map([1, 1]), map([1, 1], [2, 1]), map([1, "a"], [3, true]))).toEqual([false, false, false]);
    expect(faults(cddl, map(), map([1, "a"], [2, 1]), map([1, 1], [3, 1]), map([4, 1]))).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  it("counts what occurs", () => {
    expect(faults("x = [ 1*2 uint, tstr ]", [1, "a"], [1, 2, "a"], ["a"], [1, 2, 3, "a"])).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(faults("x = { 2*2 0..3 => uint }", map([0, 1], [3, 1]), map([0, 1]), map([0, 1], [4, 1]))).toEqual([
      false,
      true,
      true,
    ]);
    expect(faults("x = [ ? uint, + uint ]", [1], [1, 2], [])).toEqual([false, false, true]);
  });

  it("fills in generic rules, also within one another", () => {
    const cddl = "x = y<[ z ]> y<T> = w<T> / T w<U> = #6.7(U) z = 0..9";
    expect(faults(cddl, [1], new Tagged(7, [9]), [10], new Tagged(8, [1]), 1)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it("looks into embedded items, and measures strings in bytes", () => {
    expect(faults("x = bstr .cbor [ uint ]", encode([1]), encode(["a"]), Uint8Array.of(0xff), 1)).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(faults("x = tstr .size (1..2)", "é", "", "ééé")).toEqual([false, true, true]);
  });

  it("refuses what it does not know rather than pass it over", () => {
    for (const cddl of [
      "x = float",
      "x = uint .le 5",
      "x = y",
      "x = 1 x = 2",
      "x = [ uint",
      "x = { uint }",
      "y<T> = T x = y",
    ]) {
      expect(() => faults(cddl, map([1, 1])), cddl).toThrow();
    }
  });
});

type Place = readonly (number | CborValue)[];

/** The way to every part of a value: keys of maps, indexes of arrays. */
function placesOf(value: CborValue): Place[] {
  if (value instanceof Map)
    return [...value].flatMap(([key, item]) =>
      placesOf(item)
        .concat([[]])
        .map((place) => [key, ...place]),
    );
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: CborValue, index) =>
    placesOf(item)
      .concat([[]])
      .map((place) => [index, ...place]),
  );
}

function at(value: CborValue, [key, ...rest]: Place): CborValue {
  if (key === undefined) return value;
  return at(value instanceof Map ? value.get(key)! : (value as CborValue[])[key as number]!, rest);
}

function changed(value: CborValue, [key, ...rest]: Place, change: (part: CborValue) => CborValue): CborValue {
  if (key === undefined) return change(value);
  if (value instanceof Map) return new Map(value).set(key, changed(value.get(key)!, rest, change));
  return (value as CborValue[]).map((item, index) => (index === key ? changed(item, rest, change) : item));
}

/** Something of another major type. */
function retyped(part: CborValue): CborValue {
  return typeof part === "string" ? 7 : "text";
}

/** The same longer than any bound of the page; undefined for what has no length. */
function resized(part: CborValue): CborValue | undefined {
  if (part instanceof Uint8Array) return Buffer.concat([part, new Uint8Array(5000)]);
  if (typeof part === "string") return `${part}${"x".repeat(200)}`;
  return Array.isArray(part) ? [...part, ...new Array<CborValue>(300).fill(part.at(-1) ?? 7)] : undefined;
}
