/** The store in a folder: `verifier.db` with its log, and `lock`, which keeps other processes out. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Kysely, type Transaction } from "kysely";
import { StoreError } from "../errors.ts";
import { MIGRATIONS, migrate } from "../migrate.ts";
import type { OpenOptions, RowLock, Store } from "../store.ts";
import type { Tables } from "../tables.ts";
import { sqliteDialect } from "./dialect.ts";
import { FolderLock } from "./folder-lock.ts";
import { SqliteReaders } from "./readers.ts";
import { SqliteWriter } from "./writer.ts";

export const DATABASE_FILE = "verifier.db";

/** Throws `StoreError`. */
export async function openSqlite(folder: string, options: OpenOptions = {}): Promise<Store> {
  if (options.mustExist && !existsSync(join(folder, DATABASE_FILE))) throw new StoreError("store/missing", folder);
  const lock = new FolderLock(folder);
  let writer: SqliteWriter | undefined;
  try {
    const path = join(folder, DATABASE_FILE);
    writer = new SqliteWriter(path);
    const store = new SqliteStore(lock, writer, path);
    await migrate(store, MIGRATIONS, options);
    store.renewReaders();
    return store;
  } catch (error) {
    writer?.connection.close();
    lock.release();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly engine = "sqlite";
  readonly db: Kysely<Tables>;
  readonly forUpdate: RowLock = (query) => query;
  readonly #lock: FolderLock;
  readonly #writer: SqliteWriter;
  readonly #writers: Kysely<Tables>;
  readonly #readers: SqliteReaders;
  #closing: Promise<void> | undefined;

  constructor(lock: FolderLock, writer: SqliteWriter, path: string) {
    this.#lock = lock;
    this.#writer = writer;
    this.#readers = new SqliteReaders(path);
    this.#writers = new Kysely({ dialect: sqliteDialect(writer) });
    this.db = new Kysely({ dialect: sqliteDialect(this.#readers) });
  }

  readonly write = async <T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> => {
    if (this.#closing) throw new StoreError("store/closed");
    return this.#writers.transaction().execute(work);
  };

  renewReaders(): void {
    this.#readers.renew();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const connection = await this.#writer.acquire();
    await this.#readers.close();
    // Statements live until they are collected, and with them the connection: SQLite does not do it by itself.
    await connection.runElsewhere("PRAGMA wal_checkpoint(TRUNCATE)").catch(() => {});
    connection.close();
    this.#lock.release();
  }
}
