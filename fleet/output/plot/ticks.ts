/** Where an axis has its ticks, and what they say: round numbers, round times, powers of two for bytes. */
import {
  bytesText,
  DAY,
  HOUR,
  MINUTE,
  numberText,
  powerText,
  secondsOf,
  type Tick,
  timeText,
  YEAR,
} from "./quantity.ts";

// biome-ignore format: a row for each unit
const TIME_STEPS = [
  1, 2, 5, 10, 15, 30,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 5 * DAY, 10 * DAY, 20 * DAY, 50 * DAY, 100 * DAY, 200 * DAY,
  YEAR, 2 * YEAR, 5 * YEAR, 10 * YEAR, 20 * YEAR, 50 * YEAR, 100 * YEAR,
];

/** Of each unit; then the next one begins. */
const BYTE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** On a logarithmic axis: from second to day there are more than decades. */
const TIME_MARKS = [1, 10, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 10 * DAY, 100 * DAY, 3 * YEAR, 30 * YEAR];

/** In a unit's own numbers, both ends included, `most` at the most or a few more. */
export function linearTicks(min: number, max: number, unit: string, most: number): Tick[] {
  const step = stepOf((max - min) / most, unit);
  const ticks: Tick[] = [];
  for (let at = Math.ceil(min / step - 1e-9); at * step <= max + step * 1e-9; at++) {
    const value = Number((at * step).toPrecision(12));
    ticks.push({ value, text: linearText(value, step, unit) });
  }
  return ticks;
}

/** The least round step that is not under `least`. */
export function stepOf(least: number, unit: string): number {
  const seconds = secondsOf(unit);
  if (seconds !== undefined && least * seconds > 0.5) {
    const step = TIME_STEPS.find((one) => one >= least * seconds * (1 - 1e-9));
    if (step !== undefined) return step / seconds;
  }
  if (unit === "bytes" && least > 1) {
    const base = 1024 ** Math.floor(Math.log2(least) / 10);
    return base * (BYTE_STEPS.find((one) => one * base >= least * (1 - 1e-9)) ?? 1024);
  }
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((one) => one * power >= least * (1 - 1e-9)) ?? 10);
}

/** All ticks of a time axis are in the unit of its step. */
function linearText(value: number, step: number, unit: string): string {
  const seconds = secondsOf(unit);
  if (seconds === undefined) return unit === "bytes" ? (value === 0 ? "0" : bytesText(value)) : numberText(value, 6);
  if (value === 0) return "0";
  const [inStep, inValue] = [step * seconds, value * seconds];
  for (const [name, size] of [
    ["y", YEAR],
    ["d", DAY],
    ["h", HOUR],
    ["min", MINUTE],
    ["s", 1],
  ] as const) {
    if (inStep >= size) return `${numberText(Number((inValue / size).toPrecision(10)), 6)} ${name}`;
  }
  return timeText(inValue);
}

/** Of an axis from `min` to `max`, both positive, `most` at the most. */
export function logTicks(min: number, max: number, unit: string, most: number): Tick[] {
  if (unit === "bytes") return byteTicks(min, max, most);
  const seconds = secondsOf(unit);
  const within = (value: number) => value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9);
  const enough = (values: readonly number[]) => values.filter(within).length >= LOG_TICKS_MIN;
  if (seconds !== undefined) {
    const marks = [TIME_MARKS, TIME_STEPS].map((all) => all.map((mark) => mark / seconds)).find(enough);
    if (marks)
      return thinned(marks.filter(within), most).map((value) => ({ value, text: timeMarkText(value * seconds) }));
  }
  const decades = range(Math.floor(Math.log10(min)), Math.floor(Math.log10(max) + 1e-9)).map((power) => 10 ** power);
  const values = enough(decades) ? decades : decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]);
  const text = (value: number) => (seconds === undefined ? decadeText(value) : timeText(value * seconds));
  return thinned(values.filter(within), most).map((value) => ({ value, text: text(value) }));
}

/** With fewer decades, there are ticks between them. */
const LOG_TICKS_MIN = 3;

function decadeText(value: number): string {
  const power = Math.round(Math.log10(value));
  return value === 10 ** power && (power < -3 || power > 4) ? powerText(power) : numberText(value);
}

/** A minute is 1 min on an axis that has 10 min too. */
function timeMarkText(seconds: number): string {
  for (const [name, size] of [
    ["y", YEAR],
    ["d", DAY],
    ["h", HOUR],
    ["min", MINUTE],
  ] as const) {
    if (seconds >= size * (1 - 1e-9)) return `${numberText(Number((seconds / size).toPrecision(10)))} ${name}`;
  }
  return timeText(seconds);
}

function byteTicks(min: number, max: number, most: number): Tick[] {
  const [low, high] = [Math.ceil(Math.log2(min) - 1e-9), Math.floor(Math.log2(max) + 1e-9)];
  const every = [10, 5, 2, 1].find((step) => Math.floor(high / step) - Math.ceil(low / step) >= 2) ?? 1;
  const powers = range(Math.ceil(low / every), Math.floor(high / every)).map((power) => power * every);
  return thinned(powers, most).map((power) => ({ value: 2 ** power, text: bytesText(2 ** power) }));
}

function thinned<T>(all: readonly T[], most: number): T[] {
  const every = Math.ceil(all.length / most);
  return all.filter((_, at) => at % every === 0);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
}
