/**
 * Everything in a store as lines of JSON, for another engine or for good: a head, each table with its columns and rows in
 * the order of its key, and an end with the digest of what came before. Equal stores give equal bytes. Integers are
 * numbers, or decimal text where they may be beyond 2^53; bytes are base64url without padding. docs/store.md has the form.
 */
import { createHash } from "node:crypto";
import { sql, type Transaction } from "kysely";
import { insertRows } from "./bulk.ts";
import { type ColumnKind, NUMBERED_TABLES, TABLE_NAMES, TABLES, type TableName } from "./columns.ts";
import { StoreError } from "./errors.ts";
import { MIGRATIONS } from "./migrate.ts";
import { type Row, rowPages } from "./pages.ts";
import { inSnapshot, type Snapshot } from "./snapshot.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";
import { TransferReader } from "./transfer-reader.ts";

const FORMAT = "quiesce-store-export";
const VERSION = 1;
/** What a store says of itself, and another one says for itself. */
const OWN_META = ["application", "schema-version"];
const ROWS_MAX = 256;

/** One committed state of the store. `onRows` hears how many rows are out. Throws `StoreError`. */
export function exportStore(store: Store, onRows: (rows: number) => void = () => {}): AsyncGenerator<string> {
  return inSnapshot(store, (snapshot) => linesOf(snapshot, onRows));
}

async function* linesOf({ db }: Snapshot, onRows: (rows: number) => void): AsyncGenerator<string> {
  const hash = createHash("sha256");
  const hashed = (text: string) => {
    hash.update(text);
    return text;
  };
  yield hashed(lineOf({ format: FORMAT, version: VERSION, schemaVersion: MIGRATIONS.length }));
  let rows = 0;
  for (const table of TABLE_NAMES) {
    const columns = Object.keys(TABLES[table].columns);
    yield hashed(lineOf({ table, columns }));
    for await (const page of rowPages(db, table)) {
      const kept = table === "meta" ? page.filter(({ key }) => !OWN_META.includes(key as string)) : page;
      rows += kept.length;
      yield hashed(kept.map((row) => lineOf(columns.map((column) => encoded(row[column])))).join(""));
      onRows(rows);
    }
  }
  yield lineOf({ end: true, rows, sha256: hash.digest("hex") });
}

/** Fills a store that is still empty, all of it or nothing. Throws `StoreError` (`store/copy`, `store/not-empty`). */
export async function importStore(store: Store, text: AsyncIterable<string | Uint8Array>): Promise<{ rows: number }> {
  let isRead = false;
  return store.write(async (tx) => {
    if (isRead) throw new StoreError("store/unavailable", "the connection was lost: start again");
    isRead = true;
    await checkEmpty(tx);
    const reader = new TransferReader(text);
    await reader.head({ format: FORMAT, version: VERSION, schemaVersion: MIGRATIONS.length });
    for (const table of TABLE_NAMES) await importTable(tx, table, reader);
    if (store.engine === "postgres") await countOn(tx);
    return reader.end();
  });
}

async function importTable(tx: Transaction<Tables>, table: TableName, reader: TransferReader): Promise<void> {
  const kinds: Readonly<Record<string, ColumnKind>> = TABLES[table].columns;
  if (table === "state") await tx.deleteFrom("state").execute();
  let rows: Row[] = [];
  for await (const row of reader.rows(table, kinds)) {
    rows.push(row);
    if (rows.length < ROWS_MAX) continue;
    await insertRows(tx, table, rows as never[]);
    rows = [];
  }
  await insertRows(tx, table, rows as never[]);
}

async function checkEmpty(tx: Transaction<Tables>): Promise<void> {
  for (const table of TABLE_NAMES) {
    const { rows } = await sql<Row>`select * from ${sql.table(table)} limit ${sql.lit(OWN_META.length + 1)}`.execute(
      tx,
    );
    const isNew =
      table === "meta"
        ? rows.every(({ key }) => OWN_META.includes(key as string))
        : rows.every(({ version }) => table === "state" && version === 0);
    if (!isNew) throw new StoreError("store/not-empty", `table ${table}`);
  }
}

/** PostgreSQL numbers rows from where it was, not from what is there. */
async function countOn(tx: Transaction<Tables>): Promise<void> {
  for (const table of NUMBERED_TABLES) {
    const newest = sql`(select max(id) from ${sql.table(table)})`;
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), ${newest})`.execute(tx);
  }
}

function encoded(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64url");
  }
  return typeof value === "bigint" ? `${value}` : value;
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
