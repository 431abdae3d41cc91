/**
 * Quantities as people write them, read exactly: `1e24FLOP`, `3.6e18 FLOP`, `1.5GB`, `15min`. One strict parser: plain
 * decimal digits, at most one point, an exponent without sign, one space at most before the unit. What is not a whole
 * number of base units is refused rather than rounded.
 */
import { PolicyError } from "./errors.ts";

/** The base units: one operation, byte, second, tick; or so many a second. */
export type QuantityKind = "operations" | "bytes" | "seconds" | "ticks" | "operationsPerSecond" | "bytesPerSecond";

const QUANTITY_MAX = 2n ** 128n - 1n;
const TEXT_CHARACTERS_MAX = 64;
const EXPONENT_MAX = 60;

const SI = ["", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q"].map(
  (prefix, i) => [prefix, 1000n ** BigInt(i)] as const,
);
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((prefix, i) => [prefix, 1024n ** BigInt(i + 1)] as const);

const scaled = (units: readonly string[], prefixes: readonly (readonly [string, bigint])[]): [string, bigint][] =>
  units.flatMap((unit) => prefixes.map(([prefix, factor]): [string, bigint] => [prefix + unit, factor]));

const OPERATIONS = ["FLOP", "OP"];

const UNITS: Readonly<Record<QuantityKind, ReadonlyMap<string, bigint>>> = {
  operations: new Map(scaled(OPERATIONS, SI)),
  bytes: new Map([...scaled(["B"], SI), ...scaled(["B"], BINARY)]),
  seconds: new Map([
    ["s", 1n],
    ["min", 60n],
    ["h", 3600n],
    ["d", 86_400n],
  ]),
  ticks: new Map([["ticks", 1n]]),
  operationsPerSecond: new Map(scaled(["FLOP/s", "OP/s"], SI)),
  bytesPerSecond: new Map([...scaled(["B/s"], SI), ...scaled(["B/s"], BINARY)]),
};

const EXAMPLES: Readonly<Record<QuantityKind, string>> = {
  operations: "a whole number of operations such as 1e24FLOP or 3.6 EOP",
  bytes: "a whole number of bytes such as 1GB or 512 MiB",
  seconds: "a whole number of seconds such as 900, 15min, 4h or 90d",
  ticks: "a whole number of ticks such as 900000 or 9e5 ticks",
  operationsPerSecond: "a whole number of operations a second such as 1e15FLOP/s",
  bytesPerSecond: "a whole number of bytes a second such as 450GB/s",
};

/** Base units, exactly, 0 to 2^128 - 1. `field` is what messages name. Throws a `PolicyError` (`policy/quantity`). */
export function parseQuantity(text: string, kind: QuantityKind, field: string): bigint {
  const refuse = () => new PolicyError("policy/quantity", field, text, `must be ${EXAMPLES[kind]}`);
  if (text.length > TEXT_CHARACTERS_MAX) throw refuse();
  const parts = /^([0-9]+)(?:\.([0-9]+))?(?:[eE]([0-9]{1,2}))? ?([A-Za-z/]*)$/.exec(text);
  if (!parts || text.endsWith(" ")) throw refuse();
  const [, whole = "", fraction = "", exponentText = "0", unit = ""] = parts;
  const factor = unit === "" ? 1n : UNITS[kind].get(unit);
  const exponent = Number(exponentText);
  if (factor === undefined || exponent > EXPONENT_MAX) throw refuse();
  const scaledUp = BigInt(whole + fraction) * 10n ** BigInt(exponent) * factor;
  const divisor = 10n ** BigInt(fraction.length);
  if (scaledUp % divisor !== 0n || scaledUp / divisor > QUANTITY_MAX) throw refuse();
  return scaledUp / divisor;
}

const BASE_UNITS: Readonly<Record<QuantityKind, string>> = {
  operations: "FLOP",
  bytes: "B",
  seconds: "s",
  ticks: " ticks",
  operationsPerSecond: "FLOP/s",
  bytesPerSecond: "B/s",
};

/** The shortest exact text that `parseQuantity` reads back: `36e17FLOP`, `900s`. */
export function quantityText(value: bigint, kind: QuantityKind): string {
  const digits = value.toString();
  const zeros = /0*$/.exec(digits)![0].length;
  const short = zeros >= 4 && value > 0n ? `${digits.slice(0, -zeros)}e${zeros}` : digits;
  return short + BASE_UNITS[kind];
}
