/** PostgreSQL, for Kysely: what kysely has for it, over a driver that hands out our connections. */
import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import { StoreError } from "../errors.ts";
import type { PostgresConnection } from "./connection.ts";
import type { PostgresPool } from "./pool.ts";

export function postgresDialect(pool: PostgresPool): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(pool),
    createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PostgresDriver implements Driver {
  readonly #pool: PostgresPool;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return this.#pool.acquire();
  }

  async beginTransaction(connection: DatabaseConnection, settings: { isolationLevel?: string }): Promise<void> {
    const level = settings.isolationLevel;
    await (connection as PostgresConnection).query(level ? `begin isolation level ${level}` : "begin");
  }

  /** Throws `StoreError` (`store/commit-unknown`). */
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const { command } = await this.#commit(connection as PostgresConnection);
    // The server answers so when a statement failed and the transaction went on as if it had not.
    if (command === "ROLLBACK") throw new StoreError("store/statement", "one of a transaction that went on");
  }

  /** Throws nothing: what made the transaction fail is what its owner must hear; the server forgets a lost one. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const postgres = connection as PostgresConnection;
    postgres.end();
    if (postgres.isLost) return;
    await postgres.query("rollback").catch(() => postgres.discard());
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#pool.release(connection as PostgresConnection);
  }

  /** The store that owns the pool ends it. */
  async destroy(): Promise<void> {}

  async #commit(connection: PostgresConnection) {
    connection.end();
    try {
      return await connection.query("commit");
    } catch (error) {
      const cause = error as StoreError;
      throw connection.isLost ? new StoreError("store/commit-unknown", cause.message, { cause }) : cause;
    }
  }
}
