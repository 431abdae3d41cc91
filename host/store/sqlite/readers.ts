/**
 * Connections that only read. Each sees what was committed when its statement, or its transaction, began, and neither
 * waits for the writer nor holds it up (sqlite.org/wal.html).
 */
import { StoreError } from "../errors.ts";
import { SqliteConnection } from "./connection.ts";
import type { SqliteConnections } from "./dialect.ts";

const READERS_MAX = 4;
const WAITING_MAX = 10_000;

export class SqliteReaders implements SqliteConnections {
  readonly #path: string;
  readonly #idle: SqliteConnection[] = [];
  readonly #waiting: ((connection: SqliteConnection) => void)[] = [];
  #count = 0;
  #isClosing = false;

  constructor(path: string) {
    this.#path = path;
  }

  async acquire(): Promise<SqliteConnection> {
    if (this.#isClosing) throw new StoreError("store/closed");
    return this.#next();
  }

  release(connection: SqliteConnection): void {
    const next = this.#waiting.shift();
    if (next) next(connection);
    else this.#idle.push(connection);
  }

  async begin(connection: SqliteConnection): Promise<void> {
    connection.run("BEGIN");
  }

  async commit(connection: SqliteConnection): Promise<void> {
    connection.run("COMMIT");
  }

  async rollback(connection: SqliteConnection): Promise<void> {
    if (connection.inTransaction) connection.run("ROLLBACK");
  }

  /** A connection that read before tables were changed would still give their old columns. None may be in use. */
  renew(): void {
    for (const connection of this.#idle.splice(0)) {
      connection.close();
      this.#count -= 1;
    }
  }

  /** When all are back. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (let left = this.#count; left > 0; left -= 1) {
      const connection = await this.#next();
      connection.close();
    }
  }

  async #next(): Promise<SqliteConnection> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#count < READERS_MAX) return this.#open();
    if (this.#waiting.length >= WAITING_MAX) throw new StoreError("store/busy");
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #open(): SqliteConnection {
    const connection = new SqliteConnection(this.#path);
    connection.run("PRAGMA query_only = ON; PRAGMA cache_size = -16384");
    this.#count += 1;
    return connection;
  }
}
