/** Names of metrics and parameters as words, and their values with units. */

import type { PointResult } from "../../run/result.ts";
import { canonicalJson } from "../../scenario/canonical.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { Json, Metric } from "../../study.ts";
import { quantityText } from "../plot/quantity.ts";

/** The last word of a parameter's name says in what it counts. */
const UNITS: Readonly<Record<string, string>> = {
  milliseconds: "ms",
  seconds: "s",
  minutes: "min",
  hours: "h",
  days: "d",
  years: "y",
  bytes: "bytes",
  km: "km",
  operations: "ops",
};

/** Units that a value says anyway. */
const SAID = new Set(["ms", "s", "min", "h", "d", "y", "km"]);
const SUMMARIES = new Set(["max", "min", "mean", "median"]);

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[\s_-]+/)
    .filter((word) => word !== "")
    .map((word) => (/^[A-Z][a-z0-9]*$/.test(word) ? word.toLowerCase() : word));
}

/** `pauseLatencySecondsMax` is `pause latency (max)`. */
export function metricWords(name: string): string {
  const words = wordsOf(name);
  const last = words.at(-1) ?? "";
  const summary = words.length > 1 && SUMMARIES.has(last) ? words.pop() : undefined;
  return withoutUnit(words, 2) + (summary === undefined ? "" : ` (${summary})`);
}

export function metricTitle(metric: Pick<Metric, "name">): string {
  return capital(metricWords(metric.name));
}

/** `agreement.leaseSeconds` is `lease`. */
export function parameterWords(path: string): string {
  const names = path.split(".").filter((name) => !/^\d+$/.test(name));
  return withoutUnit(wordsOf(names.at(-1) ?? path), 1);
}

/** So many words must be left: `counterYears` is no `counter`. */
function withoutUnit(words: readonly string[], wordsMin: number): string {
  const unit = UNITS[words.at(-1) ?? ""];
  const said = words.length > wordsMin && unit !== undefined && SAID.has(unit);
  return (said ? words.slice(0, -1) : words).join(" ");
}

export function parameterUnit(path: string): string {
  return UNITS[wordsOf(path.split(".").at(-1)!).at(-1) ?? ""] ?? "";
}

/** `1 h`. */
export function settingText(path: string, value: Json | undefined): string {
  if (value === undefined) return "none";
  const number = numberOf(value);
  if (number !== undefined) return quantityText(number, parameterUnit(path), 6);
  if (value === null) return "none";
  return typeof value === "string" ? value : canonicalJson(value);
}

/** A point of a sweep by its parameters in words, another by its name: `two regions, lease 1 h`. */
export function pointLabel({ name, set }: Pick<PointResult, "name" | "set">, { axes }: Pick<Scenario, "axes">): string {
  const own = ownName(name, axes);
  const settings = axes.map(({ path }) => `${parameterWords(path)} ${settingText(path, set[path])}`);
  return [...(own === "" ? [] : [own]), ...settings].join(", ");
}

/** What the scenario itself calls a point, before what the sweep adds: `two regions, leaseSeconds=3600`. */
export function ownName(name: string, axes: Scenario["axes"]): string {
  const [first] = axes;
  if (!first) return name;
  const [whole, last] = [`${first.path}=`, `${first.path.split(".").at(-1)}=`].map((start) => name.indexOf(start));
  return name.slice(0, whole === -1 ? last : whole).replace(/, ?$/, "");
}

/** Of a number, or of digits where there are too many for one. */
export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d{1,300}$/.test(value) ? Number(value) : undefined;
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** `1 seed`, `5 seeds`. */
export function counted(count: number, noun: string): string {
  return `${quantityText(count, "")} ${noun}${count === 1 ? "" : "s"}`;
}

/** `a, b and c`. */
export function listed(texts: readonly string[]): string {
  return texts.length < 2 ? (texts[0] ?? "") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}
