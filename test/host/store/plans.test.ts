/** The queries that every request makes find their rows by an index: their cost does not grow with the fleet. */
import { type Compilable, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { insertRows } from "../../../host/store/bulk.ts";
import { TABLE_NAMES } from "../../../host/store/columns.ts";
import { openStore, type Store } from "../../../host/store/store.ts";
import { engines } from "./engines.ts";
import { deviceRow, licenseRow, reportRow, ueidOf } from "./rows.ts";

const DEVICES = 5_000;

const hash = (number: number) => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number * 2_654_435_761);
  return bytes;
};

async function fleet(store: Store): Promise<void> {
  const numbers = Array.from({ length: DEVICES }, (_, index) => index + 1);
  await store.write(async (tx) => {
    const group = (number: number, count: number) => `${number % count}`;
    const devices = numbers.map((n) =>
      deviceRow(n, {
        owner: group(n, 10),
        site: group(n, 10),
        model: group(n, 10),
        status: group(n, 10),
        epoch: n % 10,
      }),
    );
    await insertRows(tx, "devices", devices);
    await insertRows(
      tx,
      "licenses",
      numbers.map((n) => ({ ...licenseRow(n, 1n), evidence_digest: hash(n) })),
    );
    const reports = numbers.flatMap((n) => [1n, 2n].map((sequence) => reportRow(n, sequence)));
    await insertRows(
      tx,
      "reports",
      reports.map((row, n) => ({ ...row, opening_index: n % 20 === 0 ? 1 : null })),
    );
    const certificate = { public_key: hash(1), measurement: hash(2), bytes: hash(3), added_ms: 1 };
    await insertRows(
      tx,
      "certificates",
      numbers.map((n) => ({ ...certificate, kid: hash(n).slice(0, 8), device_id: n })),
    );
    await insertRows(
      tx,
      "seen_signatures",
      numbers.map((n) => ({ hash: hash(n), expires_ms: n })),
    );
    const token = { name: "", roles: "[]", created_ms: 1, expires_ms: 2, revoked_ms: null };
    await insertRows(
      tx,
      "tokens",
      numbers.map((n) => ({ ...token, id: `${n}`, hash: hash(n) })),
    );
    const entry = { at_ms: 1, actor: "a", action: "b", subject: "c", outcome: "ok", detail: null };
    await insertRows(
      tx,
      "audit",
      numbers.map(() => entry),
    );
    // As autovacuum does: a planner without statistics takes any table for a small one.
    if (store.engine === "postgres")
      for (const table of TABLE_NAMES) await sql`analyze ${sql.table(table)}`.execute(tx);
  });
}

async function planOf({ db, engine }: Store, query: Compilable): Promise<string> {
  const { sql: text, parameters } = query.compile();
  const explain = engine === "sqlite" ? "explain query plan " : "explain ";
  const { rows } = await db.executeQuery({ ...query.compile(), sql: explain + text, parameters });
  return rows.map((row) => Object.values(row as object).at(-1)).join("\n");
}

const page = (column: "owner" | "site" | "model" | "status" | "epoch") => (db: Store["db"]) =>
  db
    .selectFrom("devices")
    .selectAll()
    .where(column, "=", column === "epoch" ? 7 : "7")
    .where("id", ">", 2_000)
    .orderBy("id")
    .limit(20);

const pairs = (...keys: [number, bigint][]) =>
  sql.join(keys.map(([id, sequence]) => sql`(cast(${id} as bigint), cast(${sequence} as bigint))`));

// biome-ignore format: a table, one row a query
const queries: [string, (db: Store["db"]) => Compilable][] = [
  ["a device by its UEID", (db) => db.selectFrom("devices").selectAll().where("ueid", "=", ueidOf(9))],
  ["devices by a list of UEIDs", (db) => db.selectFrom("devices").selectAll().where("ueid", "in", [1, 2, 3].map(ueidOf))],
  ["all devices, page by page", (db) => db.selectFrom("devices").selectAll().where("id", ">", 2_000).orderBy("id").limit(20)],
  ...(["owner", "site", "model", "status", "epoch"] as const).map((column) => [`devices of one ${column}, page by page`, page(column)] as [string, (db: Store["db"]) => Compilable]),
  ["devices that lack an order", (db) => db.selectFrom("devices").select(["id", "ueid"]).where("epoch", "<", 1).orderBy("epoch").orderBy("id").limit(20)],
  ["the certificates of a device", (db) => db.selectFrom("certificates").selectAll().where("device_id", "=", 9)],
  ["a key by its kid", (db) => db.selectFrom("certificates").selectAll().where("kid", "=", hash(9).slice(0, 8))],
  ["a license by device and sequence", (db) => db.selectFrom("licenses").selectAll().where("device_id", "=", 9).where("sequence", "=", 1n)],
  ["licenses by a list of devices and sequences", (db) => db.selectFrom("licenses").selectAll().where(sql<boolean>`(device_id, sequence) in (values ${pairs([9, 1n], [10, 1n])})`)],
  ["the answer to evidence", (db) => db.selectFrom("licenses").selectAll().where("evidence_digest", "=", hash(9))],
  ["answers to a list of evidence", (db) => db.selectFrom("licenses").selectAll().where("evidence_digest", "in", [hash(9), hash(10)])],
  ["a report by device and sequence", (db) => db.selectFrom("reports").selectAll().where("device_id", "=", 9).where("sequence", "=", 2n)],
  ["reports by a list of devices and sequences", (db) => db.selectFrom("reports").selectAll().where(sql<boolean>`(device_id, sequence) in (values ${pairs([9, 1n], [10, 2n])})`)],
  ["the reports of a device, in order", (db) => db.selectFrom("reports").select("bytes").where("device_id", "=", 9).where("sequence", ">", 0n).orderBy("sequence").limit(20)],
  ["openings that a device owes", (db) => db.selectFrom("reports").select(["sequence", "opening_index"]).where("device_id", "=", 9).where("opening_index", "is not", null).where("opened_ms", "is", null).orderBy("sequence")],
  ["a token by its hash", (db) => db.selectFrom("tokens").selectAll().where("hash", "=", hash(9))],
  ["signatures that have expired", (db) => db.selectFrom("seen_signatures").select("hash").where("expires_ms", "<", 20).orderBy("expires_ms").limit(20)],
  ["the newest of the audit trail", (db) => db.selectFrom("audit").selectAll().where("id", "<", 900).orderBy("id", "desc").limit(20)],
];

describe.each(engines)("on $engine, with an index and neither scan nor sort,", ({ place }) => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(place());
    await fleet(store);
  });
  afterAll(() => store.close());

  it.each(queries)("are found: %s", async (_, query) => {
    const plan = await planOf(store, query(store.db));
    expect(plan).toMatch(store.engine === "sqlite" ? /SEARCH \w+ USING/ : /Index (?:Only )?Scan|Bitmap Index Scan/);
    // Values that the query itself brings are scanned and sorted, and no table is.
    const rest = plan.replaceAll(/SCAN \d+ CONSTANT ROWS?|Values Scan|Sort [^\n]*\n\s*Sort Key: "\*VALUES\*"/g, "");
    expect(rest).not.toMatch(/Seq Scan|SCAN|Sort|TEMP B-TREE/);
  });

  it("a query that no index serves is told apart", async () => {
    const scanning = store.db.selectFrom("devices").selectAll().where("seen_ms", "=", 5).orderBy("profile");
    expect(await planOf(store, scanning)).toMatch(/Seq Scan|SCAN/);
  });
});
