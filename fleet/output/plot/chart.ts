/** What all plots share: the frame with its axes, the marks of the lines, expected figures, the legend. */
import { element, escaped } from "../markup.ts";
import { unitText } from "./quantity.ts";
import type { Scale } from "./scale.ts";

/** Of the drawing, before it is scaled to its column. */
export const WIDTH = 480;
const CHARACTER_WIDTH = 6.4;
/** Colors that can be told apart, and marks where colors cannot. */
const COLORS = 6;

export interface Described {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** What a reader who does not see the plot should know. */
  readonly description: string;
}

/** An expected figure in a plot: what was expected, with its tolerance. */
export interface Expected {
  readonly value: number;
  /** Infinite where any value on that side fits. */
  readonly from: number;
  readonly to: number;
  /** `Expected: 17 min (off-switch default)`. */
  readonly text: string;
}

export function svg({ id, title, description }: Described, height: number, ...children: readonly string[]): string {
  const attributes = {
    class: "plot",
    viewBox: `0 0 ${WIDTH} ${Math.round(height)}`,
    role: "img",
    "aria-labelledby": `${id}-title ${id}-text`,
  };
  return element(
    "svg",
    attributes,
    element("title", { id: `${id}-title` }, escaped(title)),
    element("desc", { id: `${id}-text` }, escaped(description)),
    ...children,
  );
}

export function text(
  x: number,
  y: number,
  anchor: "start" | "middle" | "end",
  content: string,
  style = "tick",
): string {
  return element("text", { x, y, class: style, "text-anchor": anchor }, escaped(content));
}

export function textWidth(content: string): number {
  return content.length * CHARACTER_WIDTH;
}

export function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return element("line", { x1, y1, x2, y2, class: style });
}

/** Ticks of the value axis at the left, with lines across. */
export function valueAxis(scale: Scale, left: number, right: number): string {
  return scale.ticks
    .map(({ value, text: label }) => {
      const y = scale.at(value);
      return line(left, y, right, y, value === 0 ? "base" : "grid") + text(left - 8, y + 4, "end", label);
    })
    .join("");
}

/** Ticks of an axis at the bottom; those that would touch the one before say nothing. */
export function bottomAxis(scale: Scale, left: number, right: number, y: number, label: string): string {
  let free = Number.NEGATIVE_INFINITY;
  const ticks = scale.ticks.map(({ value, text: tick }) => {
    const x = scale.at(value);
    const half = textWidth(tick) / 2;
    if (x - half < free) return line(x, y, x, y + 4, "base");
    free = x + half + 6;
    return line(x, y, x, y + 4, "base") + text(x, y + 18, "middle", tick);
  });
  return line(left, y, right, y, "base") + ticks.join("") + text((left + right) / 2, y + 38, "middle", label, "label");
}

/** The unit over a value axis whose ticks do not say it. */
export function unitLabel(unit: string, left: number): string {
  const silent = ["1", "", "s", "min", "h", "d", "y", "ms", "bytes"].includes(unit);
  return silent ? "" : text(left, 11, "start", unitText(unit), "label");
}

const MARKS: readonly ((x: number, y: number) => string)[] = [
  (x, y) => element("circle", { cx: x, cy: y, r: 3.5 }),
  (x, y) => element("rect", { x: x - 3.2, y: y - 3.2, width: 6.4, height: 6.4 }),
  (x, y) => polygon([x, y - 4.4], [x + 4.2, y + 3], [x - 4.2, y + 3]),
  (x, y) => polygon([x, y - 4.6], [x + 4.6, y], [x, y + 4.6], [x - 4.6, y]),
  (x, y) => polygon([x, y + 4.4], [x + 4.2, y - 3], [x - 4.2, y - 3]),
  (x, y) => element("circle", { cx: x, cy: y, r: 3, class: "hollow" }),
];

function polygon(...points: readonly (readonly [number, number])[]): string {
  return element("path", { d: `${pathOf(points)}Z` });
}

export function pathOf(points: readonly (readonly [x: number, y: number])[]): string {
  const place = (value: number) => String(Math.round(value * 10) / 10);
  return points.map(([x, y], at) => `${at === 0 ? "M" : "L"}${place(x)} ${place(y)}`).join("");
}

/** The mark of a line; `tip` is shown where a pointer rests on it. */
export function mark(index: number, x: number, y: number, tip?: string): string {
  const shape = MARKS[index % MARKS.length]!(x, y);
  return tip === undefined ? shape : element("g", {}, element("title", {}, escaped(tip)), shape);
}

/** A diamond at the expected value, and a bar over all that fits, along one axis. */
export function expectedMark({ value, from, to, text: tip }: Expected, scale: Scale, across: number, upright: boolean) {
  const place = (along: number): [number, number] => (upright ? [across, along] : [along, across]);
  const at = scale.at(value);
  const towards = Math.sign(scale.at(scale.ticks.at(-1)?.value ?? 1) - scale.at(scale.ticks[0]?.value ?? 0)) || 1;
  const low = Number.isFinite(from) ? scale.at(from) : at - towards * OPEN;
  const high = Number.isFinite(to) ? scale.at(to) : at + towards * OPEN;
  const end = (along: number) => {
    const [x, y] = place(along);
    return upright ? line(x - 4, y, x + 4, y, "expected") : line(x, y - 4, x, y + 4, "expected");
  };
  const [x1, y1] = place(low);
  const [x2, y2] = place(high);
  const [x, y] = place(at);
  const diamond = pathOf([
    [x, y - 6],
    [x + 6, y],
    [x, y + 6],
    [x - 6, y],
  ]);
  return element(
    "g",
    { class: "fits" },
    element("title", {}, escaped(tip)),
    line(x1, y1, x2, y2, "expected"),
    Number.isFinite(from) ? end(low) : "",
    Number.isFinite(to) ? end(high) : "",
    element("path", { d: `${diamond}Z`, class: "expected" }),
  );
}

/** The bar of a figure that is open to one side is so long there. */
const OPEN = 18;

export type LegendEntry = "interval" | "bar" | "whisker" | "range" | "expected";

/** What the lines are, above a plot, in words; with the same marks. */
export function legend(lines: readonly string[], others: readonly LegendEntry[]): string {
  const swatch = (content: string, style?: string) =>
    element(
      "svg",
      { viewBox: "0 0 26 14", class: "swatch", "aria-hidden": "true" },
      element("g", { class: style }, content),
    );
  const entries = lines
    .filter((label) => label !== "")
    .map((label, at) => swatch(line(1, 7, 25, 7, "line") + mark(at, 13, 7), colorOf(at)) + escaped(label));
  const band = element("rect", { x: 1, y: 2, width: 24, height: 10, class: "band" });
  for (const other of others) {
    if (other === "interval") entries.push(swatch(band, "c0") + escaped("95 % interval of the mean"));
    if (other === "bar") {
      entries.push(swatch(line(1, 7, 25, 7, "interval"), "c0") + escaped("95 % interval of the mean"));
    }
    if (other === "whisker")
      entries.push(swatch(line(1, 7, 25, 7, "whisker"), "c0") + escaped("least to largest seed"));
    if (other === "range") entries.push(swatch(band, "c0") + escaped("least to largest seed"));
    if (other === "expected") {
      const diamond = element("path", { d: "M13 1L19 7L13 13L7 7Z", class: "expected" });
      entries.push(swatch(diamond) + escaped("expected, with its tolerance"));
    }
  }
  if (entries.length === 0) return "";
  return element("ul", { class: "legend" }, ...entries.map((entry) => element("li", {}, entry)));
}

export function colorOf(index: number): string {
  return `c${index % COLORS}`;
}
