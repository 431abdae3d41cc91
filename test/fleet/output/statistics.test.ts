/** Statistics over seeds, against published values. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { studentT975, summarize } from "../../../fleet/output/statistics.ts";

/** NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, critical values of Student's t, column 0.975. */
// biome-ignore format: a table
const NIST_T975: readonly (readonly [freedom: number, t: number])[] = [
  [1, 12.706], [2, 4.303], [3, 3.182], [4, 2.776], [5, 2.571], [6, 2.447], [7, 2.365], [8, 2.306], [9, 2.262],
  [10, 2.228], [11, 2.201], [12, 2.179], [15, 2.131], [19, 2.093], [20, 2.086], [24, 2.064], [29, 2.045], [30, 2.042],
  [40, 2.021], [49, 2.010], [80, 1.990], [99, 1.984], [100, 1.984],
];

describe("Student's t", () => {
  it("has the quantiles of NIST's table", () => {
    for (const [freedom, t] of NIST_T975) expect(studentT975(freedom).toFixed(3), String(freedom)).toBe(t.toFixed(3));
  });

  it("nears the normal distribution's 1.959964 from above", () => {
    expect(studentT975(9_999)).toBeCloseTo(1.960201, 5);
    expect(studentT975(100_000)).toBeGreaterThan(1.959964);
  });

  it("has no degrees of freedom that are none", () => {
    for (const freedom of [0, -1, 1.5, Number.NaN]) expect(() => studentT975(freedom)).toThrow(RangeError);
  });
});

describe("a summary over seeds", () => {
  it("is that of Student's own table: hours of sleep gained with hyoscine (Biometrika 6, 1908)", () => {
    // The ten differences, and the interval as every textbook gives it: 1.58, 1.23, 0.70 to 2.46.
    const hours = [1.2, 2.4, 1.3, 1.3, 0, 1.0, 1.8, 0.8, 4.6, 1.4];
    const summary = summarize(hours)!;
    expect(summary.mean).toBeCloseTo(1.58, 10);
    expect(summary.median).toBeCloseTo(1.3, 10);
    expect(summary.standardDeviation).toBeCloseTo(1.229995, 6);
    expect(summary.ci95!.low).toBeCloseTo(0.7001142, 6);
    expect(summary.ci95!.high).toBeCloseTo(2.4598858, 6);
  });

  it("of a single seed has no spread and no interval", () => {
    expect(summarize([7])).toEqual({ n: 1, mean: 7, median: 7, min: 7, max: 7 });
    expect(summarize([])).toBeUndefined();
  });

  it("of equal values is exactly that value, with an interval of no width", () => {
    for (const value of [0.1, 1 / 3, 1e25, -7.3e-12]) {
      const values = [value, value, value];
      expect(summarize(values)).toMatchObject({ mean: value, standardDeviation: 0, ci95: { low: value, high: value } });
    }
  });

  it("is finite for whatever finite values, and the mean lies between the least and the largest", () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), (values) => {
        const { mean, median, min, max, standardDeviation, ci95 } = summarize(values)!;
        for (const figure of [mean, median, standardDeviation ?? 0, ci95?.low ?? 0, ci95?.high ?? 0]) {
          expect(Number.isFinite(figure)).toBe(true);
        }
        expect(mean).toBeGreaterThanOrEqual(min);
        expect(mean).toBeLessThanOrEqual(max);
      }),
    );
    expect(() => summarize([1, Number.NaN])).toThrow(RangeError);
  });
});
