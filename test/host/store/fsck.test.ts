/** Nothing is found in a sound store, and whatever is planted in one is found. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { beforeAll, describe, expect, it } from "vitest";
import { StoreError } from "../../../host/store/errors.ts";
import { type Check, type Finding, fsck } from "../../../host/store/fsck.ts";
import { DATABASE_FILE } from "../../../host/store/sqlite/sqlite-store.ts";
import { openStore, type StorePlace } from "../../../host/store/store.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { embedded, engines, withPostgres, withStore } from "./engines.ts";
import { fill } from "./full.ts";

async function findingsIn(place: StorePlace, checks = STRUCTURAL_CHECKS): Promise<Finding[]> {
  return withStore(place, async (store) => {
    const findings: Finding[] = [];
    for await (const finding of fsck(store, checks)) findings.push(finding);
    return findings;
  });
}

async function filled(place: StorePlace, devices = 30): Promise<StorePlace> {
  await withStore(place, (store) => fill(store, devices));
  return place;
}

/** Past everything that keeps a store in order. */
async function plant(place: StorePlace, statement: string): Promise<void> {
  if ("folder" in place) {
    const database = new Database(join(place.folder, DATABASE_FILE));
    database.exec(`PRAGMA foreign_keys = OFF; ${statement}`);
    database.close();
    return;
  }
  await withPostgres((client) =>
    client.query(`set search_path = ${place.schema}; set session_replication_role = replica; ${statement}`),
  );
}

/** Each on rows of its own: all are planted in one store. */
// biome-ignore format: a table, one row a corruption
const planted: [string, string, Partial<Finding>][] = [
  ["a device that is gone", "delete from devices where id = 7", { check: "orphans", table: "endorsements", key: "device_id 7" }],
  ["a license of no device", "update licenses set device_id = 99 where id = 1", { check: "orphans", table: "licenses", key: "id 1" }],
  ["a key of no device", "update certificates set device_id = 99 where device_id = 3", { check: "orphans", table: "certificates", key: "kid 0000000000000003" }],
  ["a verdict on no device", "update verdicts set device_id = 99", { check: "orphans", table: "verdicts", key: "evidence_digest 07" }],
  ["a report that is gone", "delete from reports where device_id = 4 and sequence = 1", { check: "sequences", table: "reports", key: "device_id 4", message: "1 of 1 to 2, up to 2" }],
  ["the newest report gone", "delete from reports where device_id = 9 and sequence = 2", { check: "sequences", table: "reports", key: "device_id 9" }],
  ["all reports gone", "delete from reports where device_id = 10", { check: "sequences", table: "reports", key: "device_id 10", message: "0 of 1 to 2, up to 0" }],
  ["a report of another number", "update reports set sequence = 3 where device_id = 11 and sequence = 2", { check: "sequences", table: "reports", key: "device_id 11" }],
  ["the newest license gone", `delete from licenses where device_id = 5 and sequence = ${2n ** 60n}`, { check: "sequences", table: "licenses", key: "device_id 5" }],
  ["a license beyond the newest", `update licenses set sequence = ${2n ** 60n + 1n} where id = 12`, { check: "sequences", table: "licenses", key: "device_id 6" }],
  ["a device's sequence set back", "update devices set license_sequence = 1 where id = 12", { check: "sequences", table: "licenses", key: "device_id 12" }],
  ["a negative time", "update devices set seen_ms = -1 where id = 2", { check: "numbers", table: "devices", key: "id 2" }],
  ["a time beyond all numbers", `update reports set received_ms = ${2n ** 53n} where id = 2`, { check: "numbers", table: "reports", key: "id 2" }],
  ["a negative sequence", "update licenses set sequence = -1 where id = 3", { check: "numbers", table: "licenses", key: "id 3" }],
  ["a list that is none", "update drafts set approvals = 'A'", { check: "lists", table: "drafts", key: "id 1" }],
  ["roles that are no texts", "update tokens set roles = '[1]'", { check: "lists", table: "tokens", key: "id a" }],
];

