/**
 * Where a verifier keeps everything: SQL, in a folder of its own (SQLite) or in a PostgreSQL database that any number of
 * processes share. Both have the same tables and the same promises: what `write` has returned from survives a crash.
 */
import type { Kysely, SelectQueryBuilder, Transaction } from "kysely";
import type { Engine } from "./migrations/migration.ts";
import { openPostgres, type PostgresOptions } from "./postgres/postgres-store.ts";
import { openSqlite } from "./sqlite/sqlite-store.ts";
import type { Tables } from "./tables.ts";

export type { Tables } from "./tables.ts";

export interface Store {
  readonly engine: Engine;
  /** Reads, outside of transactions: only what was committed, without waiting for any transaction. It cannot write. */
  readonly db: Kysely<Tables>;
  /**
   * One durable transaction. SQLite: one at a time, in the order of asking. PostgreSQL: as many as there are
   * connections. It is repeated when PostgreSQL gives it up for another one (40001, 40P01), or when the connection is
   * lost before COMMIT was sent: `work` must not change anything else. It must not call `write` itself.
   * Throws what `work` throws, and `StoreError`: `store/commit-unknown` where it may have been kept or not.
   */
  readonly write: <T>(work: (tx: Transaction<Tables>) => Promise<T>) => Promise<T>;
  /** For `$call` on a query of rows that this transaction will change. Lock rows in the order of their ids. */
  readonly forUpdate: RowLock;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export type RowLock = <DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
) => SelectQueryBuilder<DB, TB, O>;

export type StorePlace = { readonly folder: string } | ({ readonly databaseUrl: string } & PostgresOptions);

export interface OpenOptions {
  /** Makes nothing where no store is yet: `store/missing`. */
  readonly mustExist?: boolean;
}

/** Opens the store, and makes its tables or brings them up to date. Throws `StoreError`. */
export function openStore(place: StorePlace, options: OpenOptions = {}): Promise<Store> {
  if ("folder" in place) return openSqlite(place.folder, options);
  return openPostgres(place.databaseUrl, { ...place, ...options });
}
