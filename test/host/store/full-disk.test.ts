/** The embedded store on a disk that is full: it says so, keeps nothing of what failed, and goes on when there is room. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { StoreError } from "../../../host/store/errors.ts";
import { fsck } from "../../../host/store/fsck.ts";
import type { Store } from "../../../host/store/store.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { newFolder, withStore } from "./engines.ts";
import { insertDevice } from "./rows.ts";

const DEVICES = 5;

const countIn = async ({ db }: Store) => (await db.selectFrom("devices").select("id").execute()).length;

/** Commits until the disk is full; gives how many devices are durable. */
async function fillUp(store: Store, first: number): Promise<number> {
  for (let number = first; ; number += DEVICES) {
    try {
      await store.write(async (tx) => {
        for (let n = 0; n < DEVICES; n += 1)
          await insertDevice(tx, number + n, { state: new Uint8Array(2_000).fill(n) });
      });
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "store/full") throw error;
      return number;
    }
  }
}

async function expectSound(store: Store, devices: number): Promise<void> {
  expect(await countIn(store)).toBe(devices);
  for await (const finding of fsck(store, STRUCTURAL_CHECKS)) expect.fail(JSON.stringify(finding));
}

describe("the embedded store, when there is no room left", () => {
  it("keeps what it said was durable, nothing else, and goes on when there is room", async () => {
    const folder = newFolder();
    const setPages = (store: Store, pages: number) =>
      store.write((tx) => sql`pragma max_page_count = ${sql.lit(pages)}`.execute(tx));
    const durable = await withStore({ folder }, async (store) => {
      await setPages(store, 120);
      const full = await fillUp(store, 0);
      expect(full).toBeGreaterThan(50);
      // It stays full for what needs room, and works for what does not.
      expect(await fillUp(store, full)).toBe(full);
      await store.write((tx) => tx.updateTable("devices").set({ seen_ms: 9 }).where("id", "=", 1).execute());
      await expectSound(store, full);
      await setPages(store, 220);
      const more = await fillUp(store, full);
      expect(more).toBeGreaterThan(full);
      return more;
    });
    await withStore({ folder }, (store) => expectSound(store, durable));
  });

  it("is so on a real file system that is full", async ({ skip }) => {
    const mount = newFolder();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mount], { stdio: "ignore" });
    } catch {
      process.stderr.write("no file system can be mounted here: a disk that is really full was not tried\n");
      skip();
    }
    try {
      const folder = join(mount, "store");
      const ballast = join(mount, "ballast");
      mkdirSync(folder);
      writeFileSync(ballast, new Uint8Array(2 ** 20));
      const durable = await withStore({ folder }, async (store) => {
        const full = await fillUp(store, 0);
        expect(full).toBeGreaterThan(50);
        await expectSound(store, full);
        rmSync(ballast);
        const more = await fillUp(store, full);
        expect(more).toBeGreaterThan(full);
        return more;
      });
      // Opening and reading need room too: as much as was ever there.
      await withStore({ folder }, (store) => expectSound(store, durable));
    } finally {
      if (existsSync(mount)) execFileSync("umount", ["-l", mount], { stdio: "ignore" });
    }
  });
});
