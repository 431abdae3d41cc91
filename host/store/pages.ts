/**
 * All rows of a table in the order of its key, a page at a time: any number of rows in bounded memory, on both engines,
 * with nothing held open between pages.
 */
import { type Kysely, sql } from "kysely";
import { TABLES, type TableName } from "./columns.ts";
import type { Tables } from "./tables.ts";

const ROWS_MAX = 256;

export type Row = Readonly<Record<string, unknown>>;

/** The columns that are named and the key's; all of them if none are named. Throws `StoreError`. */
export async function* rowPages(
  db: Kysely<Tables>,
  table: TableName,
  named?: readonly string[],
): AsyncGenerator<Row[]> {
  const key: readonly string[] = TABLES[table].key;
  const columns = [...new Set([...key, ...(named ?? Object.keys(TABLES[table].columns))])];
  const select = sql`select ${list(columns)} from ${sql.table(table)}`;
  const order = sql`order by ${list(key)} limit ${sql.lit(ROWS_MAX)}`;
  let last: Row | undefined;
  do {
    const after: Row | undefined = last;
    // Row values are compared from the left, as the key's index is ordered.
    const where = after && sql`where (${list(key)}) > (${sql.join(key.map((column) => after[column]))})`;
    const { rows } = await sql<Row>`${select} ${where ?? sql``} ${order}`.execute(db);
    if (rows.length > 0) yield rows;
    last = rows.length === ROWS_MAX ? rows.at(-1) : undefined;
  } while (last);
}

function list(columns: readonly string[]) {
  return sql.join(columns.map((column) => sql.ref(column)));
}
