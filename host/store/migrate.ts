/**
 * Brings a database to the tables of this program: forward only, all steps in one transaction, one process at a time.
 * A database that a newer program changed is refused, and so is one that this program did not make.
 */
import { type Kysely, sql, type Transaction } from "kysely";
import { StoreError } from "./errors.ts";
import { first } from "./migrations/0001-first.ts";
import { groups } from "./migrations/0002-groups.ts";
import { log } from "./migrations/0003-log.ts";
import { heads } from "./migrations/0004-heads.ts";
import { type Engine, type Migration, WORDS } from "./migrations/migration.ts";
import type { OpenOptions, Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** In order, none ever taken out: a database's version is how many of them it has. */
export const MIGRATIONS: readonly Migration[] = [first, groups, log, heads];

const APPLICATION = "quiesce-verifier";

/** Throws `StoreError` (`store/newer`, `store/foreign`, `store/missing`). */
export async function migrate(
  { engine, db, write }: Pick<Store, "engine" | "db" | "write">,
  migrations = MIGRATIONS,
  { mustExist = false }: OpenOptions = {},
): Promise<void> {
  // A process that has only to look needs no right to change tables.
  const found = await versionOf(db, engine, migrations.length);
  if (found === migrations.length) return;
  if (found === 0 && mustExist) throw new StoreError("store/missing", "the database has no tables");
  await write(async (tx) => {
    if (engine === "postgres") {
      await sql`set local statement_timeout = 0`.execute(tx);
      await sql`select pg_advisory_xact_lock(hashtext(current_schema()))`.execute(tx);
    }
    // Another process may have done it while this one waited.
    const version = await versionOf(tx, engine, migrations.length);
    if (version === 0) await begin(tx, engine);
    for (const migration of migrations.slice(version)) {
      for (const statement of migration.statements(WORDS[engine])) await sql.raw(statement).execute(tx);
    }
    await writeMeta(tx, "schema-version", `${migrations.length}`);
  });
}

/** How many migrations the database has; 0 of one without tables. Throws `StoreError`. */
async function versionOf(db: Kysely<Tables>, engine: Engine, known: number): Promise<number> {
  const tables = await tableNames(db, engine);
  if (!tables.includes("meta")) {
    if (tables.length > 0) throw new StoreError("store/foreign", `tables ${tables.slice(0, 3).join(", ")}`);
    return 0;
  }
  if ((await readMeta(db, "application")) !== APPLICATION) throw new StoreError("store/foreign", "table meta");
  const version = Number(await readMeta(db, "schema-version"));
  if (!Number.isSafeInteger(version) || version < 1) throw new StoreError("store/corrupt", "its version");
  if (version > known) throw new StoreError("store/newer", `version ${version}; this program knows ${known}`);
  return version;
}

async function tableNames(db: Kysely<Tables>, engine: Engine): Promise<string[]> {
  const query =
    engine === "sqlite"
      ? sql<{ name: string }>`select name from sqlite_schema where type = 'table' and name not like 'sqlite%'`
      : sql<{ name: string }>`select table_name as name from information_schema.tables
          where table_schema = current_schema()`;
  return (await query.execute(db)).rows.map(({ name }) => name);
}

async function begin(tx: Transaction<Tables>, engine: Engine): Promise<void> {
  const { text, bytes, end } = WORDS[engine];
  await sql.raw(`create table meta (key ${text} primary key, value ${bytes} not null)${end}`).execute(tx);
  await writeMeta(tx, "application", APPLICATION);
}

async function readMeta(db: Kysely<Tables>, key: string): Promise<string | undefined> {
  const row = await db.selectFrom("meta").select("value").where("key", "=", key).executeTakeFirst();
  return row && Buffer.from(row.value).toString("utf8");
}

async function writeMeta(tx: Transaction<Tables>, key: string, text: string): Promise<void> {
  const value = Buffer.from(text, "utf8");
  await tx
    .insertInto("meta")
    .values({ key, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}
