/** The metrics: a plot for each that differs between the points, its values as a table, and one table for the others. */
import type { PointResult, RunResult } from "../../run/result.ts";
import type { Metric } from "../../study.ts";
import { element, escaped } from "../markup.ts";
import { summaryOf } from "../measures.ts";
import { type LegendEntry, legend } from "../plot/chart.ts";
import { type DotRow, dotPlot } from "../plot/dots.ts";
import { type ExpectedAt, type LinePoint, linePlot, valuesOf } from "../plot/lines.ts";
import { quantityText, shortText } from "../plot/quantity.ts";
import { isGeometric } from "../plot/scale.ts";
import type { Summary } from "../statistics.ts";
import { expectedAt, type Judged } from "./expectations.ts";
import { paragraph, table } from "./html.ts";
import type { Layout, Panel } from "./layout.ts";
import {
  capital,
  counted,
  metricTitle,
  metricWords,
  parameterUnit,
  parameterWords,
  pointLabel,
  settingText,
} from "./names.ts";

/** More rows are in `summary.csv`. */
const TABLE_ROWS_MAX = 100;
const DOT_ROWS_MAX = 40;

interface Page {
  readonly result: RunResult;
  readonly layout: Layout;
  readonly expectations: readonly Judged[];
}

/** Metrics that have a value anywhere: those that differ between points, and those that are the same at all. */
export function sorted(result: RunResult, metrics: readonly Metric[]): { varied: Metric[]; constant: Metric[] } {
  const varied: Metric[] = [];
  const constant: Metric[] = [];
  for (const metric of metrics) {
    const summaries = result.points.map(({ runs }) => summaryOf(runs, metric.name));
    const present = summaries.filter((summary) => summary !== undefined);
    if (present.length === 0) continue;
    const [first] = present as [Summary];
    const isEverywhere = present.length === result.points.length;
    // Seeds may differ, where they do so alike at every point.
    const same =
      isEverywhere &&
      present.every(({ min, mean, max }) => min === first.min && mean === first.mean && max === first.max);
    (same || result.points.length === 1 ? constant : varied).push(metric);
  }
  return { varied, constant };
}

/** So many metrics have an open plot; whoever wants the others unfolds them. */
const OPEN_MAX = 8;

/** Those with an expected figure come first, then in the study's order. */
export function metricFigures(page: Page, metrics: readonly Metric[]): string {
  const expected = new Set(page.expectations.map(({ expectation }) => expectation.metric));
  const ordered = [true, false].flatMap((isExpected) =>
    metrics.filter(({ name }) => expected.has(name) === isExpected),
  );
  const figures = ordered.map((metric, at) => metricFigure(page, metric, at + 1));
  const openCount = Math.max(OPEN_MAX, expected.size);
  const [open, folded] = [figures.slice(0, openCount), figures.slice(openCount)];
  const grid = (some: readonly string[]) => element("div", { class: "figures" }, ...some);
  if (folded.length === 0) return grid(open);
  const rest = element("summary", {}, escaped(`${counted(folded.length, "more figure")}`));
  return grid(open) + element("details", { class: "more" }, rest, grid(folded));
}

function metricFigure(page: Page, metric: Metric, number: number): string {
  const { layout } = page;
  const id = `metric-${number}`;
  const isWide = layout.kind === "lines" && layout.panels.length > 1;
  return element(
    "figure",
    { id, class: isWide ? "wide" : undefined },
    element("h3", {}, escaped(metricTitle(metric))),
    element(
      "p",
      { class: "meaning" },
      `${escaped(capital(metric.meaning))} · ${element("span", { class: "code" }, escaped(metric.name))}`,
    ),
    layout.kind === "lines" ? panelPlots(page, layout, metric, id) : rowsPlot(page, metric, id),
    layout.kind === "lines" && layout.omitted > 0
      ? paragraph(`${counted(layout.omitted, "more panel")}: all values are in summary.csv.`, "note")
      : "",
    valuesDetails(page.result, metric),
  );
}

type Lines = Extract<Layout, { kind: "lines" }>;

/** Panels of one metric have one value axis, so that they can be compared. */
function panelPlots({ expectations }: Page, { path, panels }: Lines, metric: Metric, id: string): string {
  const drawn = panels
    .map((panel) => ({
      panel,
      lines: linesOf(panel, path, metric),
      expected: expectedOn(panel, expectations, metric),
    }))
    .filter(({ lines }) => lines.some((points) => points.length > 0));
  const beside = drawn.length > 1 ? drawn.flatMap(({ lines, expected }) => valuesOf(lines.flat(), expected)) : [];
  const hasWidth = drawn.some(({ lines }) => lines.flat().some(({ low, high }) => low !== high));
  const entries: LegendEntry[] = hasWidth ? ["interval"] : [];
  if (drawn.some(({ expected }) => expected.length > 0)) entries.push("expected");
  const legends = drawn.map(({ panel }) =>
    legend(
      panel.lines.map(({ label }) => label),
      entries,
    ),
  );
  const shared = legends.every((one) => one === legends[0]);
  const plots = drawn.map(({ panel, lines, expected }, at) => {
    const plot = linePlot({
      id: `${id}-plot-${at + 1}`,
      title: `${metricTitle(metric)} against ${parameterWords(path)}${panel.label === "" ? "" : `, ${panel.label}`}`,
      description: panelText(panel, path, metric),
      x: { label: parameterWords(path), unit: parameterUnit(path), isLog: isGeometric(lines.flat().map(({ x }) => x)) },
      unit: metric.unit,
      lines,
      expected,
      beside,
    });
    const heading = panel.label === "" ? "" : element("h4", {}, escaped(capital(panel.label)));
    return element("div", {}, heading, shared ? "" : legends[at]!, plot);
  });
  const inColumns = plots.length > 1 ? element("div", { class: "panels" }, ...plots) : plots.join("");
  return (shared ? (legends[0] ?? "") : "") + inColumns;
}

