/** One interval of a report, shown without the others: what a verifier may believe of it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { intervalTree } from "../../../host/objects/intervals.ts";
import {
  checkOpening,
  decodeOpening,
  encodeOpening,
  type Opening,
  openInterval,
} from "../../../host/objects/opening.ts";
import type { UsageReport } from "../../../host/objects/usage-report.ts";
import { sumWork } from "../../../host/objects/work.ts";
import { type CborMap, type CborValue, decode, encode } from "../../../host/protocol/cbor.ts";
import { codeOf } from "../../refusals.ts";
import { cborLike } from "../protocol/cbor-arbitrary.ts";
import { anyUsageReport, someIntervals } from "./arbitrary.ts";

const totals = fc.array(fc.bigInt({ min: 0n, max: 2n ** 100n }), { minLength: 12, maxLength: 12 });
/** A report of these intervals, what came before it, and one of its intervals opened. */
const opened = fc.tuple(anyUsageReport, someIntervals, totals, fc.nat()).map(([any, list, before, pick]) => {
  const root = intervalTree(list);
  const report = {
    ...any,
    totals: sumWork(before, root.work),
    intervalCount: list.length,
    intervalRoot: root.hash,
  };
  const index = pick % list.length;
  return { report, list, before, index, opening: openInterval(report, list, index) };
});

/** Whether a verifier that is sent these bytes believes them. */
function isBelieved(bytes: Uint8Array, { report, before }: { report: UsageReport; before: bigint[] }): boolean {
  let opening: Opening | undefined;
  const code = codeOf(() => {
    opening = decodeOpening(bytes);
  });
  return code === 0 && checkOpening(opening!, report, before);
}

describe("an opening", () => {
  it("of any interval of any report is believed, and comes back from its bytes as it was", () => {
    fc.assert(
      fc.property(opened, (given) => {
        const bytes = encodeOpening(given.opening);
        expect(decodeOpening(bytes)).toEqual(given.opening);
        expect(isBelieved(bytes, given)).toBe(true);
      }),
    );
  });

  it("is not believed with any one bit of it changed", () => {
    fc.assert(
      fc.property(opened, (given) => {
        const bytes = encodeOpening(given.opening);
        for (let bit = 0; bit < bytes.length * 8; bit += 1) {
          bytes[bit >> 3]! ^= 1 << (bit & 7);
          expect(isBelieved(bytes, given), `bit ${bit}`).toBe(false);
          bytes[bit >> 3]! ^= 1 << (bit & 7);
        }
      }),
      { numRuns: 4 },
    );
  });

  it("is not believed with another interval of the same report in its place", () => {
    fc.assert(
      fc.property(opened, fc.nat(), ({ report, list, before, index, opening }, pick) => {
        fc.pre(list.length > 1);
        const other = (index + 1 + (pick % (list.length - 1))) % list.length;
        expect(checkOpening({ ...opening, interval: list[other]! }, report, before)).toBe(false);
        const moved = { ...opening, proof: { ...opening.proof, index: other } };
        expect(checkOpening(moved, report, before)).toBe(false);
      }),
    );
  });

  it("is not believed for another device, another report, or a tree of another size", () => {
    fc.assert(
      fc.property(opened, ({ report, before, opening }) => {
        const ueid = Uint8Array.from(report.ueid, (byte) => byte ^ 1);
        const { proof } = opening;
        const others: Opening[] = [
          { ...opening, ueid },
          { ...opening, reportSequence: opening.reportSequence ^ 1n },
          { ...opening, proof: { ...proof, leafCount: proof.leafCount + 1 } },
        ];
        expect(others.map((other) => checkOpening(other, report, before))).toEqual([false, false, false]);
      }),
    );
  });

  it("is not believed when the report's totals grew by other sums than its tree has, with the right hash too", () => {
    fc.assert(
      fc.property(opened, fc.nat({ max: 11 }), fc.bigInt({ min: 1n, max: 2n ** 64n }), (given, engineClass, amount) => {
        const { report, before, opening } = given;
        const more = report.totals.map((work, index) => (index === engineClass ? work + amount : work));
        expect(checkOpening(opening, { ...report, totals: more }, before)).toBe(false);
        const less = before.map((work, index) => (index === engineClass ? work + amount : work));
        expect(checkOpening(opening, report, less)).toBe(false);
      }),
    );
  });

  it("is not believed when work was moved between the interval and a sibling", () => {
    fc.assert(
      fc.property(opened, fc.nat({ max: 11 }), ({ report, before, opening }, engineClass) => {
        const [sibling, ...rest] = opening.proof.siblings;
        fc.pre(sibling !== undefined && opening.interval.work[engineClass]! > 0n);
        const moved = (work: readonly bigint[], by: bigint) => work.map((w, c) => (c === engineClass ? w + by : w));
        const other: Opening = {
          ...opening,
          interval: { ...opening.interval, work: moved(opening.interval.work, -1n) },
          proof: { ...opening.proof, siblings: [{ ...sibling!, work: moved(sibling!.work, 1n) }, ...rest] },
        };
        expect(checkOpening(other, report, before)).toBe(false);
      }),
    );
  });
});

