/** A plot of dots, a row a name: the mean, the 95 % interval as a bar, least and largest seed as a thin line. */
import { element, escaped } from "../markup.ts";
import type { Summary } from "../statistics.ts";
import {
  bottomAxis,
  type Described,
  type Expected,
  expectedMark,
  line,
  mark,
  svg,
  text,
  textWidth,
  WIDTH,
} from "./chart.ts";
import { scaleOf } from "./scale.ts";

export interface DotRow {
  readonly label: string;
  readonly summary: Summary;
  readonly tip: string;
  readonly expected: readonly Expected[];
}

export interface DotPlot extends Described {
  readonly unit: string;
  /** Below the axis. */
  readonly label: string;
  readonly rows: readonly DotRow[];
}

const ROW = 28;
const TOP = 8;
const BOTTOM = 48;
const LABEL_CHARACTERS_MAX = 28;

export function dotPlot(plot: DotPlot): string {
  const { rows } = plot;
  const left = 20 + Math.max(...rows.map(({ label }) => textWidth(shortened(label))));
  const right = WIDTH - 24;
  const bottom = TOP + rows.length * ROW;
  const scale = scaleOf({
    values: rows.flatMap(({ summary: { mean, min, max }, expected }) => [
      ...[mean, min, max],
      ...expected.flatMap(({ value, from, to }) => [value, from, to].filter((end) => end >= 0 || mean < 0)),
    ]),
    unit: plot.unit,
    start: left + 6,
    end: right - 6,
    ticksMax: 5,
    round: true,
  });
  const grid = scale.ticks.map(({ value }) => line(scale.at(value), TOP, scale.at(value), bottom, "grid"));
  return svg(
    plot,
    bottom + BOTTOM,
    ...grid,
    bottomAxis(scale, left, right, bottom, plot.label),
    ...rows.map((row, at) => {
      const y = TOP + (at + 0.5) * ROW;
      const { mean, min, max, ci95 } = row.summary;
      const label = shortened(row.label);
      const name = text(left - 10, y + 4, "end", label, "name");
      return (
        (label === row.label ? name : element("g", {}, element("title", {}, escaped(row.label)), name)) +
        element(
          "g",
          { class: "c0" },
          max > min ? line(scale.at(min), y, scale.at(max), y, "whisker") : "",
          ci95 && max > min ? line(scale.at(ci95.low), y, scale.at(ci95.high), y, "interval") : "",
          mark(0, scale.at(mean), y, row.tip),
        ) +
        row.expected.map((one) => expectedMark(one, scale, y, false)).join("")
      );
    }),
  );
}

function shortened(label: string): string {
  return label.length > LABEL_CHARACTERS_MAX ? `${label.slice(0, LABEL_CHARACTERS_MAX - 1)}…` : label;
}
