/**
 * One connection to an SQLite file, as Kysely wants it. Statements run on this thread, at some microseconds each;
 * committing, which waits for the disk, runs on a thread of libsql's own pool, so that this one goes on meanwhile.
 */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import Database from "libsql";
import PooledDatabase from "libsql/promise";
import { checkedParameter, integerOf, plainBytes } from "../values.ts";
import { sqliteError } from "./errors.ts";

/** Prepared statements kept by each connection. */
const STATEMENTS_MAX = 256;
const BUSY_TIMEOUT_MS = 5_000;

interface Prepared {
  readonly statement: Database.Statement;
  /** Absent where the statement gives no rows. */
  readonly columns: readonly string[] | undefined;
}

export class SqliteConnection implements DatabaseConnection {
  readonly #database: Database.Database;
  /** By SQL text; the one that was used last is last. */
  readonly #prepared = new Map<string, Prepared>();

  /** Throws `StoreError`. */
  constructor(path: string) {
    this.#database = attempt(() => new Database(path, { timeout: BUSY_TIMEOUT_MS }));
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.execute<R>(query.sql, query.parameters);
  }

  /** Keyset pages bound the memory on both engines; a statement left half read would keep the log from shrinking. */
  // biome-ignore lint/correctness/useYield: it only refuses
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("the store reads pages, not streams");
  }

  /** Throws `StoreError`. */
  execute<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    const bound = parameters.map(checkedParameter);
    return attempt(() => {
      const { statement, columns } = this.#prepare(sql);
      if (columns) return { rows: statement.all(bound).map((row) => readRow(columns, row as unknown[])) as R[] };
      const { changes, lastInsertRowid } = statement.run(bound);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    });
  }

  /** One statement that gives no rows, once for each of the parameters. Throws `StoreError`. */
  runEach(sql: string, parameters: readonly (readonly unknown[])[]): void {
    attempt(() => {
      const { statement } = this.#prepare(sql);
      for (const values of parameters) statement.run(values.map(checkedParameter));
    });
  }

  /** Several statements without parameters or rows. Throws `StoreError`. */
  run(sql: string): void {
    attempt(() => this.#database.exec(sql));
  }

  /** The same on a thread of the pool: nothing else may use this connection until it is done. */
  async runElsewhere(sql: string): Promise<void> {
    try {
      // Both classes of the package stand on the same native connection; only this one waits on another thread.
      await PooledDatabase.prototype.exec.call(this.#database, sql);
    } catch (cause) {
      throw sqliteError(cause);
    }
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) {
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const statement = this.#database.prepare(sql);
    const isReader = statement.reader;
    const prepared = { statement, columns: isReader ? statement.columns().map(({ name }) => name) : undefined };
    if (isReader) statement.raw(true).safeIntegers(true);
    this.#prepared.set(sql, prepared);
    if (this.#prepared.size > STATEMENTS_MAX) this.#prepared.delete(this.#prepared.keys().next().value!);
    return prepared;
  }
}

function readRow(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) {
    const value = values[index];
    if (typeof value === "bigint") row[column] = integerOf(column, value);
    else row[column] = value instanceof Uint8Array ? plainBytes(value) : value;
  }
  return row;
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw sqliteError(cause);
  }
}
