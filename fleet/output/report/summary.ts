/** The report in a few sentences, made from the numbers alone. */
import type { PointResult, RunResult } from "../../run/result.ts";
import type { Metric } from "../../study.ts";
import { summaryOf } from "../measures.ts";
import { numberText, quantityText } from "../plot/quantity.ts";
import type { Summary } from "../statistics.ts";
import { type Judged, measuredText, toleranceText } from "./expectations.ts";
import { summaryText } from "./figures.ts";
import type { Layout } from "./layout.ts";
import { counted, listed, metricTitle, parameterWords, pointLabel, settingText } from "./names.ts";

/** Metrics that the summary speaks of; those with an expected figure come first. */
const METRICS_MAX = 6;

export interface Findings {
  readonly asked: string;
  readonly found: readonly string[];
  readonly sure: string;
  readonly held: string;
  /** A line for each figure that parted. */
  readonly parted: readonly string[];
}

export function findings(
  result: RunResult,
  varied: readonly Metric[],
  constant: readonly Metric[],
  layout: Layout,
  expectations: readonly Judged[],
): Findings {
  const expected = new Set(expectations.map(({ expectation }) => expectation.metric));
  const first = (metrics: readonly Metric[]) => [
    ...metrics.filter(({ name }) => expected.has(name)),
    ...metrics.filter(({ name }) => !expected.has(name)),
  ];
  const spoken = (layout.kind === "single" ? first(constant) : first(varied)).slice(0, METRICS_MAX);
  return {
    asked: askedText(result, layout),
    found: spoken.map((metric) => foundText(result, metric, layout)),
    sure: sureText(result, [...varied, ...constant]),
    ...heldTexts(expectations),
  };
}

function askedText({ scenario, points, seed }: RunResult, layout: Layout): string {
  const runs = points.length * scenario.seeds;
  const along = layout.kind === "lines" ? ` along ${parameterWords(layout.path)}` : "";
  const how =
    points.length === 1
      ? `one point, with ${counted(scenario.seeds, "seed")}`
      : `${counted(points.length, "point")}${along}, each with ${counted(scenario.seeds, "seed")}: ${counted(runs, "run")}`;
  return `The study “${scenario.study}” was run at ${how}. Everything random in them comes from the seed “${seed}”.`;
}

function foundText({ points, scenario }: RunResult, metric: Metric, layout: Layout): string {
  const all = points.flatMap((point) => {
    const summary = summaryOf(point.runs, metric.name);
    return summary ? [{ label: pointLabel(point, scenario), summary }] : [];
  });
  const title = metricTitle(metric);
  const [first] = all;
  if (all.length === 1) return `${title}: ${summaryText(first!.summary, metric.unit)}.`;
  const least = all.reduce((one, other) => (other.summary.mean < one.summary.mean ? other : one));
  const most = all.reduce((one, other) => (other.summary.mean > one.summary.mean ? other : one));
  const [low, high] = [least, most].map(
    ({ label, summary }) => `${quantityText(summary.mean, metric.unit)} (${label})`,
  );
  const absent = points.length - all.length;
  const gap = absent > 0 ? `; at ${counted(absent, "point")} it did not come about` : "";
  return `${title}: from ${low} to ${high}${trendText(metric, layout)}${gap}.`;
}

/** Only what holds along every line. */
function trendText(metric: Metric, layout: Layout): string {
  if (layout.kind !== "lines" || layout.omitted > 0) return "";
  let [rises, falls] = [0, 0];
  for (const { points } of layout.panels.flatMap(({ lines }) => lines)) {
    const means = points.map(({ point }) => summaryOf(point.runs, metric.name)?.mean);
    for (let at = 1; at < means.length; at++) {
      const [before, after] = [means[at - 1], means[at]];
      if (before === undefined || after === undefined) return "";
      if (after > before) rises++;
      if (after < before) falls++;
    }
  }
  const words = parameterWords(layout.path);
  if (rises > 0 && falls === 0) return `; it rises with ${words}`;
  return falls > 0 && rises === 0 ? `; it falls with ${words}` : "";
}

/** Of a mean that is nothing beside the others of its metric no share is told. */
const NOTHING = 1e-9;

/** Of the widest interval over all means. */
function sureText({ points, scenario }: RunResult, metrics: readonly Metric[]): string {
  if (scenario.seeds === 1) return "With one seed there is no interval: another seed may give other figures.";
  const where = (point: PointResult) => (points.length === 1 ? [] : [pointLabel(point, scenario)]);
  let widest = { share: 0, at: "" };
  for (const metric of metrics) {
    const summaries = points.map(({ runs }) => summaryOf(runs, metric.name));
    const most = Math.max(...summaries.map((summary) => Math.abs(summary?.mean ?? 0)));
    for (const [at, summary] of summaries.entries()) {
      const share = summary && Math.abs(summary.mean) > NOTHING * most ? shareOf(summary) : 0;
      if (share > widest.share) widest = { share, at: [metricTitle(metric), ...where(points[at]!)].join(", ") };
    }
  }
  if (widest.share === 0) return `All ${scenario.seeds} seeds gave the same figures.`;
  return `The 95 % interval of a mean over the seeds is at its widest ± ${numberText(widest.share * 100, 2)} % of it (${widest.at}).`;
}

function shareOf({ mean, ci95 }: Summary): number {
  return ci95 ? (ci95.high / Math.abs(mean) - ci95.low / Math.abs(mean)) / 2 : 0;
}

function heldTexts(expectations: readonly Judged[]): { held: string; parted: string[] } {
  const parted = expectations.filter(({ verdict }) => !verdict.ok);
  return {
    held: heldText(expectations.length, parted.length),
    parted: parted.map((one) => {
      const { expectation, unit } = one;
      const expected = quantityText(expectation.expected, unit, 4);
      return `${expectation.figure}: expected ${expected}, measured ${measuredText(one)} (tolerance: ${toleranceText(one)}).`;
    }),
  };
}

function heldText(total: number, parted: number): string {
  if (total === 0) return "No expected figure is held against this run.";
  if (total === 1) {
    return parted === 0
      ? "The expected figure agrees with the measured one within its tolerance."
      : "The expected figure differs from the measured one by more than its tolerance:";
  }
  if (parted === 0)
    return `${total === 2 ? "Both" : `All ${total}`} expected figures agree with the measured ones within their tolerances.`;
  const agree = total - parted;
  const first = agree === 0 ? "none agrees" : agree === 1 ? "one agrees" : `${agree} agree`;
  const second = parted === 1 ? "one differs" : `${parted} differ`;
  return `Of ${total} expected figures, ${first} with the measured ones; ${second} by more than the tolerance:`;
}

/** `60 s, 5 min and 1 h`, or of many the first, the last and their number. */
export function valuesText(path: string, values: readonly Parameters<typeof settingText>[1][]): string {
  const texts = values.map((value) => settingText(path, value));
  if (texts.length <= 12) return listed(texts);
  return `${texts[0]} to ${texts.at(-1)} (${texts.length} values)`;
}
