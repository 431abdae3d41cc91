/** Reads what `exportStore` writes, line by line, and takes nothing else for it. */
import { createHash } from "node:crypto";
import type { ColumnKind } from "./columns.ts";
import { StoreError } from "./errors.ts";
import type { Row } from "./pages.ts";
import { integerOf } from "./values.ts";

/** A row with the longest intervals that a report can have is far below. */
const LINE_BYTES_MAX = 16 * 2 ** 20;
const NEWLINE = 10;

export class TransferReader {
  readonly #lines: AsyncGenerator<Buffer>;
  readonly #hash = createHash("sha256");
  #rows = 0;
  #next: unknown;

  constructor(text: AsyncIterable<string | Uint8Array>) {
    this.#lines = linesOf(text);
  }

  /** Throws `StoreError` (`store/copy`, `store/newer`). */
  async head(expected: { format: string; version: number; schemaVersion: number }): Promise<void> {
    const head = (await this.#read()) as Partial<typeof expected> | null;
    if (head?.format !== expected.format) throw new StoreError("store/copy", "no export of a store");
    const isNewer = Number(head.version) > expected.version || Number(head.schemaVersion) > expected.schemaVersion;
    if (isNewer) throw new StoreError("store/newer", `tables of version ${head.schemaVersion}`);
    if (head.version !== expected.version || head.schemaVersion !== expected.schemaVersion) {
      throw new StoreError("store/copy", `tables of version ${head.schemaVersion}: let this program export it again`);
    }
    this.#next = await this.#read();
  }

  /** Of the table that must come next. Throws `StoreError`. */
  async *rows(table: string, kinds: Readonly<Record<string, ColumnKind>>): AsyncGenerator<Row> {
    const columns = Object.keys(kinds);
    const begin = this.#next as { table?: unknown; columns?: unknown };
    if (begin?.table !== table || String(begin.columns) !== String(columns)) {
      throw new StoreError("store/copy", `table ${table} does not follow`);
    }
    for (;;) {
      this.#next = await this.#read();
      if (!Array.isArray(this.#next)) return;
      const values: readonly unknown[] = this.#next;
      if (values.length !== columns.length) throw new StoreError("store/copy", `a row of ${table}`);
      this.#rows += 1;
      yield Object.fromEntries(
        columns.map((column, index) => [column, decoded(column, kinds[column]!, values[index])]),
      );
    }
  }

  /** Throws `StoreError` for a text that is cut short, altered, or goes on. */
  async end(): Promise<{ rows: number }> {
    const end = this.#next as { end?: unknown; rows?: unknown; sha256?: unknown };
    if (end?.end !== true) throw new StoreError("store/copy", "it has no end");
    if (end.rows !== this.#rows || end.sha256 !== this.#digest) throw new StoreError("store/copy", "its digest");
    if (!(await this.#lines.next()).done) throw new StoreError("store/copy", "it goes on after its end");
    return { rows: this.#rows };
  }

  /** Of all lines before the one that was read last. */
  #digest: string | undefined;

  async #read(): Promise<unknown> {
    const { value: line, done } = await this.#lines.next();
    if (done) throw new StoreError("store/copy", "it is cut short");
    if (line[0] === 0x7b) this.#digest = this.#hash.copy().digest("hex");
    this.#hash.update(line);
    try {
      return JSON.parse(line.toString("utf8"));
    } catch (cause) {
      throw new StoreError("store/copy", "a line is no JSON", { cause });
    }
  }
}

function decoded(column: string, kind: ColumnKind, value: unknown): unknown {
  const isDecimal = typeof value === "string" && /^-?\d{1,19}$/.test(value);
  if (value === null) return null;
  if (kind === "integer" && (isDecimal || Number.isSafeInteger(value)))
    return integerOf(column, BigInt(value as string));
  if (kind === "text" && typeof value === "string") return value;
  const bytes = kind === "bytes" && typeof value === "string" ? Buffer.from(value, "base64url") : undefined;
  // One way to write bytes: what is not base64url is skipped by Node, and found here.
  if (bytes?.toString("base64url") === value) return bytes;
  throw new StoreError("store/copy", `a value of ${column}`);
}

/** Each with its newline. */
async function* linesOf(text: AsyncIterable<string | Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of text) {
    let rest = Buffer.from(chunk as Uint8Array);
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      yield Buffer.concat([...pieces, rest.subarray(0, at + 1)]);
      rest = rest.subarray(at + 1);
      pieces = [];
      bytes = 0;
    }
    bytes += rest.length;
    if (bytes > LINE_BYTES_MAX) throw new StoreError("store/copy", "a line is too long");
    if (rest.length > 0) pieces.push(rest);
  }
  if (bytes > 0) throw new StoreError("store/copy", "its last line is cut short");
}
