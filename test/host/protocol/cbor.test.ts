/** CBOR of the host: what it writes, what it refuses to write, and how it shows an item. */
import * as cbor2 from "cbor2";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { type CborMap, type CborValue, decode, encode, Tagged } from "../../../host/protocol/cbor.ts";
import { diagnose } from "../../../host/protocol/cbor-diagnose.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";
import { codeOf, hex } from "../../refusals.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { cborValue } from "./cbor-arbitrary.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The value in the terms of the oracle, an independent implementation in its deterministic (CDE) mode. */
function forOracle(value: CborValue): unknown {
  if (value instanceof Tagged) return new cbor2.Tag(Number(value.tag), forOracle(value.value));
  if (value instanceof Map)
    return new Map([...(value as CborMap)].map((entry) => entry.map(forOracle) as [unknown, unknown]));
  if (Array.isArray(value)) return value.map(forOracle);
  return value;
}

/** Maps in the order of their encodings, as decoding gives them: equality of maps says nothing of order. */
function inOrder(value: CborValue): CborValue {
  return decode(encode(value));
}

describe("encoding", () => {
  test("writes what an independent deterministic encoder writes", () => {
    fc.assert(
      fc.property(cborValue, (value) => {
        expect(hexOf(encode(value))).toBe(hexOf(cbor2.encode(forOracle(value), { ...cbor2.cdeEncodeOptions })));
      }),
      { numRuns: 2000 },
    );
  });

  test("comes back as the same value, and as the same bytes", () => {
    fc.assert(
      fc.property(cborValue, (value) => {
        const bytes = encode(value);
        const back = decode(bytes);
        expect(back).toEqual(inOrder(value));
        expect(hexOf(encode(back))).toBe(hexOf(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test("sorts the keys of a map whatever order they were set in", () => {
    const entries: [CborValue, CborValue][] = [
      [300, 0],
      ["b", 0],
      [-1, 0],
      [5, 0],
      ["aa", 0],
    ];
    const bytes = hexOf(encode(new Map(entries)));
    expect(bytes).toBe("a50500" + "19012c00" + "2000" + "616200" + "62616100");
    expect(hexOf(encode(new Map(entries.reverse())))).toBe(bytes);
  });

  test("writes an integer in its shortest head, given as a number or as a bigint", () => {
    const cases: [bigint, string][] = [
      [0n, "00"],
      [23n, "17"],
      [24n, "1818"],
      [2n ** 32n - 1n, "1affffffff"],
      [2n ** 32n, "1b0000000100000000"],
      [2n ** 53n - 1n, "1b001fffffffffffff"],
      [-1n, "20"],
      [-(2n ** 32n), "3affffffff"],
      [-(2n ** 32n) - 1n, "3b0000000100000000"],
    ];
    for (const [value, text] of cases) {
      expect([hexOf(encode(value)), hexOf(encode(Number(value)))]).toEqual([text, text]);
      expect(decode(hex(text))).toBe(Number(value));
    }
    expect(hexOf(encode(2n ** 64n - 1n))).toBe("1bffffffffffffffff");
    expect(decode(hex("1bffffffffffffffff"))).toBe(2n ** 64n - 1n);
    expect(decode(hex("3bffffffffffffffff"))).toBe(-(2n ** 64n));
  });

  test("writes what is longer than any message, in order, as the independent encoder does", () => {
    const keys = fc.uniqueArray(fc.oneof(fc.maxSafeInteger(), fc.string()), { minLength: 200, maxLength: 400 });
    fc.assert(
      fc.property(keys, fc.uint8Array({ minLength: 100, maxLength: 200 }), (labels, bytes) => {
        const value = new Map(labels.map((label) => [label, [bytes, new Map([[label, "x".repeat(70)]])]]));
        const written = encode(value);
        expect(written.length).toBeGreaterThan(20_000);
        expect(hexOf(written)).toBe(hexOf(cbor2.encode(forOracle(value), { ...cbor2.cdeEncodeOptions })));
      }),
      { numRuns: 20 },
    );
  });

  test("is not disturbed by a value that was refused half-way, or by one that encodes another", () => {
    const good = new Map<CborValue, CborValue>([[1, ["a", Uint8Array.of(1, 2)]]]);
    const bytes = encode(good);
    expect(codeOf(() => encode([good, "b", 1.5]))).toBe(ErrorCode.CBOR_FLOAT);
    expect(encode(good)).toEqual(bytes);
    class Curious extends Map<CborValue, CborValue> {
      override *[Symbol.iterator]() {
        for (const entry of super[Symbol.iterator]()) {
          encode("something else");
          yield entry;
        }
        return undefined;
      }
    }
    expect(encode(new Curious(good))).toEqual(bytes);
  });

  test("refuses what the profile doesn't have, with the code of the reason", () => {
    let deep: CborValue = 0;
    for (let i = 0; i < 9; i++) deep = [deep];
    const circle: CborValue[] = [];
    circle.push(circle);
    const cases: [unknown, ErrorCode][] = [
      [1.5, ErrorCode.CBOR_FLOAT],
      [Number.NaN, ErrorCode.CBOR_FLOAT],
      [Number.POSITIVE_INFINITY, ErrorCode.CBOR_FLOAT],
      [2 ** 53, ErrorCode.CBOR_TYPE],
      [2n ** 64n, ErrorCode.CBOR_TYPE],
      [-(2n ** 64n), ErrorCode.CBOR_TYPE],
      [undefined, ErrorCode.CBOR_SIMPLE],
      [[undefined], ErrorCode.CBOR_SIMPLE],
      ["\ud800", ErrorCode.CBOR_UTF8],
      [`${"x".repeat(100)}\udfff`, ErrorCode.CBOR_UTF8],
      [deep, ErrorCode.CBOR_DEPTH],
      [circle, ErrorCode.CBOR_DEPTH],
      [
        new Map<unknown, number>([
          [1, 0],
          [1n, 0],
        ]),
        ErrorCode.CBOR_KEY_DUPLICATE,
      ],
      [
        new Map([
          [Uint8Array.of(1), 0],
          [Uint8Array.of(1), 0],
        ]),
        ErrorCode.CBOR_KEY_DUPLICATE,
      ],
      [new Tagged(2, Uint8Array.of(1)), ErrorCode.CBOR_NOT_SHORTEST],
      [new Tagged(3, "1"), ErrorCode.CBOR_TYPE],
      [new Tagged(2 ** 32, 0), ErrorCode.CBOR_TYPE],
      [new Tagged(-1, 0), ErrorCode.CBOR_TYPE],
      [new Tagged(1.5, 0), ErrorCode.CBOR_TYPE],
      [{ a: 1 }, ErrorCode.CBOR_TYPE],
      [new Date(0), ErrorCode.CBOR_TYPE],
      [new Set([1]), ErrorCode.CBOR_TYPE],
      [new Float64Array(1), ErrorCode.CBOR_TYPE],
      [() => 0, ErrorCode.CBOR_TYPE],
      [Symbol("x"), ErrorCode.CBOR_TYPE],
    ];
    expect(cases.map(([value]) => codeOf(() => encode(value as CborValue)))).toEqual(cases.map(([, code]) => code));
  });
});

describe("decoding by a reader's own rules", () => {
  test("takes the keys of a map in any order, each once, where the reader says so", () => {
    expect(codeOf(() => decode(hex("a2020001f5")))).toBe(ErrorCode.CBOR_KEY_ORDER);
    expect(decode(hex("a2020001f5"), { anyKeyOrder: true })).toEqual(
      new Map<CborValue, CborValue>([
        [2, 0],
        [1, true],
      ]),
    );
    for (const twice of ["a201000100", "a3010002000100", "a2416100416100"]) {
      expect(
        codeOf(() => decode(hex(twice), { anyKeyOrder: true })),
        twice,
      ).toBe(ErrorCode.CBOR_KEY_DUPLICATE);
    }
  });

  test("bounds the depth and the number of items as the reader says", () => {
    const nested = hex(`${"81".repeat(9)}00`);
    expect(codeOf(() => decode(nested))).toBe(ErrorCode.CBOR_DEPTH);
    expect(codeOf(() => decode(nested, { depthMax: 9 }))).toBe(0);
    const four = hex("83000000");
    expect(codeOf(() => decode(four, { itemsMax: 4 }))).toBe(0);
    expect(codeOf(() => decode(four, { itemsMax: 3 }))).toBe(ErrorCode.CBOR_LENGTH);
  });

  test("is as strict as ever in all else", () => {
    const rules = { anyKeyOrder: true, depthMax: 16, itemsMax: 100 };
    const cases = ["9fff", "f93c00", "1800", "61ff", "0000", "f7", "c2410a"];
    expect(cases.map((text) => codeOf(() => decode(hex(text), rules)))).toEqual(
      cases.map((text) => codeOf(() => decode(hex(text)))),
    );
    expect(cases.every((text) => codeOf(() => decode(hex(text), rules)) !== 0)).toBe(true);
  });

  test("is what a writer may reach too, as far as depth goes", () => {
    let deep: CborValue = 0;
    for (let i = 0; i < 9; i++) deep = [deep];
    expect(codeOf(() => encode(deep))).toBe(ErrorCode.CBOR_DEPTH);
    expect(hexOf(encode(deep, { depthMax: 9 }))).toBe(`${"81".repeat(9)}00`);
  });
});

describe("decoding", () => {
  test("gives tags back and acts on none of them", () => {
    // What other decoders act on: a date, a bignum, a set, shared references, records, packed values, a typed array.
    const cases = [
      "c074323031332d30332d32315432303a30343a30305a",
      "c249010000000000000000",
      "d9010280",
      "d81c80",
      "d81d00",
      "d869820001",
      "d9dfff8200820102",
      "d9dffe8200820102",
      "d9dff9820000",
      "d8338480808000",
      "c600",
      "d903e880",
      "d903e9426162",
      "dbffffffffffffffff00",
      "d84043010203",
      `d85550${"00".repeat(16)}`,
    ];
    for (const text of cases) {
      const value = decode(hex(text));
      expect(value).toBeInstanceOf(Tagged);
      if ((value as Tagged).tag !== 2n ** 64n - 1n) expect(hexOf(encode(value))).toBe(text);
    }
    expect(decode(hex("d9010280"))).toEqual(new Tagged(258, []));
  });

  test("copies byte strings, so that the input may be reused, whatever kind of bytes it is", () => {
    for (const input of [hex("43010203"), Buffer.from("43010203", "hex"), hex("000043010203").subarray(2)]) {
      const bytes = decode(input) as Uint8Array;
      input.fill(0xff);
      expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    }
  });

  test("leaves its input as it was", () => {
    const input = hex("a1016161");
    decode(input);
    expect(Reflect.ownKeys(input).filter((key) => Number.isNaN(Number(String(key))))).toEqual([]);
  });

  test("keeps a byte order mark, and keys named like parts of an object", () => {
    for (const text of [`\ufeff${"x".repeat(100)}`, "\ufeff", "__proto__", "constructor", ""]) {
      expect(decode(encode(new Map([[text, text]])))).toEqual(new Map([[text, text]]));
    }
  });

  test("throws a refusal whose code and message say why", () => {
    const act = () => decode(hex("1817"));
    expect(act).toThrow(Refusal);
    expect(act).toThrow("not one deterministic CBOR item of the profile (0x0203)");
    expect(codeOf(act)).toBe(ErrorCode.CBOR_NOT_SHORTEST);
  });
});

describe("diagnostic notation", () => {
  test("shows an item on one line where it fits, indented where it doesn't, and embedded items as items", () => {
    const header = encode(new Map([[1, -19]]));
    const message = new Tagged(18, [header, new Map([[4, Uint8Array.of(1, 2)]]), encode(["x".repeat(70), true]), null]);
    expect(diagnose(encode(message))).toBe(
      ["18([", "  <<{1: -19}>>,", "  {4: h'0102'},", `  <<["${"x".repeat(70)}", true]>>,`, "  null", "])"].join("\n"),
    );
    expect(diagnose(encode(new Map([["a", -1]])))).toBe('{"a": -1}');
  });

  test("refuses what is not one item", () => {
    expect(codeOf(() => diagnose(hex("ff")))).toBe(ErrorCode.CBOR_INDEFINITE);
  });

  test.runIf(sharedIsHere)("agrees with RFC 8949 appendix A, and so do decoding and encoding", () => {
    type Item = { hex: string; diagnostic?: string; decoded?: unknown };
    const items = sharedJson<Item[]>("vectors/cbor/appendix_a.json");
    const accepted = items.filter((item) => codeOf(() => decode(hex(item.hex))) === 0);
    expect(accepted).toHaveLength(44);
    for (const item of accepted) {
      const value = decode(hex(item.hex));
      if (item.hex !== "3bffffffffffffffff") expect(hexOf(encode(value))).toBe(item.hex);
      if (item.diagnostic !== undefined) expect(diagnose(hex(item.hex))).toBe(item.diagnostic);
      else if (!(value instanceof Tagged)) expect(plain(value), item.hex).toEqual(item.decoded ?? null);
    }
  });
});

/** As JSON has it. */
function plain(value: CborValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...(value as CborMap)].map(([key, item]) => [key, plain(item)]));
  return value;
}
