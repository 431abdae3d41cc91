/** One committed state of the tables for as long as it takes to read it all, whatever is written meanwhile. */
import { type Kysely, sql } from "kysely";
import type { Engine } from "./migrations/migration.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

export interface Snapshot {
  readonly engine: Engine;
  readonly db: Kysely<Tables>;
}

/** What `read` yields. Throws `StoreError`. */
export async function* inSnapshot<T>(
  { engine, db }: Store,
  read: (snapshot: Snapshot) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const tx = await db.startTransaction().setIsolationLevel("repeatable read").execute();
  try {
    if (engine === "postgres") {
      // A whole table may be behind one statement, and whoever reads may be slow.
      await sql`set local statement_timeout = 0`.execute(tx);
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx);
    }
    // Both engines fix the state at the first read, not at the beginning.
    await tx.selectFrom("meta").select("key").limit(1).execute();
    yield* read({ engine, db: tx });
  } finally {
    await tx.rollback().execute();
  }
}
