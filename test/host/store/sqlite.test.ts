/** What only the embedded engine has: how it is set, what it leaves in its folder, and a main thread that is not held up. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { openStore, type Tables } from "../../../host/store/store.ts";
import { newFolder, withStore } from "./engines.ts";
import { insertDevice } from "./rows.ts";

async function pragma(db: Kysely<Tables>, name: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(db);
  return Object.values(rows[0]!)[0];
}

describe("the embedded store", () => {
  it("waits for the disk at each commit, and checks references", async () => {
    await withStore({ folder: newFolder() }, async (store) => {
      await store.write(async (tx) => {
        expect(await pragma(tx, "journal_mode")).toBe("wal");
        // 2 is FULL.
        expect(await pragma(tx, "synchronous")).toBe(2);
        expect(await pragma(tx, "foreign_keys")).toBe(1);
      });
      expect(await pragma(store.db, "query_only")).toBe(1);
    });
  });

  it("leaves its work to the event loop while a commit waits for the disk", async () => {
    await withStore({ folder: newFolder() }, async (store) => {
      let turns = 0;
      let isOver = false;
      const count = () => {
        turns += 1;
        if (!isOver) setImmediate(count);
      };
      await store.write(async (tx) => {
        for (let number = 0; number < 2_000; number += 1)
          await insertDevice(tx, number, { state: new Uint8Array(4_000) });
        // From here on there is only the commit.
        count();
      });
      isOver = true;
      expect(turns).toBeGreaterThan(2);
    });
  });

  it("leaves one file and its lock when it is closed, all of it in the file, for its owner alone", async () => {
    const folder = join(newFolder(), "store");
    const store = await openStore({ folder });
    await store.write((tx) => insertDevice(tx, 1, { state: new Uint8Array(200_000) }));
    await store.close();
    const files = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size] as const);
    const sizes = new Map(files);
    expect(sizes.get("verifier.db")).toBeGreaterThan(200_000);
    expect(sizes.get("verifier.db-wal") ?? 0).toBe(0);
    expect([...sizes.keys()].filter((name) => !name.startsWith("verifier.db"))).toEqual(["lock"]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each([
    ["a file", (place: string) => join(place, "verifier.db", "x")],
    ["a path that cannot be made", () => "/proc/quiesce-no-such-folder"],
  ])("says that %s is no folder for it", async (_, of) => {
    const place = newFolder();
    await withStore({ folder: place }, async () => {});
    await expect(openStore({ folder: of(place) })).rejects.toMatchObject({ code: "store/folder" });
  });
});
