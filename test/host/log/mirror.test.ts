/** A mirror's folder: what is in it, what is read from it, and what is left when writing ends anywhere in the middle. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fsck } from "../../../host/log/fsck.ts";
import { Mirror } from "../../../host/log/mirror.ts";
import { Monitor } from "../../../host/log/monitor.ts";
import { FolderSource } from "../../../host/log/source.ts";
import { commitmentEntry, KEYS, licenseEntry, T0, TestLog } from "./log.ts";
import { flipped, logCodeOf } from "./tree.ts";

const folders: string[] = [];
let small: TestLog;
let large: TestLog;
let smallFolder: string;
let largeFolder: string;

function folderFor(): string {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-mirror-"));
  folders.push(folder);
  return folder;
}

async function follow(served: string, folder: string): Promise<void> {
  await (await Monitor.open({ source: new FolderSource(served), folder, keys: KEYS })).follow();
}

beforeAll(async () => {
  [smallFolder, largeFolder] = [folderFor(), folderFor()];
  small = new TestLog();
  await small.append(licenseEntry(1), ...Array.from({ length: 200 }, (_, i) => commitmentEntry(i, i)));
  await small.sign(T0);
  await small.writeTo(smallFolder);
  large = await small.fork(small.size);
  await large.append(...Array.from({ length: 100 }, (_, i) => commitmentEntry(i, i)));
  await large.sign(T0 + 1);
  await large.writeTo(largeFolder);
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe("a mirror", () => {
  it("has the log's files, to the byte", async () => {
    const folder = folderFor();
    await follow(smallFolder, folder);
    await follow(largeFolder, folder);
    for (const path of large.paths()) {
      expect(readFileSync(join(folder, path)), path).toEqual(readFileSync(join(largeFolder, path)));
    }
    expect(readdirSync(join(folder, "checkpoints")).sort()).toEqual(["202.first", "303.first"]);
  });

  it("gives any run of leaves, and none that is not the tree's", async () => {
    const folder = folderFor();
    await follow(largeFolder, folder);
    const mirror = await Mirror.open(folder, KEYS);
    for (const [begin, end] of [
      [0, 303],
      [0, 0],
      [255, 257],
      [256, 303],
      [302, 303],
      [10, 11],
    ] as const) {
      const leaves: [number, Uint8Array][] = [];
      for await (const { index, bytes } of mirror.leaves(begin, end)) leaves.push([index, bytes]);
      expect(leaves).toEqual(large.entries.slice(begin, end).map((bytes, at) => [begin + at, bytes]));
    }
    const file = join(folder, "tile/entries/001.p/47");
    writeFileSync(file, flipped(readFileSync(file), 800));
    const all = async () => {
      for await (const _ of mirror.leaves());
    };
    expect(await logCodeOf(all)).toBe("log/mirror");
    writeFileSync(join(folder, "checkpoint"), small.note);
    expect(await logCodeOf(() => Mirror.open(folder, KEYS))).toBeUndefined();
    writeFileSync(join(folder, "tile/0/000"), flipped(readFileSync(join(folder, "tile/0/000")), 9));
    rmSync(join(folder, "tile/0/000.p"), { recursive: true, force: true });
    expect(await logCodeOf(() => Mirror.open(folder, KEYS))).toBe("log/mirror");
  });

  it("stays whole where writing ends before any of its files", async () => {
    const paths = [...large.paths(), "checkpoints/303.first"];
    expect(paths.length).toBe(7);
    for (const path of paths) {
      const folder = folderFor();
      await follow(smallFolder, folder);
      // A folder in the place of the file that is being written: the write fails, as on a disk that is gone.
      const obstacle = join(folder, `${path}.new`);
      mkdirSync(dirname(obstacle), { recursive: true });
      mkdirSync(obstacle);
      await expect(follow(largeFolder, folder), path).rejects.toThrow("EISDIR");
      rmSync(obstacle, { recursive: true });
      const between = await fsck({ folder, keys: KEYS });
      expect([path, between.broken, between.entries]).toEqual([path, undefined, small.size]);
      await follow(largeFolder, folder);
      const after = await fsck({ folder, keys: KEYS });
      expect([path, after.broken, after.entries]).toEqual([path, undefined, large.size]);
    }
  });
});
