/** The store in a PostgreSQL database: one pool of connections that write, and one of connections that cannot. */
import { setTimeout as delay } from "node:timers/promises";
import { Kysely, sql, type Transaction } from "kysely";
import { StoreError } from "../errors.ts";
import { MIGRATIONS, migrate } from "../migrate.ts";
import type { OpenOptions, RowLock, Store } from "../store.ts";
import type { Tables } from "../tables.ts";
import { postgresDialect } from "./dialect.ts";
import { PostgresError } from "./errors.ts";
import { type PoolOptions, PostgresPool } from "./pool.ts";

export interface PostgresOptions extends PoolOptions, OpenOptions {
  /** Connections that write. */
  readonly writersMax?: number;
  /** Connections that read. */
  readonly readersMax?: number;
  /** How long a transaction that the server gave up, or whose connection was lost, is tried again. */
  readonly repeatMs?: number;
}

const WRITERS_MAX = 15;
const READERS_MAX = 5;
const REPEAT_MS = 10_000;
const PAUSE_MS_MAX = 500;
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** Throws `StoreError`. */
export async function openPostgres(databaseUrl: string, options: PostgresOptions = {}): Promise<Store> {
  // It may hold a password: no message repeats it.
  if (!URL.canParse(databaseUrl) || !/^postgres(ql)?:/.test(databaseUrl)) throw new StoreError("store/url");
  const store = new PostgresStore(databaseUrl, options);
  try {
    await store.prepare();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

class PostgresStore implements Store {
  readonly engine = "postgres";
  readonly db: Kysely<Tables>;
  // Rows that others refer to may still be referred to while they change: keys never do.
  readonly forUpdate: RowLock = (query) => query.forNoKeyUpdate();
  readonly #options: PostgresOptions;
  readonly #pools: readonly PostgresPool[];
  readonly #writers: Kysely<Tables>;
  #closing: Promise<void> | undefined;

  constructor(databaseUrl: string, options: PostgresOptions) {
    if (options.schema !== undefined && !SCHEMA_NAME.test(options.schema)) {
      throw new StoreError("store/value", `schema ${options.schema}`);
    }
    this.#options = options;
    const writers = new PostgresPool(databaseUrl, options, options.writersMax ?? WRITERS_MAX, "writes");
    const readers = new PostgresPool(databaseUrl, options, options.readersMax ?? READERS_MAX, "reads");
    this.#pools = [writers, readers];
    this.#writers = new Kysely({ dialect: postgresDialect(writers) });
    this.db = new Kysely({ dialect: postgresDialect(readers) });
  }

  async prepare(): Promise<void> {
    const { schema, mustExist } = this.#options;
    if (schema !== undefined && !mustExist) await this.#repeat(() => makeSchema(this.#writers, schema));
    await this.#repeat(() => migrate(this, MIGRATIONS, { mustExist }));
  }

  readonly write = async <T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> => {
    if (this.#closing) throw new StoreError("store/closed");
    return this.#repeat(() => this.#writers.transaction().execute(work));
  };

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
  }

  async #repeat<T>(work: () => Promise<T>): Promise<T> {
    const untilMs = performance.now() + (this.#options.repeatMs ?? REPEAT_MS);
    for (let pauseMs = 2; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
      try {
        return await work();
      } catch (error) {
        const isOver = performance.now() + pauseMs > untilMs;
        if (isOver || !(error instanceof PostgresError) || !(error.isLost || error.isRepeatable)) throw error;
      }
      // At random, so that those who collided do not collide again.
      await delay(pauseMs * (0.5 + Math.random()));
    }
  }
}

async function makeSchema(db: Kysely<Tables>, schema: string): Promise<void> {
  const found = await sql`select 1 from pg_namespace where nspname = ${schema}`.execute(db);
  if (found.rows.length > 0) return;
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext(${schema}))`.execute(tx);
    await sql`create schema if not exists ${sql.id(schema)}`.execute(tx);
  });
}
