import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { COUNTING_RULES, countedOperations, operationFactor } from "../../../host/policy/counting.ts";
import { PolicyError } from "../../../host/policy/errors.ts";
import { type FleetGroup, parseFleet } from "../../../host/policy/fleet.ts";
import { parseQuantity, type QuantityKind, quantityText } from "../../../host/policy/quantity.ts";

describe("a quantity", () => {
  it.each([
    ["1e24FLOP", "operations", 10n ** 24n],
    ["3.6e18 FLOP", "operations", 36n * 10n ** 17n],
    ["36EFLOP", "operations", 36n * 10n ** 18n],
    ["1e26OP", "operations", 10n ** 26n],
    ["0", "operations", 0n],
    ["1.5GB", "bytes", 1_500_000_000n],
    ["512 MiB", "bytes", 536_870_912n],
    ["0.5KiB", "bytes", 512n],
    ["15min", "seconds", 900n],
    ["1.5h", "seconds", 5400n],
    ["90d", "seconds", 7_776_000n],
    ["9e5 ticks", "ticks", 900_000n],
    ["1e15FLOP/s", "operationsPerSecond", 10n ** 15n],
    ["450GB/s", "bytesPerSecond", 45n * 10n ** 10n],
    ["340282366920938463463374607431768211455", "operations", 2n ** 128n - 1n],
  ] as [string, QuantityKind, bigint][])("%s is read exactly", (text, kind, value) => {
    expect(parseQuantity(text, kind, "it")).toBe(value);
  });

  it.each([
    ["", "operations"],
    ["-1", "operations"],
    ["+1", "operations"],
    [" 1", "operations"],
    ["1 ", "operations"],
    ["1  FLOP", "operations"],
    ["1,000", "operations"],
    ["1e-3", "operations"],
    ["1e+3", "operations"],
    [".5e3", "operations"],
    ["5.e3", "operations"],
    ["0x10", "operations"],
    ["1.5", "operations"],
    ["1e99", "operations"],
    ["340282366920938463463374607431768211456", "operations"],
    ["NaN", "operations"],
    ["1flop", "operations"],
    ["1GB", "operations"],
    ["1FLOP/s", "operations"],
    ["1e24FLOP", "bytes"],
    ["1.5s", "seconds"],
    ["15m", "seconds"],
    ["1".repeat(65), "operations"],
  ] as [string, QuantityKind][])("'%s' is none of %s, and the message says what is", (text, kind) => {
    expect(() => parseQuantity(text, kind, "budget")).toThrow(/^budget: ".*: must be a whole number of .* such as/);
  });

  it("that is written is read back exactly, of every kind", () => {
    const kinds: QuantityKind[] = ["operations", "bytes", "seconds", "ticks", "operationsPerSecond", "bytesPerSecond"];
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (kind, value) => {
        expect(parseQuantity(quantityText(value, kind), kind, "it")).toBe(value);
      }),
    );
  });

  it("never comes of any text but by this one grammar, and refusals are policy errors", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        try {
          expect(parseQuantity(text, "operations", "it")).toBeGreaterThanOrEqual(0n);
        } catch (error) {
          expect(error).toBeInstanceOf(PolicyError);
        }
      }),
    );
  });
});

describe("operations", () => {
  it.each([
    ["TENSOR_FP64", EngineClass.TENSOR_FP64, 4n],
    ["TENSOR_TF32", EngineClass.TENSOR_TF32, 2n],
    ["TENSOR_BF16", EngineClass.TENSOR_BF16, 1n],
    ["TENSOR_FP16", EngineClass.TENSOR_FP16, 1n],
    ["TENSOR_FP8", EngineClass.TENSOR_FP8, 1n],
    ["TENSOR_INT8", EngineClass.TENSOR_INT8, 1n],
    ["TENSOR_FP4", EngineClass.TENSOR_FP4, 1n],
    ["TENSOR_INT4", EngineClass.TENSOR_INT4, 1n],
    ["VECTOR", EngineClass.VECTOR, 2n],
    ["COPY", EngineClass.COPY, 0n],
    ["LINK_TX", EngineClass.LINK_TX, 0n],
    ["LINK_RX", EngineClass.LINK_RX, 0n],
  ])("of %s count as FP16 or native, whichever is higher: factor %#", (_, engineClass, factor) => {
    expect(operationFactor(engineClass, "fp16-equivalent-or-native")).toBe(factor);
    expect(operationFactor(engineClass, "native")).toBe(factor === 0n ? 0n : 1n);
  });

  it("of all classes add up, and bytes are none", () => {
    const work = new Map([[EngineClass.TENSOR_FP64, 10n]])
      .set(EngineClass.TENSOR_FP8, 100n)
      .set(EngineClass.COPY, 10n ** 12n);
    expect(COUNTING_RULES.map((rule) => countedOperations(work, rule))).toEqual([110n, 140n]);
  });
});

describe("a fleet", () => {
  const board = { name: "h100", peakPerSecond: new Map([[EngineClass.TENSOR_BF16, 10n ** 15n]]) };
  const parse = (text: string) => parseFleet(text, (name) => (name === "h100" ? board : undefined), "h100");

  it("is read group by group", () => {
    const rated: FleetGroup["board"] = {
      name: "chip",
      peakPerSecond: new Map([[EngineClass.TENSOR_BF16, 2n * 10n ** 15n]]),
    };
    expect(parse("1e5xH100, 16xchip@2e15FLOP/s")).toEqual([
      { boards: 100_000n, board },
      { boards: 16n, board: rated },
    ]);
  });

  it.each(["", "H100", "0xH100", "-1xH100", "1.5xH100", "2xTPU", "2xchip@0FLOP/s", "2xchip@1GB", "1e10xH100", ","])(
    "'%s' is none",
    (text) => {
      expect(() => parse(text)).toThrow(PolicyError);
    },
  );
});
