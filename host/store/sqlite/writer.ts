/**
 * The one connection that writes. Transactions have it one at a time, in the order in which they asked. After a failed
 * write to the disk nothing is promised any more (the system may have dropped the pages it could not sync), so it takes
 * no further transaction: the process starts again, and SQLite recovers from what is on the disk.
 */
import { StoreError } from "../errors.ts";
import { SqliteConnection } from "./connection.ts";
import type { SqliteConnections } from "./dialect.ts";

const WAITING_MAX = 10_000;

export class SqliteWriter implements SqliteConnections {
  readonly connection: SqliteConnection;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;
  #failure: StoreError | undefined;

  /** Throws `StoreError`. */
  constructor(path: string) {
    this.connection = new SqliteConnection(path);
    // FULL: a commit is synced before it is answered. The log is copied into the database every 16 MiB, and cut to 64 MiB
    // after a transaction or a reader made it longer. 64 MiB of pages stay in memory.
    this.connection.run(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
      PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536`);
  }

  async acquire(): Promise<SqliteConnection> {
    if (this.#isTaken) {
      if (this.#waiting.length >= WAITING_MAX) throw new StoreError("store/busy");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#isTaken = true;
    return this.connection;
  }

  release(): void {
    const next = this.#waiting.shift();
    // Whoever comes next has it from here on: nobody who asks in between gets ahead.
    if (next) next();
    else this.#isTaken = false;
  }

  async begin(): Promise<void> {
    if (this.#failure) throw new StoreError("store/broken", this.#failure.message, { cause: this.#failure });
    this.connection.run("BEGIN IMMEDIATE");
  }

  /** Throws `StoreError` (`store/full`, `store/commit-unknown`). */
  async commit(): Promise<void> {
    try {
      await this.connection.runElsewhere("COMMIT");
    } catch (error) {
      const cause = error as StoreError;
      this.#judge(cause);
      // What was written but not synced may be found again after a crash.
      throw cause.code === "store/broken" ? new StoreError("store/commit-unknown", cause.message, { cause }) : cause;
    }
  }

  /** Throws nothing: what made the transaction fail is what its owner must hear. */
  async rollback(): Promise<void> {
    // SQLite has rolled back by itself after some errors (sqlite.org/lang_transaction.html).
    if (!this.connection.inTransaction) return;
    try {
      this.connection.run("ROLLBACK");
    } catch (error) {
      this.#failure = error as StoreError;
    }
  }

  #judge(error: StoreError): void {
    if (error.code === "store/broken" || error.code === "store/corrupt") this.#failure = error;
  }
}
