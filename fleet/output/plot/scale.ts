/** From values to places on the page: linear, or logarithmic where the values span more than two decades. */
import type { Tick } from "./quantity.ts";
import { linearTicks, logTicks, stepOf } from "./ticks.ts";

export interface Scale {
  readonly isLog: boolean;
  readonly ticks: readonly Tick[];
  /** What lies outside is put at the edge. */
  at(value: number): number;
}

/** Beyond it, an axis is logarithmic. */
const LINEAR_RATIO_MAX = 100;
const GEOMETRIC_RATIO_MIN = 10;
/** A logarithmic axis has a place of its own for zero, so far before its least value. */
const ZERO_GAP = 20;
/** Least and largest value are so far from the edges, of the length. */
const PADDING = 0.04;

/** Beyond these, and nearer to zero, an axis tells nothing apart, so that it can be computed with. */
const FAR = 1e300;
const NEAR = 1e-290;
const POWER_MAX = 305;
/** Values that differ by less, as a part of them, have an axis as if they were equal: its ticks would all say the same. */
const ALIKE = 1e-4;

interface Wanted {
  readonly values: readonly number[];
  readonly unit: string;
  /** On the page; `end` may be less than `start`. */
  readonly start: number;
  readonly end: number;
  readonly ticksMax: number;
  /** Where it is not left to the values. */
  readonly isLog?: boolean | undefined;
  /** Let the axis begin and end at a tick, and at zero where that is near. */
  readonly round: boolean;
}

export function scaleOf(wanted: Wanted): Scale {
  const finite = wanted.values.filter((value) => Number.isFinite(value));
  const positive = finite.filter((value) => value > 0);
  const isLog = wanted.isLog ?? isWide(finite);
  return isLog && positive.length > 0 ? logScale(wanted, finite, positive) : linearScale(wanted, finite);
}

/** None is below zero, and those above it span more than two decades. */
export function isWide(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return (
    positive.length > 1 &&
    values.every((value) => value >= 0) &&
    Math.max(...positive) / Math.min(...positive) > LINEAR_RATIO_MAX
  );
}

/**
 * Values that somebody chose lie more evenly on a logarithmic axis than on a linear one: each is a multiple of the one
 * before. Of a few that do not differ by much, a linear axis says more.
 */
export function isGeometric(values: readonly number[]): boolean {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const [least, most] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  if (least <= 0 || most / least < GEOMETRIC_RATIO_MIN) return isWide(values);
  return widestGap(sorted.map(Math.log10)) < widestGap(sorted);
}

/** As a part of the whole. */
function widestGap(sorted: readonly number[]): number {
  const gaps = sorted.slice(1).map((value, at) => value - sorted[at]!);
  return Math.max(...gaps) / (sorted.at(-1)! - sorted[0]!);
}

function linearScale({ unit, start, end, ticksMax, round }: Wanted, values: readonly number[]): Scale {
  let [min, max] =
    values.length === 0 ? [0, 1] : [Math.max(-FAR, Math.min(...values)), Math.min(FAR, Math.max(...values))];
  if (max - min <= Math.max(NEAR, ALIKE * Math.abs(max))) {
    const wide = Math.abs(max) <= NEAR ? 1 : Math.abs(max) * 0.1;
    [min, max] = [min - (min === 0 ? 0 : wide), max + wide];
  }
  if (round) {
    if (min > 0 && min < 0.6 * max) min = 0;
    if (max < 0 && max > 0.6 * min) max = 0;
    const step = stepOf((max - min) / ticksMax, unit);
    [min, max] = [Math.floor(min / step + 1e-9) * step, Math.ceil(max / step - 1e-9) * step];
  }
  const at = (value: number) => start + ((end - start) * (clamp(value, min, max) - min)) / (max - min);
  return { isLog: false, at, ticks: linearTicks(min, max, unit, ticksMax) };
}

function logScale(
  { unit, start, end, ticksMax }: Wanted,
  values: readonly number[],
  positive: readonly number[],
): Scale {
  const hasZero = values.includes(0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)].map((end) =>
    Math.log10(clamp(end, NEAR, FAR)),
  ) as [number, number];
  const padding = Math.max(0.1, (most - least) * PADDING);
  const [min, max] = [Math.max(-POWER_MAX, least - padding), Math.min(POWER_MAX, most + padding)];
  const from = start + (hasZero ? Math.sign(end - start) * ZERO_GAP : 0);
  const at = (value: number) =>
    value <= 0 ? start : from + ((end - from) * (clamp(Math.log10(value), min, max) - min)) / (max - min);
  const ticks = logTicks(10 ** min, 10 ** max, unit, ticksMax);
  return { isLog: true, at, ticks: hasZero ? [{ value: 0, text: "0" }, ...ticks] : ticks };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
