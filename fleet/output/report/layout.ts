/** How the points of a run are laid out in plots: along a numeric parameter, or a row each. */
import type { PointResult, RunResult } from "../../run/result.ts";
import { canonicalJson } from "../../scenario/canonical.ts";
import { pathsSet, settingOf } from "../settings.ts";
import { numberOf, ownName, parameterWords, settingText } from "./names.ts";

export type Layout =
  | { readonly kind: "single" }
  | { readonly kind: "rows" }
  | {
      readonly kind: "lines";
      /** Of the axis below. */
      readonly path: string;
      readonly panels: readonly Panel[];
      /** Panels that would have been too many. */
      readonly omitted: number;
    };

export interface Panel {
  /** Empty where there is only one. */
  readonly label: string;
  readonly lines: readonly PanelLine[];
}

export interface PanelLine {
  /** Empty where there is only one. */
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly point: PointResult }[];
}

/** With two, a line says no more than the dots. */
const AXIS_VALUES_MIN = 3;
const LINES_MAX = 6;
const PANELS_MAX = 12;

export function layoutOf(result: RunResult): Layout {
  const { points, scenario } = result;
  if (points.length === 1) return { kind: "single" };
  // Of a sweep, the points that it was made for are told apart by their names.
  const paths = scenario.axes.length > 0 ? scenario.axes.map((axis) => axis.path) : pathsSet(result);
  const varied = paths.filter((path) => distinct(result, path) > 1);
  const numeric = varied.filter(
    (path) =>
      distinct(result, path) >= AXIS_VALUES_MIN &&
      points.every((point) => numberOf(settingOf(point, path, scenario)) !== undefined),
  );
  // Of axes with as many values the innermost: it is what the scenario varies first.
  const path = numeric.toSorted((a, b) => distinct(result, a) - distinct(result, b)).at(-1);
  if (path === undefined) return { kind: "rows" };
  const others = varied.filter((other) => other !== path);
  const lines = linesAlong(result, path, others);
  if (lines.length > points.length / 2 || lines.some((one) => hasTwins(one.points))) return { kind: "rows" };
  const panels = lines.length <= LINES_MAX ? [{ label: "", lines }] : panelsOf(lines);
  return { kind: "lines", path, panels: panels.slice(0, PANELS_MAX), omitted: Math.max(0, panels.length - PANELS_MAX) };
}

interface Line extends PanelLine {
  /** One for each of the other parameters. */
  readonly labels: readonly string[];
}

function linesAlong({ points, scenario }: RunResult, path: string, others: readonly string[]): Line[] {
  const own = ({ name }: PointResult) => (scenario.axes.length > 0 ? ownName(name, scenario.axes) : "");
  const groups = grouped(points, (point) =>
    canonicalJson([own(point), ...others.map((other) => settingOf(point, other, scenario) ?? null)]),
  );
  return [...groups.values()].map((group) => {
    const [first] = group as [PointResult];
    const labels = [
      ...(own(first) === "" ? [] : [own(first)]),
      ...others.map((other) => `${parameterWords(other)} ${settingText(other, settingOf(first, other, scenario))}`),
    ];
    return {
      labels,
      label: labels.join(", "),
      points: group
        .map((point) => ({ x: numberOf(settingOf(point, path, scenario))!, point }))
        .sort((a, b) => a.x - b.x),
    };
  });
}

/** The last of the other parameters stays in a panel, the rest tells the panels apart. */
function panelsOf(lines: readonly Line[]): Panel[] {
  const groups = [...grouped(lines, ({ labels }) => labels.slice(0, -1).join(", "))];
  if (groups.every(([, group]) => group.length <= LINES_MAX)) {
    return groups.map(([label, group]) => ({
      label,
      lines: group.map(({ labels, points }) => ({ label: labels.at(-1) ?? "", points })),
    }));
  }
  return lines.map(({ label, points }) => ({ label, lines: [{ label: "", points }] }));
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function hasTwins(points: Line["points"]): boolean {
  return points.some(({ x }, at) => at > 0 && points[at - 1]!.x === x);
}

function distinct({ points, scenario }: RunResult, path: string): number {
  return new Set(points.map((point) => canonicalJson(settingOf(point, path, scenario) ?? null))).size;
}
