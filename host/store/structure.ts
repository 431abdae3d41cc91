/** The checks of a store that need SQL and nothing else. */
import { type RawBuilder, sql } from "kysely";
import { NUMBERED_TABLES, TABLE_NAMES, TABLES, type TableName } from "./columns.ts";
import type { Check } from "./fsck.ts";
import { MIGRATIONS } from "./migrate.ts";
import { WORDS } from "./migrations/migration.ts";
import { keyText, rowPages } from "./pages.ts";
import type { Snapshot } from "./snapshot.ts";
import { SqliteConnection } from "./sqlite/connection.ts";
import { isExact } from "./values.ts";

const INTEGRITY_FINDINGS_MAX = 1_000;
const EXACT_MAX = 2n ** 63n - 1n;

/** SQLite's own look at pages, indexes and constraints. PostgreSQL has amcheck and pg_checksums for it. */
const integrity: Check = {
  name: "integrity",
  async *run({ db, engine }) {
    if (engine !== "sqlite") return;
    const check = sql<{ message: string }>`select integrity_check as message
      from pragma_integrity_check(${sql.lit(INTEGRITY_FINDINGS_MAX)})`;
    for (const { message } of (await check.execute(db)).rows)
      if (message !== "ok") yield { table: "", key: "", message };
  },
};

/** Tables and indexes are those that the migrations make, to the letter. In PostgreSQL only a superuser's hand changes them. */
const schema: Check = {
  name: "schema",
  async *run({ db, engine }) {
    if (engine !== "sqlite") return;
    const objects = "select name, tbl_name, coalesce(sql, '') as sql from sqlite_schema where name not like 'sqlite%'";
    const expected = new SqliteConnection(":memory:");
    try {
      for (const { statements } of MIGRATIONS) for (const text of statements(WORDS.sqlite)) expected.run(text);
      const wanted = expected.execute<SchemaObject>(objects).rows;
      const found = (await sql.raw<SchemaObject>(objects).execute(db)).rows.filter(({ name }) => name !== "meta");
      for (const { name, tbl_name, sql: text } of wanted) {
        const other = found.find((one) => one.name === name);
        if (other?.sql !== text)
          yield { table: tbl_name, key: name, message: other ? "it was altered" : "it is missing" };
      }
      for (const { name, tbl_name } of found) {
        if (!wanted.some((one) => one.name === name)) yield { table: tbl_name, key: name, message: "it is not ours" };
      }
    } finally {
      expected.close();
    }
  },
};

interface SchemaObject {
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string;
}

/**
 * No number is negative, or beyond what its column's readers can hold. Only a slot of a sum may be below zero: another one
 * is above it.
 */
const numbers: Check = {
  name: "numbers",
  async *run(snapshot) {
    for (const table of TABLE_NAMES) {
      const outside = Object.entries(TABLES[table].columns)
        .filter(([column, kind]) => kind === "integer" && !(table === "usage" && column === "devices"))
        .map(([column]) => {
          const most = isExact(column) ? EXACT_MAX : Number.MAX_SAFE_INTEGER;
          return sql<boolean>`${sql.ref(column)} not between 0 and ${sql.lit(most)}`;
        });
      if (outside.length === 0) continue;
      const where = sql.join(outside, sql` or `);
      for await (const key of keysWhere(snapshot, table, where)) yield { table, key, message: "a number out of range" };
    }
  },
};

/** A row that names a device names one that is there. */
const orphans: Check = {
  name: "orphans",
  async *run(snapshot) {
    for (const table of TABLE_NAMES) {
      if (!("device_id" in TABLES[table].columns)) continue;
      const where = sql`not exists (select 1 from devices where devices.id = device_id)`;
      for await (const key of keysWhere(snapshot, table, where))
        yield { table, key, message: "its device is not there" };
    }
  },
};

/**
 * Numbers of rows have no gap: SQLite gives them in the order of commits and takes back those of a transaction that
 * failed, so a gap is a row that was taken out. PostgreSQL leaves gaps by itself.
 */
