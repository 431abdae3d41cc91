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
import { SqliteSession } from "./session.ts";

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

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteSession(await this.#connections.acquire());
  }

  beginTransaction(session: DatabaseConnection): Promise<void> {
    return this.#connections.begin((session as SqliteSession).connection);
  }

  commitTransaction(session: DatabaseConnection): Promise<void> {
    return this.#connections.commit((session as SqliteSession).end());
  }

  rollbackTransaction(session: DatabaseConnection): Promise<void> {
    return this.#connections.rollback((session as SqliteSession).end());
  }

  async releaseConnection(session: DatabaseConnection): Promise<void> {
    this.#connections.release((session as SqliteSession).end());
  }

  /** The store that owns the connections closes them. */
  async destroy(): Promise<void> {}
}
