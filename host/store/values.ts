/**
 * What values go into SQL and what comes out, one rule for both engines: an integer comes as a `bigint` from a column
 * that is named `sequence`, `..._sequence` or `units` (also by an alias), and as a `number` from any other. An integer
 * that a `number` does not hold exactly is refused, never rounded. Bytes are a plain `Uint8Array`; text holds no NUL,
 * which PostgreSQL refuses and SQLite cuts at.
 */
import { StoreError } from "./errors.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const UNSTORABLE = /[\0\p{Surrogate}]/u;

export function isExact(column: string): boolean {
  return column === "units" || column === "sequence" || column.endsWith("_sequence");
}

/** Throws `StoreError` (`store/value`) for what SQL cannot hold, or would hold as something else. */
export function checkedParameter(value: unknown): null | bigint | string | Uint8Array {
  switch (typeof value) {
    case "number":
      if (!Number.isSafeInteger(value)) throw new StoreError("store/value", `the number ${value}`);
      return BigInt(value);
    case "bigint":
      if (value > INT64_MAX || value < INT64_MIN) throw new StoreError("store/value", `the integer ${value}`);
      return value;
    case "string":
      if (UNSTORABLE.test(value)) throw new StoreError("store/value", "text with a NUL or half a character");
      return value;
    default:
      if (value === null || value instanceof Uint8Array) return value;
      throw new StoreError("store/value", `a ${typeof value}`);
  }
}

/** Throws `StoreError` (`store/value`) where the column's numbers do not hold the integer. */
export function integerOf(column: string, value: bigint): bigint | number {
  if (isExact(column)) return value;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new StoreError("store/value", `${value} in ${column}`);
  return number;
}

/** A row of what a driver gives: integers as `bigint`, bytes as a Buffer. Throws `StoreError` (`store/value`). */
export function readRow(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) {
    const value = values[index];
    if (typeof value === "bigint") row[column] = integerOf(column, value);
    else row[column] = value instanceof Uint8Array ? plainBytes(value) : value;
  }
  return row;
}

/** Without the Buffer's own `slice`, `toJSON` and the like: what both engines give is the same class. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
