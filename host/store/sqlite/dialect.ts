/** SQLite through libsql, for Kysely: what kysely has for SQLite, over a driver that hands out our connections. */
import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { SqliteConnection } from "./connection.ts";

export interface SqliteConnections {
  acquire(): Promise<SqliteConnection>;
  release(connection: SqliteConnection): void;
  begin(connection: SqliteConnection): Promise<void>;
  commit(connection: SqliteConnection): Promise<void>;
  rollback(connection: SqliteConnection): Promise<void>;
}

export function sqliteDialect(connections: SqliteConnections): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(connections),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteDriver implements Driver {
  readonly #connections: SqliteConnections;

  constructor(connections: SqliteConnections) {
    this.#connections = connections;
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return this.#connections.acquire();
  }

  beginTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#connections.begin(connection as SqliteConnection);
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#connections.commit(connection as SqliteConnection);
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#connections.rollback(connection as SqliteConnection);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#connections.release(connection as SqliteConnection);
  }

  /** The store that owns the connections closes them. */
  async destroy(): Promise<void> {}
}
