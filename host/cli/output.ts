/** What commands print: JSON with exact integers, tables, and colors where a person looks on. */
import type { Command } from "commander";
import pc from "picocolors";

/** Colors of stdout: none under NO_COLOR, none where no terminal is, unless FORCE_COLOR asks for them. */
export const color = pc.createColors(
  pc.isColorSupported && (process.stdout.isTTY === true || Boolean(process.env.FORCE_COLOR)),
);

export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json === true;
}

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, exact, 2));
}

/** Integers that JSON readers would round become strings, bytes become hex. */
function exact(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    return value >= -BigInt(Number.MAX_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : value.toString();
  }
  if (value instanceof Uint8Array) return hex(value);
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export type Column = { title: string; right?: boolean };

// Escape sequences of colors take no room.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const ESCAPES = /\x1b\[[0-9;]*m/g;

/** Columns that the terminal shows of a text. */
export function widthOf(text: string): number {
  return [...text.replace(ESCAPES, "")].length;
}

export function pad(text: string, width: number, right = false): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return right ? space + text : text + space;
}

/** A plain aligned table: a bold head, a rule, rows. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], indent = "  "): string {
  const widths = columns.map(({ title }, i) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[i] ?? ""))));
  const line = (cells: readonly string[]) =>
    `${indent}${columns.map(({ right }, i) => pad(cells[i] ?? "", widths[i]!, right)).join("  ")}`.trimEnd();
  const head = line(columns.map(({ title }) => title));
  const rule = indent + widths.map((width) => "─".repeat(width)).join("  ");
  return [color.bold(head), color.dim(rule), ...rows.map(line)].join("\n");
}

/** Two columns: what, and its value. */
export function facts(rows: readonly (readonly [string, string])[], indent = "  "): string {
  const width = Math.max(...rows.map(([name]) => widthOf(name)));
  return rows.map(([name, value]) => `${indent}${color.dim(pad(name, width))}  ${value}`.trimEnd()).join("\n");
}
