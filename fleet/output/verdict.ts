/** Whether what was measured agrees with what was expected. The only place that decides it. */
import type { SeedRun } from "../run/result.ts";
import type { Expectation } from "../scenario/scenario.ts";
import { valuesOf } from "./measures.ts";
import { type Summary, summarize } from "./statistics.ts";

export interface Verdict {
  /** Over the runs that have the metric; absent where none has. */
  readonly measured?: Summary;
  /** The value that was held against the expected one; of `each`, the one that fits least. */
  readonly held?: number;
  /** What fits, both ends included; infinite where one side is open. */
  readonly from: number;
  readonly to: number;
  /** Runs without the metric. One is enough to part: a figure that did not come about confirms nothing. */
  readonly missing: number;
  readonly ok: boolean;
}

type Judged = Pick<Expectation, "metric" | "of" | "expected" | "tolerance">;

/** Of the runs of the point that the expectation is about. */
export function judge(expectation: Judged, runs: readonly Pick<SeedRun, "outcome">[]): Verdict {
  const { metric, of } = expectation;
  const values = valuesOf(runs, metric);
  const missing = runs.length - values.length;
  const [from, to] = allowed(expectation);
  const measured = summarize(values);
  if (!measured) return { from, to, missing, ok: false };
  const outside = (value: number) => Math.max(from - value, value - to);
  const held =
    of === "each" ? values.reduce((worst, value) => (outside(value) > outside(worst) ? value : worst)) : measured[of];
  return { measured, held, from, to, missing, ok: missing === 0 && outside(held) <= 0 };
}

/** Ends that are computed are some rounding errors wide: 0.8 is within 0.1 of 0.7. */
const ROUNDING = 4 * Number.EPSILON;

function allowed({ expected, tolerance }: Judged): [from: number, to: number] {
  if (tolerance === "atMost") return [Number.NEGATIVE_INFINITY, expected];
  if (tolerance === "atLeast") return [expected, Number.POSITIVE_INFINITY];
  if ("from" in tolerance) return [tolerance.from, tolerance.to];
  const wide = "relative" in tolerance ? tolerance.relative * Math.abs(expected) : tolerance.absolute;
  const rounding = wide === 0 ? 0 : ROUNDING * (Math.abs(expected) + wide);
  return [expected - wide - rounding, expected + wide + rounding];
}