const gaps: Check = {
  name: "gaps",
  async *run({ db, engine }) {
    if (engine !== "sqlite") return;
    for (const table of NUMBERED_TABLES) {
      const counter = await sql<{ seq: number }>`select seq from sqlite_sequence where name = ${table}`.execute(db);
      let next = 1;
      for await (const page of rowPages(db, table, ["id"])) {
        for (const { id } of page as { id: number }[]) {
          if (id !== next) yield { table, key: `id ${next} to ${id - 1}`, message: "rows are missing" };
          next = id + 1;
        }
      }
      const last = counter.rows[0]?.seq ?? 0;
      if (last >= next) yield { table, key: `id ${next} to ${last}`, message: "rows are missing" };
    }
  },
};

/** A device's reports are 1 to its newest, each once; its newest license is the one that it is said to be. */
const sequences: Check = {
  name: "sequences",
  async *run({ db }) {
    for await (const page of rowPages(db, "devices", ["report_sequence", "license_sequence"])) {
      const devices = page as unknown as readonly DeviceSequences[];
      const ids = devices.map(({ id }) => id);
      const reports = await sequencesOf(db, "reports", ids);
      const licenses = await sequencesOf(db, "licenses", ids, LICENSES_ALONE);
      for (const { id, report_sequence, license_sequence } of devices) {
        const key = `device_id ${id}`;
        const r = reports.get(id) ?? NONE;
        const isWhole = BigInt(r.count) === report_sequence && r.last_sequence === report_sequence;
        if (!isWhole)
          yield { table: "reports", key, message: `${r.count} of 1 to ${report_sequence}, up to ${r.last_sequence}` };
        if (r.different !== r.count) yield { table: "reports", key, message: "a sequence stands twice" };
        const l = licenses.get(id) ?? NONE;
        if (l.last_sequence !== license_sequence) {
          yield { table: "licenses", key, message: `up to ${l.last_sequence}, where ${license_sequence} were issued` };
        }
      }
    }
  },
};

/** Lists that are kept as text are JSON arrays of texts. */
const lists: Check = {
  name: "lists",
  async *run({ db }) {
    for (const [table, column] of [
      ["drafts", "approvals"],
      ["drafts", "group_approvals"],
      ["drafts", "group_shares"],
      ["tokens", "roles"],
      ["clients", "roles"],
    ] as const) {
      for await (const page of rowPages(db, table, [column])) {
        for (const row of page) {
          if (!isList(row[column] as string))
            yield { table, key: keyText(table, row), message: `${column} is no list` };
        }
      }
    }
  },
};

export const STRUCTURAL_CHECKS: readonly Check[] = [integrity, schema, numbers, orphans, gaps, sequences, lists];

interface DeviceSequences {
  readonly id: number;
  readonly report_sequence: bigint;
  readonly license_sequence: bigint;
}

const NONE = { count: 0, different: 0, last_sequence: 0n };

/** Rows of `licenses`, by what they hold: recoveries are counted by themselves. */
export const LICENSES_ALONE = sql`kind in (1, 3)`;
export const RECOVERIES_ALONE = sql`kind in (2, 4)`;

async function sequencesOf(
  db: Snapshot["db"],
  table: "reports" | "licenses",
  ids: readonly number[],
  where = sql`1 = 1`,
) {
  const { rows } = await sql<typeof NONE & { device_id: number }>`
    select device_id, count(*) as count, count(distinct sequence) as different, max(sequence) as last_sequence
    from ${sql.table(table)} where device_id in (${sql.join(ids)}) and ${where} group by device_id`.execute(db);
  return new Map(rows.map((row) => [row.device_id, row]));
}

/** Keys of the rows of which something holds, a page at a time. */
async function* keysWhere({ db }: Snapshot, table: TableName, where: RawBuilder<unknown>): AsyncGenerator<string> {
  for await (const page of rowPages(db, table, [], where)) for (const row of page) yield keyText(table, row);
}

function isList(text: string): boolean {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === "string");
  } catch {
    return false;
  }
}
