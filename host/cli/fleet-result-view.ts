/** How results of a fleet's runs, estimates and verdicts read on a terminal. */
import { summarize } from "../../fleet/output/statistics.ts";
import { judge, type Verdict } from "../../fleet/output/verdict.ts";
import type { RunEstimate } from "../../fleet/run/estimate.ts";
import type { PointResult, RunResult } from "../../fleet/run/result.ts";
import type { Expectation, Tolerance } from "../../fleet/scenario/scenario.ts";
import type { Metric } from "../../fleet/study.ts";
import { countText, durationText, exactText, plainText } from "./names.ts";
import { color, facts, table } from "./output.ts";

/** More rows than these are for the files of --out. */
const ROWS_MAX = 200;

export function estimateText(estimate: RunEstimate): string {
  const { points, seeds, cells, boards, events, cpuSeconds, workers, seconds, bytesResidentTotal } = estimate;
  return facts(
    [
      ["points", exactText(points)],
      ["seeds of each", exactText(seeds)],
      ["cells", exactText(cells)],
      ["boards, over all runs", exactText(boards)],
      ["events", roundText(events)],
      ["time of one core", durationText(cpuSeconds)],
      [`time on ${countText(workers, "worker")}`, `${durationText(seconds)}, if each has a core`],
      ["memory", `${roundText(bytesResidentTotal / 2 ** 20)} MiB, of all workers`],
    ],
    "",
  );
}

/** A row for each metric of each point, and what was expected beside what came of it. */
export function resultText(result: RunResult, metrics: readonly Metric[], seconds: number): string {
  const { scenario, points } = result;
  const all = points.flatMap((point) => metrics.map((metric) => rowOf(point, metric)));
  const rows = all.filter((row) => row !== undefined);
  const columns = [
    { title: "point" },
    { title: "metric" },
    { title: "mean", right: true },
    { title: "least", right: true },
    { title: "most", right: true },
    { title: "unit" },
  ];
  const lines = [color.bold(plainText(scenario.title)), plainText(scenario.question), ""];
  lines.push(table(columns, rows.slice(0, ROWS_MAX), ""));
  if (rows.length > ROWS_MAX)
    lines.push(`and ${exactText(rows.length - ROWS_MAX)} more rows: --out or --json has them all`);
  const judged = judgements(result);
  if (judged.length > 0) lines.push("", verdictTable(judged));
  const ran = `${countText(points.length, "point")}, ${countText(scenario.seeds, "seed")} of each`;
  lines.push("", `${ran}, seed ${plainText(result.seed)}, in ${durationText(seconds)}`);
  return lines.join("\n");
}

function rowOf({ name, runs }: PointResult, metric: Metric): string[] | undefined {
  const values = runs.flatMap(({ outcome }) => outcome.measures[metric.name] ?? []);
  const summary = summarize(values);
  if (!summary) return undefined;
  const [mean, min, max] = [summary.mean, summary.min, summary.max].map(numberText) as [string, string, string];
  return [plainText(name), metric.name, mean, min, max, metric.unit];
}

export interface Judgement extends Expectation {
  readonly verdict: Verdict;
}

export function judgements({ scenario, points }: RunResult): Judgement[] {
  const byName = new Map(points.map((point) => [point.name, point]));
  return scenario.expect.map((one) => ({ ...one, verdict: judge(one, byName.get(one.point)!.runs) }));
}

export function verdictTable(judged: readonly Judgement[]): string {
  const columns = [
    { title: "" },
    { title: "figure" },
    { title: "point" },
    { title: "expected", right: true },
    { title: "basis" },
    { title: "measured", right: true },
    { title: "over seeds" },
    { title: "allowed" },
  ];
  const rows = judged.map(({ figure, point, expected, basis, tolerance, of, verdict }) => {
    const { measured, held, ok } = verdict;
    const range = measured ? `${numberText(measured.min)} to ${numberText(measured.max)}` : "it did not come about";
    const mark = ok ? color.green("✓") : color.red("✗");
    const value = held === undefined ? "-" : numberText(held);
    const asked = of === "mean" ? "" : `, ${of}`;
    return [
      mark,
      plainText(figure),
      plainText(point),
      numberText(expected),
      basis,
      value,
      range,
      `${toleranceText(tolerance)}${asked}`,
    ];
  });
  return table(columns, rows, "");
}

function toleranceText(tolerance: Tolerance): string {
  if (tolerance === "atMost") return "at most that";
  if (tolerance === "atLeast") return "at least that";
  if ("from" in tolerance) return `${numberText(tolerance.from)} to ${numberText(tolerance.to)}`;
  if ("absolute" in tolerance) return `± ${numberText(tolerance.absolute)}`;
  return `± ${numberText(tolerance.relative * 100)} %`;
}

/** Six digits: `1,234.5`, `0.0625`, `1.15741e+24`. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return exactText(value);
  const rounded = Number(value.toPrecision(6));
  const size = Math.abs(rounded);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return rounded.toExponential();
  const [, sign, whole, part] = /^(-?)([0-9]+)(\..*)?$/.exec(String(rounded)) as unknown as string[];
  return `${sign}${exactText(Number(whole))}${part ?? ""}`;
}

/** Two digits are as much as an estimate is worth. */
function roundText(value: number): string {
  return numberText(Number(value.toPrecision(2)));
}
