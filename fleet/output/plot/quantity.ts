/** Figures for people: 17 min, 1.2 × 10²⁴ operations, 3.4 GiB, 11,574 boards. */

/** No line ends between a number and its unit. */
const SPACE = "\u00a0";
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;
/** Of 365.25 days. */
export const YEAR = 31_557_600;

/** Time units, largest first: from how many seconds on one is used. 90 min and 48 h are read more easily than 1.5 h and 2 d. */
const TIMES: readonly (readonly [unit: string, seconds: number, from: number])[] = [
  ["y", YEAR, 2 * YEAR],
  ["d", DAY, 2 * DAY],
  ["h", HOUR, 2 * HOUR],
  ["min", MINUTE, 2 * MINUTE],
  ["s", 1, 1],
  ["ms", 1e-3, 1e-3],
  ["µs", 1e-6, 0],
];

/** Units of time that metrics and parameters have, in seconds. */
const SECONDS: Readonly<Record<string, number>> = { ms: 1e-3, s: 1, min: MINUTE, h: HOUR, d: DAY, y: YEAR };

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** How many seconds one of a unit is; undefined for what is no time. */
export function secondsOf(unit: string): number | undefined {
  return Object.hasOwn(SECONDS, unit) ? SECONDS[unit] : undefined;
}

/** With its unit, to so many digits; whole numbers below a million are exact. */
export function quantityText(value: number, unit: string, digits = 3): string {
  const seconds = secondsOf(unit);
  if (seconds !== undefined) return timeText(value * seconds, digits);
  if (unit === "bytes") return bytesText(value, digits);
  const number = numberText(value, digits);
  return unit === "1" || unit === "" ? number : `${number}${SPACE}${unitText(unit)}`;
}

/** Beside a value that has its unit in words, another does without. */
export function shortText(value: number, unit: string, digits = 3): string {
  const isSaid = secondsOf(unit) === undefined && unit !== "bytes";
  return isSaid ? numberText(value, digits) : quantityText(value, unit, digits);
}

/** As it stands behind a number. */
export function unitText(unit: string): string {
  return unit === "ops" ? "operations" : unit;
}

export function numberText(value: number, digits = 3): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (Number.isInteger(value) && size < 1e6) return sign + grouped(String(size));
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e") as [string, string];
  const power = Number(exponent);
  if (power >= -3 && power < 6) return sign + grouped(plain(size.toPrecision(digits)));
  const short = plain(mantissa);
  return `${sign}${short === "1" ? "" : `${short}${SPACE}×${SPACE}`}${powerText(power)}`;
}

/** 10²⁴. */
export function powerText(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** A number of seconds in the unit that fits it. */
export function timeText(seconds: number, digits = 3): string {
  if (seconds === 0) return `0${SPACE}s`;
  const [unit, size] = TIMES.find(([, , from]) => Math.abs(seconds) >= from * (1 - 1e-9))!;
  return `${numberText(rounded(seconds / size), digits)}${SPACE}${unit}`;
}

export function bytesText(bytes: number, digits = 3): string {
  let power = 0;
  while (power < BYTES.length - 1 && Math.abs(bytes) >= 1024 ** (power + 1)) power++;
  return `${numberText(rounded(bytes / 1024 ** power), digits)}${SPACE}${BYTES[power]}`;
}

/** Without the last digits, which a division may have left: 6.999999999999999 is 7. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

/** Not 1.20e+3 and not 1.200. */
function plain(text: string): string {
  const number = Number(text);
  const whole = String(number);
  return whole.includes("e") ? number.toFixed(12).replace(/\.?0+$/, "") : whole;
}

function grouped(text: string): string {
  const [whole, part] = text.split(".") as [string, string?];
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? groups : `${groups}.${part}`;
}
