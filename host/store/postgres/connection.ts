/** One connection of a pool, as Kysely wants it: prepared statements, the store's values, the store's errors. */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import type { CustomTypesConfig, PoolClient, QueryArrayResult } from "pg";
import { StoreError } from "../errors.ts";
import { checkedParameter, readRow } from "../values.ts";
import { type PostgresError, postgresError } from "./errors.ts";

/** Prepared by the server for each connection; statements beyond these are planned each time. */
const STATEMENTS_MAX = 256;
/** A text for many rows comes once with each number of rows, and its plan takes the server's memory in each connection. */
const TEXT_LENGTH_MAX = 4_096;
const names = new Map<string, string>();

const BOOL = 16;
const BYTEA = 17;
/** int8, int2, int4, and numeric, which a sum of int8 is. */
const INTEGERS = new Set([20, 21, 23, 1700]);

const types: CustomTypesConfig = {
  getTypeParser: (oid: number) => (text: string) => {
    if (INTEGERS.has(oid)) return BigInt(text);
    if (oid === BYTEA) return Buffer.from(text.slice(2), "hex");
    return oid === BOOL ? BigInt(text === "t") : text;
  },
};

export class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  #isLost = false;
  #isOver = false;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // A query that nobody waited for would else be committed on its own, or in the next one's transaction.
    if (this.#isOver) throw new StoreError("store/closed", "the transaction is over");
    const result = await this.query(query.sql, query.parameters.map(boundValue));
    const columns = result.fields.map(({ name }) => name);
    const rows = result.rows.map((row) => readRow(columns, row)) as R[];
    const isChange = result.command !== "SELECT" && result.rowCount !== null;
    return { rows, numAffectedRows: isChange ? BigInt(result.rowCount!) : undefined };
  }

  /** Keyset pages bound the memory on both engines. */
  // biome-ignore lint/correctness/useYield: it only refuses
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("the store reads pages, not streams");
  }

  /** Throws `StoreError`. */
  async query(sql: string, values: readonly unknown[] = []): Promise<QueryArrayResult<unknown[]>> {
    try {
      return await this.#client.query<unknown[]>({
        text: sql,
        values: [...values],
        name: nameOf(sql),
        rowMode: "array",
        types,
      });
    } catch (cause) {
      const error = postgresError(cause);
      this.#isLost ||= (error as PostgresError).isLost;
      throw error;
    }
  }

  /** Not to be used again. */
  discard(): void {
    this.#isLost = true;
  }

  /** Of the transaction, or the query, that has it. */
  end(): void {
    this.#isOver = true;
  }

  release(): void {
    this.#isOver = true;
    this.#client.release(this.#isLost);
  }
}

/** An array is one of PostgreSQL's, for many rows at once. */
function boundValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(boundValue);
  const checked = checkedParameter(value);
  if (typeof checked === "bigint") return `${checked}`;
  // The driver takes any other view of bytes for an object in an array.
  return checked instanceof Uint8Array ? Buffer.from(checked.buffer, checked.byteOffset, checked.byteLength) : checked;
}

function nameOf(sql: string): string | undefined {
  const known = names.get(sql);
  if (known !== undefined || names.size >= STATEMENTS_MAX || sql.length > TEXT_LENGTH_MAX) return known;
  const name = `quiesce_${names.size}`;
  names.set(sql, name);
  return name;
}
