/** A metric over the seeds of a point. */
import type { SeedRun } from "../run/result.ts";
import { type Summary, summarize } from "./statistics.ts";

type Runs = readonly Pick<SeedRun, "outcome">[];

/** Of the seeds that have it, in their order. */
export function valuesOf(runs: Runs, metric: string): number[] {
  return runs.flatMap(({ outcome }) => outcome.measures[metric] ?? []);
}

/** Undefined where no seed has it. */
export function summaryOf(runs: Runs, metric: string): Summary | undefined {
  return summarize(valuesOf(runs, metric));
}