describe.each(engines)("a check of the store on $engine", ({ place }) => {
  it("finds nothing in a sound store, empty or full", async () => {
    expect(await findingsIn(place())).toEqual([]);
    expect(await findingsIn(await filled(place(), 300))).toEqual([]);
  });

  let planting: readonly Finding[];
  beforeAll(async () => {
    const where = await filled(place());
    for (const [, statement] of planted) await plant(where, statement);
    planting = await findingsIn(where);
  });

  it.each(planted)("finds %s", (_, __, finding) => {
    expect(planting).toContainEqual(expect.objectContaining(finding));
  });

  it("finds each of very many, a few at a time", async () => {
    const where = await filled(place(), 300);
    await plant(where, "update licenses set device_id = device_id + 100000");
    const found = await findingsIn(where);
    expect(found.filter(({ check, table }) => check === "orphans" && table === "licenses")).toHaveLength(600);
  });

  it("goes on with the next check where one cannot, and says so", async () => {
    const where = await filled(place(), 3);
    await plant(where, `update devices set id = ${2n ** 60n} where id = 2`);
    const found = await findingsIn(where);
    expect(found).toContainEqual(
      expect.objectContaining({ check: "numbers", message: expect.stringContaining("cannot go on") }),
    );
    expect(found).toContainEqual(expect.objectContaining({ check: "orphans", table: "licenses", key: "id 3" }));
  });

  it("takes further checks, and passes on what only a mistake in one can throw", async () => {
    const where = await filled(place(), 3);
    const mine: Check = {
      name: "mine",
      async *run({ db }) {
        for (const { id } of await db.selectFrom("devices").select("id").execute())
          yield { table: "devices", key: `${id}`, message: "no" };
      },
    };
    expect((await findingsIn(where, [mine])).map(({ check, key }) => `${check} ${key}`)).toEqual([
      "mine 1",
      "mine 2",
      "mine 3",
    ]);
    const wrong: Check = {
      name: "wrong",
      async *run() {
        yield* [];
        throw new TypeError("oops");
      },
    };
    await expect(findingsIn(where, [wrong])).rejects.toThrow("oops");
  });

  it("does not take a database that does not answer for one that is damaged", async () => {
    const away: Check = {
      name: "away",
      async *run() {
        yield* [];
        throw new StoreError("store/unavailable");
      },
    };
    await expect(findingsIn(await filled(place(), 3), [away])).rejects.toMatchObject({ code: "store/unavailable" });
  });

  it("sees one state while the store goes on", async () => {
    await withStore(await filled(place()), async (store) => {
      const slow: Check = {
        name: "slow",
        async *run() {
          await store.write((tx) => tx.updateTable("devices").set({ report_sequence: 9n }).execute());
          yield* [];
        },
      };
      const found: Finding[] = [];
      for await (const finding of fsck(store, [slow, ...STRUCTURAL_CHECKS])) found.push(finding);
      expect(found).toEqual([]);
    });
  });
});

describe("a check of the embedded store", () => {
  it.each([
    ["audit", "delete from audit where id = 1", "id 1 to 1"],
    ["licenses", "delete from licenses where id in (5, 6)", "id 5 to 6"],
    ["reports", "delete from reports where id > 58", "id 59 to 60"],
  ])("finds rows of %s that were taken out, at the end too", async (table, statement, key) => {
    const where = await filled(embedded.place());
    await plant(where, statement);
    expect(await findingsIn(where)).toContainEqual({ check: "gaps", table, key, message: "rows are missing" });
  });

  it.each([
    ["an index that is gone", "drop index devices_owner", "it is missing"],
    [
      "an index that is another",
      "drop index devices_owner; create index devices_owner on devices (owner)",
      "it was altered",
    ],
    ["a trigger", "create trigger t after insert on audit begin delete from audit; end", "it is not ours"],
    ["a table", "create table t (a integer)", "it is not ours"],
  ])("finds %s", async (_, statement, message) => {
    const where = await filled(embedded.place());
    await plant(where, statement);
    expect(await findingsIn(where)).toEqual([expect.objectContaining({ check: "schema", message })]);
  });

  it("finds pages that were written over, wherever they are, or is refused at once", async () => {
    const where = embedded.place() as { folder: string };
    await filled(where, 200);
    const path = join(where.folder, DATABASE_FILE);
    const sound = readFileSync(path);
    const pages = sound.length / 4_096;
    expect(pages).toBeGreaterThan(60);
    const missed: number[] = [];
    for (let page = 0; page < pages; page += 1) {
      const bytes = Buffer.from(sound);
      bytes.fill(0xa5, page * 4_096, (page + 1) * 4_096);
      writeFileSync(path, bytes);
      const found = await findingsIn(where).catch((error: unknown) => {
        if (error instanceof StoreError) return [error.code];
        throw error;
      });
      if (found.length === 0) missed.push(page);
    }
    expect(missed).toEqual([]);
  });

  it("is refused where the file is none of SQLite's", async () => {
    const where = embedded.place() as { folder: string };
    writeFileSync(join(where.folder, DATABASE_FILE), Buffer.alloc(10_000, 65));
    await expect(openStore(where)).rejects.toMatchObject({ code: "store/corrupt" });
  });
});
