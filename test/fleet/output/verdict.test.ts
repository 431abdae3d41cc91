/** Where measured and expected agree, and where they part. */
import { describe, expect, it } from "vitest";
import { judge } from "../../../fleet/output/verdict.ts";
import type { Measures } from "../../../fleet/study.ts";

const runs = (...values: (number | undefined)[]) =>
  values.map((value) => ({ outcome: { measures: (value === undefined ? {} : { x: value }) as Measures } }));

type Tolerance = Parameters<typeof judge>[0]["tolerance"];
type Of = Parameters<typeof judge>[0]["of"];

// biome-ignore format: a table, one row a case
const TABLE: readonly (readonly [of: Of, expected: number, tolerance: Tolerance, values: number[], ok: boolean])[] = [
  ["mean", 100, { relative: 0.05 }, [105], true],
  ["mean", 100, { relative: 0.05 }, [105.001], false],
  ["mean", 100, { relative: 0.05 }, [95], true],
  ["mean", 100, { relative: 0.05 }, [94.999], false],
  ["mean", -100, { relative: 0.05 }, [-104], true],
  ["mean", 100, { relative: 0.05 }, [80, 120], true],
  ["each", 100, { relative: 0.05 }, [80, 120], false],
  ["each", 100, { relative: 0.05 }, [100, 100, 106], false],
  ["each", 100, { relative: 0.05 }, [96, 104, 100], true],
  ["max", 100, { relative: 0.05 }, [1, 104], true],
  ["max", 100, { relative: 0.05 }, [100, 106], false],
  ["min", 100, { relative: 0.05 }, [96, 1000], true],
  ["min", 100, { relative: 0.05 }, [94, 100], false],
  ["mean", 0.7, { absolute: 0.1 }, [0.8], true],
  ["mean", 0.7, { absolute: 0.1 }, [0.80001], false],
  ["mean", 0.3, { absolute: 0.1 }, [0.2], true],
  ["mean", 0, { absolute: 0 }, [0], true],
  ["mean", 230, { absolute: 0 }, [230], true],
  ["mean", 230, { absolute: 0 }, [229], false],
  ["mean", 0.1, { absolute: 0 }, [0.1, 0.1, 0.1], true],
  ["mean", 80, { from: 76.5, to: 90 }, [76.5], true],
  ["mean", 80, { from: 76.5, to: 90 }, [90.01], false],
  ["max", 17, "atMost", [3, 17], true],
  ["max", 17, "atMost", [3, 17.0001], false],
  ["each", 17, "atMost", [-1e9, 17], true],
  ["min", 17, "atLeast", [17, 20], true],
  ["each", 17, "atLeast", [20, 16.9], false],
];

describe("an expected figure and a measured one", () => {
  for (const [of, expected, tolerance, values, ok] of TABLE) {
    it(`${of} of ${values.join(", ")} ${ok ? "fits" : "parts from"} ${expected} ${JSON.stringify(tolerance)}`, () => {
      expect(judge({ metric: "x", of, expected, tolerance }, runs(...values)).ok).toBe(ok);
    });
  }

  it("part where a run has no such figure, and say in how many", () => {
    const expectation = { metric: "x", of: "mean", expected: 1, tolerance: { relative: 0.1 } } as const;
    const some = judge(expectation, runs(1, undefined, 1));
    expect(some).toMatchObject({ ok: false, missing: 1, held: 1, measured: { n: 2, mean: 1 } });
    const none = judge(expectation, runs(undefined, undefined));
    expect(none).toEqual({ ok: false, missing: 2, from: expect.any(Number), to: expect.any(Number) });
    expect(judge(expectation, [])).toMatchObject({ ok: false, missing: 0 });
  });

  it("are told with the value that was held against it, the worst one where each must fit", () => {
    const held = (of: Of, tolerance: Tolerance) =>
      judge({ metric: "x", of, expected: 10, tolerance }, runs(9, 12, 10)).held;
    expect(held("each", { relative: 0.1 })).toBe(12);
    expect(held("each", "atLeast")).toBe(9);
    expect(held("max", "atMost")).toBe(12);
    expect(held("min", "atMost")).toBe(9);
  });
});
