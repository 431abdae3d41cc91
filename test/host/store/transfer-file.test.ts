/** Exports as files: whole or not there, and for their owner's eyes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { countRows } from "../../../host/store/row-counts.ts";
import { exportStore } from "../../../host/store/transfer.ts";
import { exportToFile, importFromFile } from "../../../host/store/transfer-file.ts";
import { embedded, newFolder, withStore } from "./engines.ts";
import { fill } from "./full.ts";

const heard = () => {
  const values: number[] = [];
  return { values, hear: (value: number) => void values.push(value) };
};

describe("an export in a file", () => {
  it("is the export, tells how far it is, and gives back the store", async () => {
    const file = join(newFolder(), "store.jsonl");
    const [out, back] = [heard(), heard()];
    const { text, size, rows } = await withStore(embedded.place(), async (store) => {
      await fill(store, 300);
      const size = await exportToFile(store, file, out.hear);
      let text = "";
      for await (const lines of exportStore(store)) text += lines;
      return { text, size, rows: await countRows(store) };
    });
    expect(readFileSync(file, "utf8")).toBe(text);
    // Two rows of `meta` are every store's own.
    expect(size).toEqual({ rows: rows - 2, bytes: Buffer.byteLength(text) });
    expect(out.values.length).toBeGreaterThan(10);
    expect(out.values).toEqual([...out.values].sort((a, b) => a - b));
    expect(out.values.at(-1)).toBe(size.rows);
    await withStore(embedded.place(), async (store) => {
      expect(await importFromFile(store, file, back.hear)).toEqual({ rows: size.rows });
      expect(await countRows(store)).toBe(rows);
    });
    expect(back.values.at(-1)).toBe(size.bytes);
  });

  it.skipIf(process.platform === "win32")("can be read by its owner alone", async () => {
    const file = join(newFolder(), "store.jsonl");
    await withStore(embedded.place(), (store) => exportToFile(store, file, () => {}));
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it("overwrites nothing but what is left of one that was killed", async () => {
    const file = join(newFolder(), "store.jsonl");
    writeFileSync(`${file}.part`, "half");
    await withStore(embedded.place(), async (store) => {
      await exportToFile(store, file, () => {});
      await expect(exportToFile(store, file, () => {})).rejects.toMatchObject({ code: "store/not-empty" });
    });
    expect(readdirSync(join(file, ".."))).toEqual([basename(file)]);
  });

  it("is not there where it cannot be written, and takes nothing else for one", async () => {
    const folder = newFolder();
    const blocked = join(folder, "store.jsonl");
    mkdirSync(join(`${blocked}.part`, "something"), { recursive: true });
    await withStore(embedded.place(), async (store) => {
      await expect(exportToFile(store, blocked, () => {})).rejects.toMatchObject({ code: "store/folder" });
      expect(existsSync(blocked)).toBe(false);
      for (const path of [folder, join(folder, "none")]) {
        await expect(importFromFile(store, path, () => {})).rejects.toMatchObject({ code: "store/folder" });
      }
    });
  });
});
