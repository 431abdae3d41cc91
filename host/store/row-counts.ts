/** How many rows there are: what a check, an export or a backup is about. */
import { type Kysely, sql } from "kysely";
import { TABLE_NAMES, type TableName } from "./columns.ts";
import { inSnapshot } from "./snapshot.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

export type RowCounts = Readonly<Record<TableName, number>>;

/** Throws `StoreError`. */
export async function rowCounts(db: Kysely<Tables>): Promise<RowCounts> {
  const counts: Partial<Record<TableName, number>> = {};
  for (const table of TABLE_NAMES) {
    const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(db);
    counts[table] = rows[0]!.count;
  }
  return counts as RowCounts;
}

/** In one state of the store. Throws `StoreError`. */
export async function countRows(store: Store): Promise<number> {
  let sum = 0;
  const counting = inSnapshot(store, async function* ({ db }) {
    yield* Object.values(await rowCounts(db));
  });
  for await (const count of counting) sum += count;
  return sum;
}
