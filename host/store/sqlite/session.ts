/**
 * A connection for as long as one query or transaction has it. Afterwards it refuses: a query that nobody waited for would
 * else run in the next one's transaction.
 */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import { StoreError } from "../errors.ts";
import type { SqliteConnection } from "./connection.ts";

export class SqliteSession implements DatabaseConnection {
  readonly connection: SqliteConnection;
  #isOver = false;

  constructor(connection: SqliteConnection) {
    this.connection = connection;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#inTime.execute<R>(query.sql, query.parameters);
  }

  /** Keyset pages bound the memory on both engines; a statement left half read would keep the log from shrinking. */
  // biome-ignore lint/correctness/useYield: it only refuses
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("the store reads pages, not streams");
  }

  /** One statement that gives no rows, once for each of the parameters. Throws `StoreError`. */
  runEach(sql: string, parameters: readonly (readonly unknown[])[]): void {
    this.#inTime.runEach(sql, parameters);
  }

  /** Gives the connection back to whoever ends the session. */
  end(): SqliteConnection {
    this.#isOver = true;
    return this.connection;
  }

  get #inTime(): SqliteConnection {
    if (this.#isOver) throw new StoreError("store/closed", "the transaction is over");
    return this.connection;
  }
}
