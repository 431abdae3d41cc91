/** A backup of the embedded store holds one state, and what is restored is that state or nothing. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { restoredOf } from "../../../host/store/restored.ts";
import { backupFolder, manifestPath, restoreFolder } from "../../../host/store/sqlite/backup.ts";
import { openStore, type Store } from "../../../host/store/store.ts";
import { exportStore } from "../../../host/store/transfer.ts";
import { newFolder, withStore } from "./engines.ts";
import { fill } from "./full.ts";
import { insertDevice, licenseRow } from "./rows.ts";

async function textOf(store: Store): Promise<string> {
  let text = "";
  for await (const lines of exportStore(store)) text += lines;
  return text;
}

async function filled(devices = 20) {
  const folder = newFolder();
  const text = await withStore({ folder }, async (store) => {
    await fill(store, devices);
    return textOf(store);
  });
  return { folder, text, file: join(newFolder(), "it's a backup.db") };
}

const withoutMark = (text: string) => text.replace(/\["restored".*?\n/, "").replace(/\{"end".*/, "");

describe("a backup", () => {
  it("gives back every row, and marks that newer ones may be missing", async () => {
    const { folder, text, file } = await filled();
    const manifest = await backupFolder(folder, file, 1_000);
    expect(manifest).toMatchObject({ createdMs: 1_000, rows: { devices: 20, licenses: 40 } });
    const target = join(newFolder(), "new");
    await restoreFolder(file, target, 2_000);
    await withStore({ folder: target }, async (store) => {
      expect(withoutMark(await textOf(store))).toBe(withoutMark(text));
      expect(await restoredOf(store.db)).toEqual({ backupMs: 1_000, restoredMs: 2_000 });
    });
  });

  it("that never was restored has no mark, and a mark that cannot be read is none", async () => {
    await withStore({ folder: newFolder() }, async (store) => {
      expect(await restoredOf(store.db)).toBeUndefined();
      for (const text of ["", "null", '{"backupMs":1}']) {
        const value = Buffer.from(text);
        await store.write(async (tx) => {
          await tx.deleteFrom("meta").where("key", "=", "restored").execute();
          await tx.insertInto("meta").values({ key: "restored", value }).execute();
        });
        await expect(restoredOf(store.db)).rejects.toMatchObject({ code: "store/corrupt" });
      }
    });
  });

  it("is of one state, taken while the store goes on writing", async () => {
    const { folder, file } = await filled(200);
    await withStore({ folder }, async (store) => {
      let isDone = false;
      const backup = backupFolder(folder, file, 1).finally(() => {
        isDone = true;
      });
      let sequence = 1n;
      while (!isDone) {
        const number = 1_000 + Number(sequence);
        // Two rows that belong together.
        await store.write(async (tx) => {
          const id = await insertDevice(tx, number, { license_sequence: sequence });
          await tx.insertInto("licenses").values(licenseRow(id, sequence)).execute();
        });
        sequence += 1n;
      }
      const { rows } = await backup;
      expect(sequence).toBeGreaterThan(1n);
      expect(rows.licenses! - 400).toBe(rows.devices! - 200);
    });
  });

  it("leaves the lock of the verifier that goes on where it is", async () => {
    const { folder, file } = await filled();
    await withStore({ folder }, async () => {
      await backupFolder(folder, file, 1);
      await expect(openStore({ folder })).rejects.toMatchObject({ code: "store/locked" });
    });
  });

  it("overwrites nothing, and takes no folder without a store for one", async () => {
    const { folder, file } = await filled();
    await backupFolder(folder, file, 1);
    await expect(backupFolder(folder, file, 1)).rejects.toMatchObject({ code: "store/not-empty" });
    await expect(restoreFolder(file, folder, 1)).rejects.toMatchObject({ code: "store/not-empty" });
    const empty = newFolder();
    await expect(backupFolder(empty, `${file}2`, 1)).rejects.toMatchObject({ code: "store/missing" });
    expect(readdirSync(empty)).toEqual([]);
  });

  it("leaves nothing half done where it cannot be written", async () => {
    const { folder } = await filled();
    const missing = join(newFolder(), "missing", "backup.db");
    await expect(backupFolder(folder, missing, 1)).rejects.toMatchObject({ code: "store/folder" });
    const blocked = join(newFolder(), "backup.db");
    mkdirSync(join(`${blocked}.part`, "something"), { recursive: true });
    await expect(backupFolder(folder, blocked, 1)).rejects.toMatchObject({ code: "store/folder" });
    expect(existsSync(blocked)).toBe(false);
    expect(existsSync(manifestPath(blocked))).toBe(false);
  });

  it.skipIf(process.platform === "win32")("can be read by its owner alone, as the store itself can", async () => {
    const { folder, file } = await filled(1);
    await backupFolder(folder, file, 1);
    for (const path of [file, manifestPath(file)]) expect(statSync(path).mode & 0o077, path).toBe(0);
  });

  it("starts over where one was killed half way", async () => {
    const { folder, file } = await filled();
    writeFileSync(`${file}.part`, "half");
    await backupFolder(folder, file, 1);
    expect(readdirSync(join(file, ".."))).toEqual([file, manifestPath(file)].map((path) => basename(path)));
  });

  const alter = (path: string, change: (text: string) => string) =>
    writeFileSync(path, change(readFileSync(path, "utf8")));
  const damages: [string, (file: string) => void][] = [
    [
      "one bit of it flipped",
      (file) => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(file, bytes);
      },
    ],
    ["its end cut off", (file) => truncateSync(file, 8_192)],
    ["no manifest", (file) => rmSync(manifestPath(file))],
    ["a manifest that is no JSON", (file) => writeFileSync(manifestPath(file), "{")],
    ["a manifest of nothing", (file) => writeFileSync(manifestPath(file), "null")],
    [
      "a manifest of another format",
      (file) => alter(manifestPath(file), (text) => text.replace("backup/1", "backup/2")),
    ],
    [
      "a manifest with other rows",
      (file) => alter(manifestPath(file), (text) => text.replace('"devices": 20', '"devices": 21')),
    ],
    [
      "another file's digest",
      (file) => alter(manifestPath(file), (text) => text.replace(/[0-9a-f]{64}/, "0".repeat(64))),
    ],
  ];
  it.each(damages)("with %s is refused, and the folder stays empty", async (_, damage) => {
    const { folder, file } = await filled();
    await backupFolder(folder, file, 1);
    damage(file);
    const target = newFolder();
    await expect(restoreFolder(file, target, 1)).rejects.toMatchObject({ code: "store/copy" });
    expect(readdirSync(target)).toEqual([]);
  });
});