describe("the bytes of an opening", () => {
  const claims = new Map<CborValue, CborValue>([
    [1, new Uint8Array(33)],
    [2, 1],
    [3, 0],
    [4, 2],
    [5, new Uint8Array(104)],
    [6, [[new Uint8Array(32), new Uint8Array(192)]]],
  ]);
  const changed = (label: CborValue, value: CborValue): CborMap => new Map(claims).set(label, value);
  const sibling: CborValue = [new Uint8Array(32), new Uint8Array(192)];

  it("are what the protocol writes down", () => {
    const bytes = encode(claims);
    expect(Buffer.from(encodeOpening(decodeOpening(bytes)))).toEqual(Buffer.from(bytes));
  });

  // biome-ignore format: a table
  const REFUSED: [string, ErrorCode, CborValue][] = [
    ["a UEID of another length", ErrorCode.CBOR_TYPE, changed(1, new Uint8Array(32))],
    ["a sequence below zero", ErrorCode.CBOR_TYPE, changed(2, -1)],
    ["an interval past the last one", ErrorCode.CBOR_TYPE, changed(3, 2)],
    ["no interval at all", ErrorCode.CBOR_TYPE, changed(4, 0)],
    ["nine intervals", ErrorCode.CBOR_TYPE, changed(4, 9)],
    ["half an interval", ErrorCode.CBOR_TYPE, changed(5, new Uint8Array(52))],
    ["two intervals", ErrorCode.CBOR_TYPE, changed(5, new Uint8Array(208))],
    ["four siblings", ErrorCode.CBOR_TYPE, changed(6, [sibling, sibling, sibling, sibling])],
    ["a sibling without sums", ErrorCode.CBOR_TYPE, changed(6, [[new Uint8Array(32)]])],
    ["a sibling with a sum too few", ErrorCode.CBOR_TYPE, changed(6, [[new Uint8Array(32), new Uint8Array(176)]])],
    ["something unknown", ErrorCode.CBOR_TYPE, changed(7, 0)],
    ["over 4,096 bytes", ErrorCode.CBOR_LENGTH, changed(7, new Uint8Array(4096))],
    ["an array", ErrorCode.CBOR_TYPE, [...claims.values()]],
  ];
  it.each(REFUSED)("are refused with %s", (_name, code, value) => {
    expect(codeOf(() => decodeOpening(encode(value)))).toBe(code);
  });

  it("are refused when any claim is missing", () => {
    for (const label of claims.keys()) {
      const left = new Map(decode(encode(claims)) as CborMap);
      left.delete(label);
      expect(
        codeOf(() => decodeOpening(encode(left))),
        `claim ${label}`,
      ).toBe(ErrorCode.CBOR_TYPE);
    }
  });

  it("are read or refused, never a crash, whatever they are", () => {
    fc.assert(
      fc.property(cborLike, (bytes) => {
        codeOf(() => decodeOpening(bytes));
      }),
    );
  });
});
