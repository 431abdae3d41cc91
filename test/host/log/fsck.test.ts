/** Fsck of a mirror: every kind of broken byte is found, and by its place. */
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeEntry } from "../../../host/log/entry.ts";
import { fsck } from "../../../host/log/fsck.ts";
import { leafHash } from "../../../host/log/merkle.ts";
import { Mirror } from "../../../host/log/mirror.ts";
import { Monitor } from "../../../host/log/monitor.ts";
import { FolderSource } from "../../../host/log/source.ts";
import { commitmentEntry, KEYS, licenseEntry, T0, TestLog } from "./log.ts";
import { flipped, logCodeOf } from "./tree.ts";

let log: TestLog;
let served: string;
let good: string;
const folders: string[] = [];

function folderFor(): string {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-fsck-"));
  folders.push(folder);
  return folder;
}

beforeAll(async () => {
  log = new TestLog();
  [served, good] = [folderFor(), folderFor()];
  for (const [round, count] of [5, 200, 300].entries()) {
    await log.append(licenseEntry(round), ...Array.from({ length: count }, (_, i) => commitmentEntry(i % 50, i)));
    await log.sign(T0 + round);
    await log.writeTo(served);
    const monitor = await Monitor.open({ source: new FolderSource(served), folder: good, keys: KEYS });
    await monitor.follow();
  }
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A note with another letter in the log's signature. */
function resigned(note: Uint8Array): Uint8Array {
  const text = Buffer.from(note).toString("utf8");
  const other = text.replace(
    /(— log\.example\/one .{20})(.)/u,
    (_, head, letter) => head + (letter === "A" ? "B" : "A"),
  );
  return new Uint8Array(Buffer.from(other));
}

/** What fsck says of a copy in which one file was changed; undefined removes it. */
async function brokenBy(path: string, change: (bytes: Uint8Array) => Uint8Array | undefined) {
  const folder = folderFor();
  cpSync(good, folder, { recursive: true });
  const bytes = change(new Uint8Array(readFileSync(join(folder, path))));
  if (bytes) writeFileSync(join(folder, path), bytes);
  else unlinkSync(join(folder, path));
  return fsck({ folder, keys: KEYS });
}

describe("a mirror as it was written", () => {
  it("is good, and counted", async () => {
    const progress: number[] = [];
    const result = await fsck({ folder: good, keys: KEYS, onProgress: (done) => progress.push(done) });
    expect(result).toMatchObject({ entries: 511, indexEntries: 3, subjects: 50, tiles: 3, checkpoints: 3 });
    expect(result.broken).toBeUndefined();
    expect(result.checkpoint!.note).toBe(log.note);
    expect(progress).toEqual([256, 511]);
  });
});

describe("a broken byte", () => {
  const cases: [
    what: string,
    path: string,
    change: (b: Uint8Array) => Uint8Array | undefined,
    code: string,
    at?: string,
  ][] = [
    ["of the head's size", "checkpoint", (b) => flipped(b, 8 * 18), "log/signature"],
    ["of the head's signature", "checkpoint", resigned, "log/signature"],
    ["the head", "checkpoint", () => undefined, "log/source"],
    ["of a leaf's hash", "tile/0/000", (b) => flipped(b, 9), "log/tile", "leaf 0 is not"],
    [
      "of a leaf's hash in a partial tile",
      "tile/0/001.p/255",
      (b) => flipped(b, 8 * 33),
      "log/tile",
      "leaf 257 is not",
    ],
    ["a tile that is short", "tile/0/001.p/255", (b) => b.slice(0, -1), "log/tile"],
    ["a tile", "tile/0/000", () => undefined, "log/source"],
    ["of a hash above", "tile/1/000.p/1", (b) => flipped(b, 200), "log/tile", "the level below"],
    ["of an entry", "tile/entries/000", (b) => flipped(b, 8 * 300), "log/tile", "entry 0 is not"],
    ["of an entry at the end", "tile/entries/001.p/255", (b) => flipped(b, 8 * b.length - 1), "log/tile", "entry 510"],
    ["of an entry's length", "tile/entries/001.p/255", (b) => flipped(b, 15), "log/tile"],
    ["a bundle", "tile/entries/001.p/255", () => undefined, "log/source"],
    ["of an older head", "checkpoints/209.first", (b) => flipped(b, 8 * 20), "log/signature"],
  ];

  it.each(cases)("%s is found in %s", async (_, path, change, code, message) => {
    const { broken } = await brokenBy(path, change);
    expect(broken).toMatchObject({ path, code });
    if (message) expect(broken!.message).toContain(message);
  });

  it("anywhere is found, in its own file", async () => {
    const paths = ["checkpoint", "tile/0/000", "tile/0/001.p/255", "tile/1/000.p/1", "tile/entries/000"];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), async (path, at) => {
        const { broken, checkpoint } = await brokenBy(path, (bytes) => flipped(bytes, at % (8 * bytes.length)));
        // A name or an id in a signature line that is none of a known key makes it a stranger's, which is ignored.
        if (path === "checkpoint" && !broken) expect(checkpoint!.cosignatures.length).toBeLessThan(3);
        else expect(broken?.path).toBe(path);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a mirror that fits itself, and no log", () => {
  it("is found by the head that the log signed", async () => {
    const folder = folderFor();
    const other = new TestLog();
    await other.append(licenseEntry(9), ...Array.from({ length: log.size - 2 }, (_, i) => commitmentEntry(i % 50, i)));
    await other.writeTo(folder);
    copyFileSync(join(good, "checkpoint"), join(folder, "checkpoint"));
    const { broken } = await fsck({ folder, keys: KEYS });
    expect(broken).toMatchObject({ path: "checkpoint", code: "log/mirror" });
    expect(await logCodeOf(() => Mirror.open(folder, KEYS))).toBe("log/mirror");
  });

  it("with entry and leaf changed alike is found at the entry", async () => {
    const folder = folderFor();
    cpSync(good, folder, { recursive: true });
    const fork = await log.fork(511);
    fork.entries[300] = encodeEntry(licenseEntry(33));
    const remade = new TestLog();
    for (const entry of fork.entries) remade.entries.push(entry);
    await remade.tree.append(remade.entries.map(leafHash));
    for (const path of ["tile/entries/001.p/255", "tile/0/001.p/255"]) {
      writeFileSync(join(folder, path), (await remade.file(path))!);
    }
    const { broken } = await fsck({ folder, keys: KEYS });
    expect(broken).toMatchObject({ path: "checkpoint", code: "log/mirror" });
  });
});

describe("a log that is wrong from its beginning", () => {
  it("has an index entry that is not of its entries, or none at the end, or a head that is of another tree", async () => {
    const wrong = new TestLog();
    const before = wrong.index;
    await wrong.appendRaw([encodeEntry(licenseEntry(1))]);
    wrong.index = before;
    await wrong.append();
    await wrong.sign(T0);
    let folder = folderFor();
    await wrong.writeTo(folder);
    expect((await fsck({ folder, keys: KEYS })).broken).toMatchObject({
      path: "tile/entries/000.p/2",
      code: "log/index-root",
    });

    const open = new TestLog();
    await open.appendRaw([encodeEntry(licenseEntry(1))]);
    await open.sign(T0);
    folder = folderFor();
    await open.writeTo(folder);
    expect((await fsck({ folder, keys: KEYS })).broken).toMatchObject({ code: "log/index-entry" });

    folder = folderFor();
    cpSync(good, folder, { recursive: true });
    const fork = new TestLog();
    await fork.append(licenseEntry(1));
    writeFileSync(join(folder, "checkpoints/002.first"), await fork.sign(T0));
    expect((await fsck({ folder, keys: KEYS })).broken).toMatchObject({
      path: "checkpoints/002.first",
      code: "log/consistency",
    });
  });
});
