/** A plot of lines over a numeric axis, each with a band around it. */
import { element } from "../markup.ts";
import {
  bottomAxis,
  colorOf,
  type Described,
  type Expected,
  expectedMark,
  line,
  mark,
  pathOf,
  svg,
  textWidth,
  unitLabel,
  valueAxis,
  WIDTH,
} from "./chart.ts";
import { type Scale, scaleOf } from "./scale.ts";

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  /** The band's ends; both or none. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly tip?: string;
}

export interface ExpectedAt extends Expected {
  readonly x: number;
}

export interface LinePlot extends Described {
  readonly x: { readonly label: string; readonly unit: string; readonly isLog?: boolean };
  readonly unit: string;
  readonly isLog?: boolean;
  /** That the value axis has room for too: those of plots beside this one. */
  readonly beside?: readonly number[];
  readonly lines: readonly (readonly LinePoint[])[];
  readonly expected?: readonly ExpectedAt[];
}

const HEIGHT = 300;
const TOP = 20;
const BOTTOM = 48;
const RIGHT = 18;
/** More points in a line make a curve: a few marks tell it from the others, and say nothing. */
const MARKED_MAX = 60;
const CURVE_MARKS = 6;

export function linePlot(plot: LinePlot): string {
  const all = plot.lines.flat();
  const expected = plot.expected ?? [];
  const bottom = HEIGHT - BOTTOM;
  const y = scaleOf({
    values: [...valuesOf(all, expected), ...(plot.beside ?? [])],
    isLog: plot.isLog,
    unit: plot.unit,
    start: bottom,
    end: TOP,
    ticksMax: 5,
    round: true,
  });
  const left = 16 + Math.max(24, ...y.ticks.map(({ text }) => textWidth(text)));
  const right = WIDTH - RIGHT;
  const x = scaleOf({
    values: all.map((point) => point.x),
    isLog: plot.x.isLog,
    unit: plot.x.unit,
    start: left + 8,
    end: right - 8,
    ticksMax: 6,
    round: false,
  });
  return svg(
    plot,
    HEIGHT,
    unitLabel(plot.unit, left),
    valueAxis(y, left, right),
    bottomAxis(x, left, right, bottom, plot.x.label),
    ...plot.lines.map((points, at) => drawn(points, at, x, y, plot.lines.length > 1)),
    ...expected.map((one) => expectedMark(one, y, x.at(one.x), true)),
  );
}

/** What the value axis has room for. Of a band, only what a logarithmic axis can show makes the axis longer. */
export function valuesOf(points: readonly LinePoint[], expected: readonly Expected[]): number[] {
  const values = points.map(({ y }) => y);
  const isPositive = values.every((value) => value >= 0);
  const ends = [
    ...points.flatMap(({ low, high }) => (low === undefined || high === undefined ? [] : [low, high])),
    ...expected.flatMap(({ value, from, to }) => [value, from, to]),
  ];
  return [...values, ...ends.filter((end) => Number.isFinite(end) && (end > 0 || !isPositive))];
}

function drawn(points: readonly LinePoint[], index: number, x: Scale, y: Scale, hasOthers: boolean): string {
  const banded = points.flatMap(({ x: at, low, high }) =>
    low === undefined || high === undefined ? [] : [{ at: x.at(at), low: y.at(low), high: y.at(high) }],
  );
  const band =
    banded.length < 2
      ? banded.map(({ at, low, high }) => line(at, low, at, high, "line")).join("")
      : element("path", {
          class: "band",
          d: `${pathOf([
            ...banded.map(({ at, high }) => [at, high] as const),
            ...banded.toReversed().map(({ at, low }) => [at, low] as const),
          ])}Z`,
        });
  const places = points.map((point) => [x.at(point.x), y.at(point.y)] as const);
  const path = points.length > 1 ? element("path", { class: "line", d: pathOf(places) }) : "";
  const isCurve = points.length > MARKED_MAX;
  const every = isCurve ? Math.ceil(points.length / CURVE_MARKS) : 1;
  const marks = points.flatMap(({ tip }, at) => {
    if (isCurve && !hasOthers) return [];
    const [left, top] = places[at]!;
    return (at + (isCurve ? every >> 1 : 0)) % every === 0 ? mark(index, left, top, isCurve ? undefined : tip) : [];
  });
  return element("g", { class: colorOf(index) }, band, path, ...marks);
}
