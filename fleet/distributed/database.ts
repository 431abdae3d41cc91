/** The database that a distributed run goes through: its tables, and statements that are tried again where that helps. */
import { setTimeout as delay } from "node:timers/promises";
import { StoreError } from "../../host/store/errors.ts";
import type { PostgresConnection } from "../../host/store/postgres/connection.ts";
import { PostgresError } from "../../host/store/postgres/errors.ts";
import { PostgresPool } from "../../host/store/postgres/pool.ts";

const SCHEMA = "quiesce_fleet";
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
/** How long a statement is tried again that the server gave up, or whose connection was lost: a restart takes less. */
const REPEAT_MS = 30_000;
const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 1_000;

/** A job's shards are its tasks in pieces: `state` is 0 for one that nobody has, 1 for one that is leased, 2 when done. */
const TABLES = [
  `create table if not exists jobs (
    id text primary key,
    scenario_sha256 text not null,
    seed text not null,
    version text not null,
    firmware_sha256 text not null,
    scenario text not null,
    tasks integer not null,
    shard_tasks integer not null,
    lease_ms integer not null,
    error text,
    created_at timestamptz not null default clock_timestamp()
  )`,
  `create table if not exists shards (
    job text not null references jobs on delete cascade,
    shard integer not null,
    state smallint not null default 0,
    holder text,
    lease_until timestamptz,
    attempts integer not null default 0,
    primary key (job, shard)
  )`,
  "create index if not exists shards_not_done on shards (job, shard) where state < 2",
  `create table if not exists results (
    job text not null references jobs on delete cascade,
    task integer not null,
    result text not null,
    primary key (job, task)
  )`,
];

export type Row = readonly unknown[];

export class Database {
  readonly #pool: PostgresPool;
  #wasThere = false;

  private constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  /** Makes the schema and its tables where they are missing. Throws `StoreError`. */
  static async open(url: string, connectionsMax: number, schema = SCHEMA): Promise<Database> {
    // It may hold a password: no message repeats it.
    if (!URL.canParse(url) || !/^postgres(ql)?:/.test(url)) throw new StoreError("store/url");
    if (!SCHEMA_NAME.test(schema)) throw new StoreError("store/value", `schema ${schema}`);
    const pool = new PostgresPool(url, { schema, applicationName: schema }, connectionsMax, "writes");
    const database = new Database(pool);
    try {
      await database.transaction(async (connection) => {
        // Those who start at the same time would else each make them.
        await connection.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [schema]);
        for (const text of [`create schema if not exists ${schema}`, ...TABLES]) await connection.query(text);
      });
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** One statement, which does the same when it is done twice. */
  rows(sql: string, values: Row = []): Promise<readonly Row[]> {
    return this.#repeated(async () => this.#with(async (connection) => (await connection.query(sql, values)).rows));
  }

  /** `work` does the same when it is done twice. */
  transaction<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    return this.#repeated(() =>
      this.#with(async (connection) => {
        await connection.query("begin");
        try {
          const result = await work(connection);
          await connection.query("commit");
          return result;
        } catch (error) {
          if (!connection.isLost) await connection.query("rollback").catch(() => connection.discard());
          throw error;
        }
      }),
    );
  }

  /** A lock by this name that is held until it is let go or its holder ends; undefined where somebody has it. */
  async lock(name: string): Promise<(() => void) | undefined> {
    const connection = await this.#pool.acquire();
    const release = () => {
      connection.discard();
      this.#pool.release(connection);
    };
    try {
      const { rows } = await connection.query("select pg_try_advisory_lock(hashtextextended($1, 0))", [name]);
      if (rows[0]![0] === 1n) return release;
    } catch (error) {
      release();
      throw error;
    }
    release();
    return undefined;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #with<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = await this.#pool.acquire();
    try {
      return await work(connection);
    } finally {
      this.#pool.release(connection);
    }
  }

  async #repeated<T>(work: () => Promise<T>): Promise<T> {
    let untilMs: number | undefined;
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
      try {
        const result = await work();
        this.#wasThere = true;
        return result;
      } catch (error) {
        // A server that was never there is told at once: only one that was there may come back.
        untilMs ??= this.#wasThere ? performance.now() + REPEAT_MS : 0;
        const isWorth = error instanceof PostgresError && (error.isLost || error.isRepeatable);
        if (!isWorth || performance.now() + pauseMs > untilMs) throw error;
      }
      await delay(pauseMs);
    }
  }
}