function linesOf({ lines }: Panel, path: string, metric: Metric): LinePoint[][] {
  return lines.map(({ label, points }) =>
    points.flatMap(({ x, point }) => {
      const summary = summaryOf(point.runs, metric.name);
      if (!summary) return [];
      const { mean, ci95 } = summary;
      const where = `${parameterWords(path)} ${settingText(path, x)}${label === "" ? "" : `, ${label}`}`;
      return [{ x, y: mean, low: ci95?.low, high: ci95?.high, tip: `${where}: ${summaryText(summary, metric.unit)}` }];
    }),
  );
}

function expectedOn({ lines }: Panel, expectations: readonly Judged[], metric: Metric): ExpectedAt[] {
  return lines.flatMap(({ points }) =>
    points.flatMap(({ x, point }) => expectedAt(expectations, metric.name, point.name).map((one) => ({ ...one, x }))),
  );
}

function rowsPlot({ result, expectations }: Page, metric: Metric, id: string): string {
  const rows = result.points.flatMap((point): DotRow[] => {
    const summary = summaryOf(point.runs, metric.name);
    if (!summary) return [];
    const label = pointLabel(point, result.scenario);
    const tip = `${label}: ${summaryText(summary, metric.unit)}`;
    return [{ label, summary, tip, expected: expectedAt(expectations, metric.name, point.name) }];
  });
  const shown = rows.slice(0, DOT_ROWS_MAX);
  const hasWidth = shown.some(({ summary: { min, max } }) => min !== max);
  const others: LegendEntry[] = hasWidth ? ["bar", "whisker"] : [];
  if (shown.some(({ expected }) => expected.length > 0)) others.push("expected");
  const plot = dotPlot({
    id: `${id}-plot-1`,
    title: `${metricTitle(metric)} at each point`,
    description: shown.map(({ tip }) => tip).join("; "),
    unit: metric.unit,
    label: metricWords(metric.name),
    rows: shown,
  });
  const rest = rows.length - shown.length;
  const note = rest > 0 ? paragraph(`${counted(rest, "more point")}: all values are in summary.csv.`, "note") : "";
  return legend([], others) + plot + note;
}

/** Where each line begins and ends, for who does not see it. */
function panelText({ lines }: Panel, path: string, metric: Metric): string {
  return lines
    .map(({ label, points }) => {
      const ends = [points[0], points.at(-1)].map((end) => {
        const summary = end && summaryOf(end.point.runs, metric.name);
        return summary && `${quantityText(summary.mean, metric.unit)} at ${settingText(path, end.x)}`;
      });
      return `${label === "" ? "" : `${label}: `}from ${ends[0] ?? "none"} to ${ends[1] ?? "none"}`;
    })
    .join("; ");
}

export function summaryText({ n, mean, min, max, ci95 }: Summary, unit: string): string {
  const text = quantityText(mean, unit);
  if (!ci95 || quantityText(min, unit) === quantityText(max, unit)) return text;
  return `${text} (95 % interval ${quantityText(ci95.low, unit)} to ${quantityText(ci95.high, unit)}, ${counted(n, "seed")})`;
}

const CELLS = ["Mean", "95 % interval", "Least to largest", "Seeds"];
const CELL_STYLES = ["number", "number", "number", "number"];

function summaryCells({ n, mean, ci95, min, max }: Summary, unit: string): string[] {
  const span = (low: number, high: number) => `${shortText(low, unit, 4)} to ${shortText(high, unit, 4)}`;
  const isOne = min === max;
  const interval = ci95 && !isOne ? span(ci95.low, ci95.high) : "–";
  return [quantityText(mean, unit, 4), interval, isOne ? "–" : span(min, max), String(n)].map(escaped);
}

function valuesDetails({ points }: RunResult, metric: Metric): string {
  const rows = points.flatMap(({ name, runs }: PointResult) => {
    const summary = summaryOf(runs, metric.name);
    return summary ? [[escaped(name), ...summaryCells(summary, metric.unit)]] : [];
  });
  const rest = rows.length - TABLE_ROWS_MAX;
  return element(
    "details",
    {},
    element("summary", {}, "Values"),
    table(`${metricTitle(metric)} at each point`, ["Point", ...CELLS], rows.slice(0, TABLE_ROWS_MAX), [
      "code",
      ...CELL_STYLES,
    ]),
    rest > 0 ? paragraph(`${counted(rest, "more row")} in summary.csv.`, "note") : "",
  );
}

/** All figures of the only point. */
export function pointTable({ points: [point] }: RunResult, metrics: readonly Metric[]): string {
  return table(
    "Figures of the run",
    ["Figure", ...CELLS],
    metrics.map((metric) => [headOf(metric), ...summaryCells(summaryOf(point!.runs, metric.name)!, metric.unit)]),
    ["wide", ...CELL_STYLES],
  );
}

/** Figures that have one value, whatever the point and the seed. */
export function constantsTable({ points }: RunResult, metrics: readonly Metric[]): string {
  const { runs } = points[0]!;
  return table(
    "Figures that are the same at every point",
    ["Figure", "Value"],
    metrics.map((metric) => [headOf(metric), escaped(summaryText(summaryOf(runs, metric.name)!, metric.unit))]),
    ["", "number"],
  );
}

function headOf(metric: Metric): string {
  return element("strong", {}, escaped(metricTitle(metric))) + element("small", {}, escaped(capital(metric.meaning)));
}
