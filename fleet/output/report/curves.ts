/** Curves over time: the median of the seeds and the range that they span, a line for each point. */
import type { RunResult } from "../../run/result.ts";
import type { Series } from "../../study.ts";
import { element, escaped } from "../markup.ts";
import { legend } from "../plot/chart.ts";
import { type LinePoint, linePlot } from "../plot/lines.ts";
import { quantityText } from "../plot/quantity.ts";
import { isWide } from "../plot/scale.ts";
import { summarize } from "../statistics.ts";
import { paragraph } from "./html.ts";
import { counted, metricTitle, pointLabel } from "./names.ts";

/** Of a run with more points, so many evenly spread over the sweep. */
const POINTS_MAX = 6;
/** Along the axis: more than a plot has room for. */
const TIMES_MAX = 300;

export function curveFigures({ points, scenario }: RunResult): string[] {
  const names = new Set(
    points.flatMap(({ runs }) => runs.flatMap(({ outcome }) => (outcome.series ?? []).map(({ name }) => name))),
  );
  return [...names].flatMap((name, at) => {
    const curves = points.flatMap((point) => {
      const series = point.runs.flatMap(({ outcome }) => (outcome.series ?? []).find((one) => one.name === name) ?? []);
      const whole = series.filter((one) => one.points.length > 0);
      return whole.length === 0 ? [] : [{ label: pointLabel(point, scenario), series: whole }];
    });
    return curves.length === 0 ? [] : [curveFigure(name, curves, `curve-${at + 1}`)];
  });
}

interface Curve {
  readonly label: string;
  readonly series: readonly Series[];
}

function curveFigure(name: string, curves: readonly Curve[], id: string): string {
  const shown = spread(curves, POINTS_MAX);
  const unit = shown[0]!.series[0]!.unit;
  const title = metricTitle({ name });
  const lines = shown.map(({ series }) => medianOf(series));
  const hasMany = shown.some(({ series }) => series.length > 1);
  const hasBand = lines.flat().some(({ low, high }) => low !== high);
  const labels = shown.length > 1 ? shown.map(({ label }) => label) : [];
  const plot = linePlot({
    id: `${id}-plot`,
    title: `${title} over time`,
    description: shown.map(({ label }, at) => `${label}: ${endsText(lines[at]!, unit)}`).join("; "),
    x: { label: "simulated time", unit: "s", isLog: isWide(lines.map((points) => points.at(-1)!.x)) },
    unit,
    isLog: isWide(lines.map(mostOf)),
    lines,
  });
  const rest = curves.length - shown.length;
  return element(
    "figure",
    { id },
    element("h3", {}, escaped(`${title} over time`)),
    paragraph(hasMany ? "The median of the seeds at each time, and the range that they span." : "One seed.", "meaning"),
    legend(labels, hasBand ? ["range"] : []),
    plot,
    rest > 0
      ? paragraph(`${counted(shown.length, "point")} of ${curves.length}; all curves are in results.json.`, "note")
      : "",
  );
}

/** A curve that begins or ends at zero is no reason for a logarithmic axis; curves of different orders are. */
function mostOf(points: readonly LinePoint[]): number {
  return Math.max(...points.map(({ y }) => y));
}

function endsText(points: readonly LinePoint[], unit: string): string {
  const [first, last] = [points[0]!, points.at(-1)!];
  const at = ({ x, y }: LinePoint) => `${quantityText(y, unit)} at ${quantityText(x, "s")}`;
  return `from ${at(first)} to ${at(last)}`;
}

function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.round((at * (all.length - 1)) / (most - 1))]!);
}

/** At every time that any seed has, or evenly where those are too many; of the seeds that last so long. */
function medianOf(series: readonly Series[]): LinePoint[] {
  const cursors = series.map(({ points }) => ({ points, at: 0 }));
  return timesOf(series).flatMap((x) => {
    const summary = summarize(cursors.flatMap((cursor) => valueAt(cursor, x) ?? []));
    if (!summary) return [];
    const { median, min, max } = summary;
    return [{ x, y: median, ...(series.length > 1 ? { low: min, high: max } : {}) }];
  });
}

function timesOf(series: readonly Series[]): number[] {
  const times = [...new Set(series.flatMap(({ points }) => points.map(([seconds]) => seconds)))].sort((a, b) => a - b);
  if (times.length <= TIMES_MAX) return times;
  const [first, last] = [times[0]!, times.at(-1)!];
  return Array.from({ length: TIMES_MAX }, (_, at) => first + ((last - first) * at) / (TIMES_MAX - 1));
}

/** Between two of a seed's times the line from one to the other; `x` only grows from call to call. */
function valueAt(cursor: { points: Series["points"]; at: number }, x: number): number | undefined {
  const { points } = cursor;
  while (cursor.at + 1 < points.length && points[cursor.at + 1]![0] <= x) cursor.at++;
  const [t0, v0] = points[cursor.at]!;
  if (x < t0) return undefined;
  const next = points[cursor.at + 1];
  if (!next) return x === t0 ? v0 : undefined;
  const [t1, v1] = next;
  return x === t0 ? v0 : v0 + ((v1 - v0) * (x - t0)) / (t1 - t0);
}
