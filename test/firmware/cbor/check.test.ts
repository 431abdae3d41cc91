/** The CBOR profile, one rule at a time, on both ends: `primitives.wasm` and the host. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { cborCheck, encode } from "../../../host/protocol/cbor.ts";
import { cborLike, cborValue, damaged } from "../../host/protocol/cbor-arbitrary.ts";
import { loadPrimitives } from "../../primitives.ts";
import { hex } from "../../refusals.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";

const primitives = loadPrimitives();

/** The verdict of both ends, which must be one. */
function verdict(bytes: Uint8Array): number {
  const firmware = primitives.cborCheck(bytes);
  const host = cborCheck(bytes);
  expect(host, `firmware and host differ on ${Buffer.from(bytes).toString("hex")}`).toBe(firmware);
  return firmware;
}

const nested = (count: number, inner: string) => `${"81".repeat(count)}${inner}`;

const RULES: [string, ErrorCode, string[]][] = [
  [
    "accepts every width of integer at its edges",
    ErrorCode.OK,
    [
      "17",
      "1818",
      "18ff",
      "190100",
      "19ffff",
      "1a00010000",
      "1b0000000100000000",
      "1bffffffffffffffff",
      "20",
      "37",
      "3818",
      "3bffffffffffffffff",
    ],
  ],
  [
    "accepts strings, arrays, maps, tags, false, true, null",
    ErrorCode.OK,
    ["40", "60", "80", "a0", "f4", "f5", "f6", "c000", "d9d9f700", "dbffffffffffffffff00"],
  ],
  [
    "accepts map keys in bytewise order, of any type",
    ErrorCode.OK,
    [
      "a2 01 00 02 00",
      "a3 17 00 1818 00 20 00",
      "a2 20 00 6161 00",
      "a2 6162 00 626161 00",
      "a4 00 00 4100 00 6100 00 80 00",
    ],
  ],
  ["accepts bignums that need more than 64 bits", ErrorCode.OK, ["c249010000000000000000", "c34901ffffffffffffffff"]],
  ["refuses nothing at all", ErrorCode.CBOR_TRUNCATED, [""]],
  [
    "refuses an item that is cut short",
    ErrorCode.CBOR_TRUNCATED,
    ["18", "19ff", "1a000100", "1b00000001000000", "41", "4200", "61", "81", "8201", "a1", "a101", "c1", "d8", "8181"],
  ],
  [
    "refuses a length or count beyond the input, however large",
    ErrorCode.CBOR_TRUNCATED,
    [
      "5affffffff00",
      "5bffffffffffffffff00",
      "7b8000000000000000",
      "9bffffffffffffffff00",
      "9a8000000000",
      "bb800000000000000000",
      "bbffffffffffffffff0000",
    ],
  ],
  ["refuses bytes after the item", ErrorCode.CBOR_TRAILING, ["0000", "8000", "a0f6", "c10000", "4000", "00ff"]],
  [
    "refuses a longer head than needed",
    ErrorCode.CBOR_NOT_SHORTEST,
    [
      "1817",
      "1900ff",
      "1a0000ffff",
      "1b00000000ffffffff",
      "3800",
      "5800",
      "7800",
      "9800",
      "b800",
      "d80100",
      "590018",
      "81190000",
      "b90000",
    ],
  ],
  [
    "refuses bignums that fit 64 bits or begin with zero",
    ErrorCode.CBOR_NOT_SHORTEST,
    [
      "c240",
      "c24101",
      "c248ffffffffffffffff",
      "c348ffffffffffffffff",
      "c249000000000000000000",
      "c34a00010000000000000000",
    ],
  ],
  [
    "refuses indefinite lengths, and a break alone",
    ErrorCode.CBOR_INDEFINITE,
    ["5f4100ff", "7f6100ff", "9f00ff", "9fff", "bfff", "ff", "81ff", "1f", "3f", "df00"],
  ],
  [
    "refuses reserved heads",
    ErrorCode.CBOR_RESERVED,
    ["1c", "3d", "5e", "7c", "9d", "be", "dc", "fc", "fd", "fe", "811c"],
  ],
  [
    "refuses undefined and every simple value but false, true, null",
    ErrorCode.CBOR_SIMPLE,
    ["f7", "e0", "f3", "f800", "f814", "f820", "f8ff", "f8", "81f7"],
  ],
  [
    "refuses floating point",
    ErrorCode.CBOR_FLOAT,
    ["f90000", "fa00000000", "fb0000000000000000", "f97e00", "f9", "81f93c00", "a1f9000000"],
  ],
  [
    "refuses text that is not UTF-8",
    ErrorCode.CBOR_UTF8,
    [
      "6180",
      "61ff",
      "62c080",
      "62c1bf",
      "62c328",
      "63e0809f",
      "63eda080",
      "63edbfbf",
      "64f0808080",
      "64f4908080",
      "64f5808080",
      "61c3",
      "62e6b0",
      "63f09085",
      "a161fe00",
    ],
  ],
  [
    "accepts UTF-8 at its edges",
    ErrorCode.OK,
    [
      "6100",
      "617f",
      "62c280",
      "62dfbf",
      "63e0a080",
      "63ed9fbf",
      "63ee8080",
      "63efbfbf",
      "64f0908080",
      "64f48fbfbf",
      "63efbbbf",
    ],
  ],
  [
    "refuses map keys out of order",
    ErrorCode.CBOR_KEY_ORDER,
    [
      "a2 02 00 01 00",
      "a2 20 00 01 00",
      "a2 1818 00 17 00",
      "a2 6161 00 20 00",
      "a2 626161 00 6162 00",
      "a2 f4 00 80 00",
      "a2 8101 00 80 00",
      "81a2 02 00 01 00",
    ],
  ],
  [
    "refuses a map key that is there twice",
    ErrorCode.CBOR_KEY_DUPLICATE,
    ["a2 01 00 01 00", "a2 6161 00 6161 01", "a2 40 00 40 00", "a3 00 00 01 00 01 00", "a2 8101 00 8101 00"],
  ],
  ["refuses a bignum that holds no byte string", ErrorCode.CBOR_TYPE, ["c200", "c26161", "c280", "c3c24100", "c2f6"]],
  [
    "accepts eight arrays, maps and tags one in another",
    ErrorCode.OK,
    [
      nested(8, "00"),
      nested(7, "80"),
      nested(7, "a0"),
      `${"c1".repeat(8)}00`,
      `${"a100".repeat(8)}00`,
      `${"c181".repeat(4)}00`,
    ],
  ],
  [
    "refuses a ninth",
    ErrorCode.CBOR_DEPTH,
    [
      nested(9, "00"),
      nested(8, "80"),
      nested(8, "a0"),
      `${"c1".repeat(9)}00`,
      `${"a100".repeat(9)}00`,
      "81".repeat(4000),
      `${"a1".repeat(9)}00`,
    ],
  ],
  ["names the violation met first", ErrorCode.CBOR_KEY_ORDER, ["a3 02 00 01 00 01 f90000"]],
];

