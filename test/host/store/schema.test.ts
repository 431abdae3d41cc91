/** The tables as the program knows them, as the databases have them, and as they came to be. */
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { TABLE_NAMES, TABLES } from "../../../host/store/columns.ts";
import { fsck } from "../../../host/store/fsck.ts";
import { MIGRATIONS, migrate } from "../../../host/store/migrate.ts";
import type { Migration } from "../../../host/store/migrations/migration.ts";
import { openStore, type Store, type StorePlace } from "../../../host/store/store.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { engines, withStore } from "./engines.ts";
import { insertDevice } from "./rows.ts";

const KINDS = { INTEGER: "integer", BLOB: "bytes", TEXT: "text", bigint: "integer", bytea: "bytes", text: "text" };

async function tablesOf({ db, engine }: Store) {
  const query =
    engine === "sqlite"
      ? sql<{ name: string; column: string; type: string }>`select t.name, c.name as "column", c.type
          from sqlite_schema t, pragma_table_info(t.name) c where t.type = 'table' and t.name not like 'sqlite%'`
      : sql<{ name: string; column: string; type: string }>`select table_name as name, column_name as "column",
          data_type as type from information_schema.columns where table_schema = current_schema()`;
  const tables: Record<string, Record<string, string>> = {};
  for (const { name, column, type } of (await query.execute(db)).rows) {
    tables[name] = { ...tables[name], [column]: KINDS[type as keyof typeof KINDS] };
  }
  return tables;
}

const keysOf = async ({ db, engine }: Store, table: string) => {
  const { rows } =
    engine === "sqlite"
      ? await sql<{ name: string }>`select name from pragma_table_info(${table}) where pk > 0 order by pk`.execute(db)
      : await sql<{ name: string }>`select a.attname as name from pg_index i, unnest(i.indkey) with ordinality k (n, o),
          pg_attribute a where i.indrelid = ${table}::regclass and i.indisprimary and a.attrelid = i.indrelid
          and a.attnum = k.n order by k.o`.execute(db);
  return rows.map(({ name }) => name);
};

describe.each(engines)("the tables on $engine", ({ place }) => {
  it("are those that the program knows: names, columns, kinds and keys", async () => {
    await withStore(place(), async (store) => {
      const known = Object.fromEntries(TABLE_NAMES.map((name) => [name, { ...TABLES[name].columns }]));
      expect(await tablesOf(store)).toEqual(known);
      for (const name of TABLE_NAMES) expect(await keysOf(store, name)).toEqual(TABLES[name].key);
    });
  });

  it("are made once when several open a new store at the same time", async () => {
    const where = place();
    const opened = await Promise.allSettled([1, 2, 3, 4].map(() => openStore(where)));
    const stores = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    // A folder has one owner at a time; a database has any number.
    expect(stores).toHaveLength(stores[0]!.engine === "sqlite" ? 1 : 4);
    await Promise.all(stores.map((store) => store.close()));
    await withStore(where, (store) => store.write((tx) => insertDevice(tx, 1)));
  });

  it("gain what a newer program adds, and keep their rows", async () => {
    const where = place();
    await withStore(where, (store) => store.write((tx) => insertDevice(tx, 1)));
    await withMigrations(where, [...MIGRATIONS, added], async (db) => {
      const { rows } = await sql`select owner, extra from devices`.execute(db);
      expect(rows).toEqual([{ owner: "owner", extra: 7 }]);
    });
    await expect(openStore(where)).rejects.toMatchObject({ code: "store/newer", class: "operator" });
  });

  it("come from those before them, and are read as they are now by whoever brought them there", async () => {
    const where = place();
    await withStore(where, async (store) => {
      const draft = { epoch: 1, quorum: 1, approvals: "[]", bytes: new Uint8Array(4), created_ms: 1 };
      await store.write(async (tx) => {
        for (const table of TABLE_NAMES.slice(TABLE_NAMES.indexOf("log_state")).reverse()) {
          await sql`drop table ${sql.table(table)}`.execute(tx);
        }
        for (const column of ["group_approvals", "group_shares"]) {
          await sql`alter table drafts drop column ${sql.ref(column)}`.execute(tx);
        }
        await tx
          .insertInto("drafts")
          .values(draft as typeof draft & { group_approvals: string; group_shares: string })
          .execute();
        const value = Buffer.from("1");
        await tx.updateTable("meta").set({ value }).where("key", "=", "schema-version").execute();
      });
    });
    await withStore(where, async (store) => {
      const groups = { group_approvals: "[]", group_shares: "[]" };
      expect(await store.db.selectFrom("drafts").selectAll().execute()).toMatchObject([groups]);
      for await (const finding of fsck(store, STRUCTURAL_CHECKS)) expect(finding).toBeUndefined();
    });
  });

  it("stay as they were when a change fails half way", async () => {
    const where = place();
    const failing = { name: "fails", statements: () => [...added.statements(), "alter table nothing add x bigint"] };
    await expect(withMigrations(where, [...MIGRATIONS, failing], async () => {})).rejects.toMatchObject({
      code: "store/statement",
    });
    await withStore(where, async (store) => {
      expect(Object.keys((await tablesOf(store)).devices!)).not.toContain("extra");
    });
  });

  it("are refused where another program made them", async () => {
    const where = place();
    await withStore(where, (store) => store.write((tx) => sql`delete from meta where key = 'application'`.execute(tx)));
    await expect(openStore(where)).rejects.toMatchObject({ code: "store/foreign" });
    const other = place();
    await withStore(other, (store) => store.write((tx) => sql`drop table meta`.execute(tx)));
    await expect(openStore(other)).rejects.toMatchObject({ code: "store/foreign" });
  });
});

const added: Migration & { statements: () => string[] } = {
  name: "9999-test",
  statements: () => ["alter table devices add column extra bigint not null default 7".replace("bigint", "integer")],
};

/** As a program with these migrations would do it. */
async function withMigrations(where: StorePlace, migrations: Migration[], work: (db: Store["db"]) => Promise<void>) {
  await withStore(where, async (store) => {
    await migrate(store, migrations);
    await work(store.db);
  });
}
