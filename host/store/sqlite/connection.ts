/**
 * One connection to an SQLite file. Statements run on this thread, at some microseconds each;
 * committing, which waits for the disk, runs on a thread of libsql's own pool, so that this one goes on meanwhile.
 */
import type { QueryResult } from "kysely";
import Database from "libsql";
import PooledDatabase from "libsql/promise";
import { checkedParameter, readRow } from "../values.ts";
import { sqliteError } from "./errors.ts";

/** Prepared statements kept by each connection. */
const STATEMENTS_MAX = 256;
/** A text for many rows comes once with each number of rows, and is not worth its memory. */
const TEXT_LENGTH_MAX = 8_192;
const BUSY_TIMEOUT_MS = 5_000;

interface Prepared {
  readonly statement: Database.Statement;
  /** Absent where the statement gives no rows. */
  readonly columns: readonly string[] | undefined;
}

export class SqliteConnection {
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
    if (sql.length > TEXT_LENGTH_MAX) return prepared;
    this.#prepared.set(sql, prepared);
    if (this.#prepared.size > STATEMENTS_MAX) this.#prepared.delete(this.#prepared.keys().next().value!);
    return prepared;
  }
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw sqliteError(cause);
  }
}
