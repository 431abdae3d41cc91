/**
 * All rows of a table in the order of a key, a page at a time: any number of rows in bounded memory, on both engines,
 * with nothing held open between pages.
 */
import { type Kysely, type RawBuilder, sql } from "kysely";
import { TABLES, type TableName } from "./columns.ts";
import type { Tables } from "./tables.ts";

const ROWS_MAX = 256;

export type Row = Readonly<Record<string, unknown>>;

/**
 * The columns that are named and the key's, or all; of the rows of which `where` holds, or all; in the order of the
 * primary key, or of another one that an index has. Throws `StoreError`.
 */
export async function* rowPages(
  db: Kysely<Tables>,
  table: TableName,
  named: readonly string[] = Object.keys(TABLES[table].columns),
  where: RawBuilder<unknown> = sql`1 = 1`,
  key: readonly string[] = TABLES[table].key,
): AsyncGenerator<Row[]> {
  const select = sql`select ${list([...new Set([...key, ...named])])} from ${sql.table(table)} where (${where})`;
  const order = sql`order by ${list(key)} limit ${sql.lit(ROWS_MAX)}`;
  let last: Row | undefined;
  do {
    // Row values are compared from the left, as the key's index is ordered.
    const after = last && sql`and (${list(key)}) > (${sql.join(key.map((column) => last?.[column]))})`;
    const { rows } = await sql<Row>`${select} ${after ?? sql``} ${order}`.execute(db);
    if (rows.length > 0) yield rows;
    last = rows.length === ROWS_MAX ? rows.at(-1) : undefined;
  } while (last);
}

function list(columns: readonly string[]) {
  return sql.join(columns.map((column) => sql.ref(column)));
}

/** A row's primary key as people read it. */
export function keyText(table: TableName, row: Row): string {
  const texts = TABLES[table].key.map((column) => {
    const value = row[column];
    return `${column} ${value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value}`;
  });
  return texts.join(", ");
}
