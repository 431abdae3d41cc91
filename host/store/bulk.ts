/**
 * Many rows of one table in as few steps as the engine allows. SQLite runs one prepared statement for each row, which
 * costs it some microseconds and no journey; PostgreSQL takes all rows in one statement, as one array for each column,
 * so that its text, and with it the prepared plan, is the same for any number of rows.
 */
import { CompiledQuery, type Insertable, PostgresAdapter, type Transaction, type Updateable } from "kysely";
import { type ColumnKind, TABLES, type TableName } from "./columns.ts";
import type { SqliteSession } from "./sqlite/session.ts";
import type { Tables } from "./tables.ts";

const ARRAY_TYPES: Readonly<Record<ColumnKind, string>> = { integer: "bigint[]", bytes: "bytea[]", text: "text[]" };

/** Every row has the same columns as the first. Throws `StoreError`. */
export function insertRows<T extends TableName>(
  tx: Transaction<Tables>,
  table: T,
  rows: readonly Insertable<Tables[T]>[],
): Promise<void> {
  return insert(tx, table, rows, "");
}

/** The same, where a row of the same primary key is replaced. No two rows have one key. Throws `StoreError`. */
export async function putRows<T extends TableName>(
  tx: Transaction<Tables>,
  table: T,
  rows: readonly Insertable<Tables[T]>[],
): Promise<void> {
  if (rows.length === 0) return;
  const key: readonly string[] = TABLES[table].key;
  const set = columnsOf(rows[0]!)
    .filter((column) => !key.includes(column))
    .map((column) => `${quoted(column)} = excluded.${quoted(column)}`);
  await insert(tx, table, rows, ` on conflict (${key.map(quoted).join(", ")}) do update set ${set.join(", ")}`);
}

async function insert<T extends TableName>(
  tx: Transaction<Tables>,
  table: T,
  rows: readonly Insertable<Tables[T]>[],
  onConflict: string,
): Promise<void> {
  if (rows.length === 0) return;
  const columns = columnsOf(rows[0]!);
  const into = `insert into "${table}" (${columns.map(quoted).join(", ")})`;
  if (isPostgres(tx)) {
    const statement = `${into} select * from unnest(${arrays(table, columns)})${onConflict}`;
    await run(tx, statement, transposed(columns, rows));
    return;
  }
  const statement = `${into} values (${columns.map(() => "?").join(", ")})${onConflict}`;
  await runEach(
    tx,
    statement,
    rows.map((row) => valuesOf(columns, row)),
  );
}

/** Changes, by its key, each row that is there: the other columns that are given. Throws `StoreError`. */
export async function updateRows<T extends TableName>(
  tx: Transaction<Tables>,
  table: T,
  key: keyof Tables[T] & string,
  rows: readonly Updateable<Tables[T]>[],
): Promise<void> {
  if (rows.length === 0) return;
  const columns = columnsOf(rows[0]!);
  const changed = columns.filter((column) => column !== key);
  if (isPostgres(tx)) {
    const set = changed.map((column) => `${quoted(column)} = changed.${quoted(column)}`).join(", ");
    const from = `unnest(${arrays(table, columns)}) as changed (${columns.map(quoted).join(", ")})`;
    const where = `"${table}".${quoted(key)} = changed.${quoted(key)}`;
    await run(tx, `update "${table}" set ${set} from ${from} where ${where}`, transposed(columns, rows));
    return;
  }
  const set = changed.map((column) => `${quoted(column)} = ?`).join(", ");
  const statement = `update "${table}" set ${set} where ${quoted(key)} = ?`;
  const order = [...changed, key];
  await runEach(
    tx,
    statement,
    rows.map((row) => valuesOf(order, row)),
  );
}

function isPostgres(tx: Transaction<Tables>): boolean {
  return tx.getExecutor().adapter instanceof PostgresAdapter;
}

async function run(tx: Transaction<Tables>, statement: string, parameters: readonly unknown[]): Promise<void> {
  await tx.executeQuery(CompiledQuery.raw(statement, [...parameters]));
}

/** Past Kysely's machinery for a query, which costs more than the row does. */
async function runEach(
  tx: Transaction<Tables>,
  statement: string,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  await tx.getExecutor().provideConnection(async (connection) => {
    (connection as SqliteSession).runEach(statement, rows);
  });
}

function columnsOf(row: object): string[] {
  return Object.keys(row);
}

function valuesOf(columns: readonly string[], row: object): unknown[] {
  return columns.map((column) => (row as Record<string, unknown>)[column]);
}

function transposed(columns: readonly string[], rows: readonly object[]): unknown[][] {
  return columns.map((column) => rows.map((row) => (row as Record<string, unknown>)[column]));
}

function arrays(table: TableName, columns: readonly string[]): string {
  const kinds = TABLES[table].columns as Readonly<Record<string, ColumnKind>>;
  return columns.map((column, index) => `$${index + 1}::${ARRAY_TYPES[kinds[column]!]}`).join(", ");
}

function quoted(column: string): string {
  return `"${column}"`;
}