describe("the CBOR profile", () => {
  for (const [title, code, cases] of RULES) {
    test(title, () => {
      expect(cases.map((text) => [text, verdict(hex(text))])).toEqual(cases.map((text) => [text, code]));
    });
  }

  test("takes time in proportion to the length, not to the counts it is told", () => {
    // Nested maps whose keys are maps, and 4 KiB of keys: the costliest there is to compare.
    const keys = Array.from({ length: 1300 }, (_, i) => Buffer.from([0x19, 1 + (i >> 8), i & 255, 0x00]));
    const wide = Buffer.concat([Buffer.from([0xb9, 1300 >> 8, 1300 & 255]), ...keys]);
    const start = performance.now();
    for (let i = 0; i < 50; i++) expect(verdict(wide)).toBe(ErrorCode.OK);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("judges every two bytes alike on both ends", () => {
    const pair = new Uint8Array(2);
    const seen = new Set<number>();
    for (let i = 0; i < 0x10000; i++) {
      pair[0] = i >> 8;
      pair[1] = i & 255;
      const firmware = primitives.cborCheck(pair);
      if (firmware !== cborCheck(pair)) verdict(pair);
      seen.add(firmware);
    }
    expect(seen.size).toBeGreaterThan(8);
  });

  test("judges every two-byte text, and every third and fourth byte after each lead, alike on both ends", () => {
    for (let lead = 0; lead < 256; lead++) {
      for (let second = 0; second < 256; second++) {
        for (const tail of [[], [0x80], [0xbf, 0x80], [0x80, 0xc0], [0xc0]]) {
          const content = [lead, second, ...tail];
          const bytes = Uint8Array.from([0x60 + content.length, ...content]);
          if (primitives.cborCheck(bytes) !== cborCheck(bytes)) verdict(bytes);
        }
      }
    }
  });

  test("judges random bytes alike on both ends", () => {
    fc.assert(
      fc.property(cborLike, (bytes) => void verdict(bytes)),
      { numRuns: 20_000 },
    );
  });

  test("judges damaged items alike on both ends", () => {
    const codes = new Set<number>();
    fc.assert(
      fc.property(damaged(cborValue.map(encode)), (bytes) => void codes.add(verdict(bytes))),
      { numRuns: 8000 },
    );
    // The damage is of many kinds, or this would prove little.
    expect(codes.size).toBeGreaterThanOrEqual(9);
  });

  test("accepts whatever the host encodes", () => {
    fc.assert(
      fc.property(cborValue, (value) => {
        expect(verdict(encode(value))).toBe(ErrorCode.OK);
      }),
      { numRuns: 2000 },
    );
  });
});

type AppendixItem = { hex: string; roundtrip: boolean };

/**
 * What the profile says of an item of RFC 8949 appendix A, from the item's own notation: floats are f9, fa and fb (one
 * stands within tag 1), indefinite lengths are the rest of those that a generic encoder doesn't reproduce, and of the
 * simple values undefined (f7), 16, 24 and 255 are not ours. All else is accepted.
 */
function ofProfile(item: AppendixItem): ErrorCode {
  if (/^(c1)?f[9ab]/.test(item.hex)) return ErrorCode.CBOR_FLOAT;
  if (!item.roundtrip) return ErrorCode.CBOR_INDEFINITE;
  if (/^(f7|f0|f8)/.test(item.hex)) return ErrorCode.CBOR_SIMPLE;
  return ErrorCode.OK;
}

describe.runIf(sharedIsHere)("published items", () => {
  test("RFC 8949 appendix A: each item as the profile says", () => {
    const items = sharedJson<AppendixItem[]>("vectors/cbor/appendix_a.json");
    const verdicts = items.map((item) => [item.hex, verdict(hex(item.hex))] as const);
    expect(verdicts).toEqual(items.map((item) => [item.hex, ofProfile(item)]));
    const count = (code: ErrorCode) => verdicts.filter(([, given]) => given === code).length;
    expect({
      all: items.length,
      accepted: count(ErrorCode.OK),
      floats: count(ErrorCode.CBOR_FLOAT),
      indefinite: count(ErrorCode.CBOR_INDEFINITE),
      simple: count(ErrorCode.CBOR_SIMPLE),
    }).toEqual({ all: 82, accepted: 44, floats: 23, indefinite: 11, simple: 4 });
  });

  test("QCBOR's not-well-formed encodings: none is accepted", () => {
    const items = sharedJson<{ hex: string; comment: string }[]>("vectors/cbor/qcbor_not_well_formed_a.json");
    expect(items).toHaveLength(61);
    expect(items.filter((item) => verdict(hex(item.hex)) === ErrorCode.OK)).toEqual([]);
  });
});
