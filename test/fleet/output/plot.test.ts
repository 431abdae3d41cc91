/** Axes and figures for people: round ticks in human units, and no place outside the plot. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantityText } from "../../../fleet/output/plot/quantity.ts";
import { scaleOf } from "../../../fleet/output/plot/scale.ts";

describe("figures for people", () => {
  // biome-ignore format: a table, one row a figure
  const TABLE: readonly (readonly [value: number, unit: string, text: string])[] = [
    [0, "s", "0 s"], [17 * 60, "s", "17 min"], [60, "s", "60 s"], [86_400, "s", "24 h"], [7_776_000, "s", "90 d"],
    [126_230_400, "s", "4 y"], [0.0042, "s", "4.2 ms"], [3.1e-7, "s", "0.31 µs"], [1.16, "d", "27.8 h"], [69, "d", "69 d"],
    [1e24, "ops", "10²⁴ operations"], [1.234e-5, "ops", "1.23 × 10⁻⁵ operations"], [11_574, "boards", "11,574 boards"],
    [4096, "bytes", "4 KiB"], [1, "bytes", "1 B"], [3.5 * 1024 ** 4, "bytes", "3.5 TiB"], [0.0782, "1", "0.0782"],
    [-0.5, "1", "−0.5"], [2302, "1", "2,302"], [1_000_000, "1", "10⁶"], [999_999, "1", "999,999"], [87.8, "%", "87.8 %"],
    [1234.567, "1", "1,230"],
  ];
  for (const [value, unit, text] of TABLE) {
    it(`${value} ${unit} is ${text}`, () => expect(quantityText(value, unit).replaceAll("\u00a0", " ")).toBe(text));
  }
});

describe("an axis", () => {
  const ticks = (values: readonly number[], unit: string) =>
    scaleOf({ values, unit, start: 0, end: 400, ticksMax: 5, round: true }).ticks.map(({ text }) =>
      text.replaceAll("\u00a0", " "),
    );

  // biome-ignore format: a table, one row an axis
  const TABLE: readonly (readonly [values: readonly number[], unit: string, texts: readonly string[]])[] = [
    [[3, 17], "1", ["0", "5", "10", "15", "20"]],
    [[0.95, 0.99], "1", ["0.95", "0.96", "0.97", "0.98", "0.99"]],
    [[0, 86_400], "s", ["0", "6 h", "12 h", "18 h", "24 h"]],
    [[60, 1020], "s", ["0", "5 min", "10 min", "15 min", "20 min"]],
    [[1, 86_400], "s", ["1 s", "1 min", "1 h", "1 d"]],
    [[60, 7_776_000], "s", ["1 min", "1 h", "1 d", "100 d"]],
    [[1e3, 1e6], "boards", ["1,000", "10,000", "10⁵", "10⁶"]],
    [[1e18, 3e24], "ops", ["10¹⁸", "10²⁰", "10²²", "10²⁴"]],
    [[0, 10, 5000], "1", ["0", "10", "100", "1,000"]],
    [[20, 3000], "1", ["20", "100", "500", "2,000"]],
    [[1024, 1024 ** 3], "bytes", ["1 KiB", "1 MiB", "1 GiB"]],
    [[0, 2.6 * 1024 ** 4], "bytes", ["0", "1 TiB", "2 TiB", "3 TiB"]],
    [[5, 5], "1", ["4.5", "5", "5.5"]],
  ];
  for (const [values, unit, texts] of TABLE) {
    it(`over ${values.join(", ")} ${unit} has round ticks`, () => expect(ticks(values, unit)).toEqual(texts));
  }

  it("puts every value between its ends, in order, whatever the values", () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 });
    const unit = fc.constantFrom("1", "s", "d", "bytes", "ops");
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), unit, fc.boolean(), (values, unit, round) => {
        const scale = scaleOf({ values, unit, start: 300, end: 20, ticksMax: 5, round });
        const places = values.toSorted((a, b) => a - b).map((one) => scale.at(one));
        for (const [at, place] of places.entries()) {
          expect(place).toBeGreaterThanOrEqual(20 - 1e-6);
          expect(place).toBeLessThanOrEqual(300 + 1e-6);
          if (at > 0) expect(place).toBeLessThanOrEqual(places[at - 1]! + 1e-6);
        }
        expect(scale.ticks.length).toBeLessThan(20);
        for (const { text } of scale.ticks) expect(text).not.toMatch(/NaN|Infinity/);
      }),
    );
  });
});
