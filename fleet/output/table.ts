/** The results as one table in long form, a row a figure, as CSV and Parquet have it. */
import type { RunResult, SeedRun } from "../run/result.ts";
import type { Json, Metric } from "../study.ts";
import { OutputError } from "./errors.ts";
import { summaryOf } from "./measures.ts";
import { pathsSet, settingOf } from "./settings.ts";
import type { Summary } from "./statistics.ts";

export interface Column {
  readonly name: string;
  /** One for each row; undefined where a point has no such parameter. */
  readonly values: readonly (Json | undefined)[];
}

/** As they stand in every table, whatever a scenario sets. */
const FIXED = ["point", "seed", "metric", "unit", "value"];
const PREFIX = "parameter.";

/**
 * Columns: `point`; every parameter that any point sets, by its path, with the value that the row's point ran with; `seed`,
 * `metric`, `unit`, `value`. Rows: by point, seed and metric, in the order of scenario, seeds and study.
 * Throws `OutputError` (`output/metric`) where the run has a figure that is none of `metrics`.
 */
export function resultColumns(result: RunResult, metrics: readonly Metric[]): Column[] {
  const rows = result.points.flatMap((point) =>
    point.runs.flatMap((run) => figuresOf(run, metrics).map((figure) => ({ point, run, ...figure }))),
  );
  const column = (name: string, value: (row: (typeof rows)[number]) => Json | undefined) => ({
    name,
    values: rows.map(value),
  });
  return [
    column("point", ({ point }) => point.name),
    ...pathsSet(result).map((path) => column(columnName(path), ({ point }) => settingOf(point, path, result.scenario))),
    column("seed", ({ run }) => run.seed),
    column("metric", ({ metric }) => metric.name),
    column("unit", ({ metric }) => metric.unit),
    column("value", ({ value }) => value),
  ];
}

/** A parameter of the name of another column has a longer one. */
function columnName(path: string): string {
  return FIXED.includes(path) || path.startsWith(PREFIX) ? `${PREFIX}${path}` : path;
}

function figuresOf({ outcome }: SeedRun, metrics: readonly Metric[]): { metric: Metric; value: number }[] {
  const { measures } = outcome;
  const stranger = Object.keys(measures).find((name) => !metrics.some((metric) => metric.name === name));
  if (stranger !== undefined) throw new OutputError("output/metric", stranger);
  return metrics.flatMap((metric) => {
    const value = measures[metric.name];
    return value === undefined ? [] : [{ metric, value }];
  });
}

/** A metric at a point, over the seeds that have it; those that no seed has are left out. */
export function summaryRows(
  { points }: RunResult,
  metrics: readonly Metric[],
): { point: string; metric: Metric; summary: Summary }[] {
  return points.flatMap(({ name, runs }) =>
    metrics.flatMap((metric) => {
      const summary = summaryOf(runs, metric.name);
      return summary ? [{ point: name, metric, summary }] : [];
    }),
  );
}
