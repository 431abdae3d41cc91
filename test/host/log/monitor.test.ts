/** A monitor against logs that are honest, forked, rolled back, damaged, or hide what they have. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { encodeEntry } from "../../../host/log/entry.ts";
import { logKeys } from "../../../host/log/log-keys.ts";
import { Mirror } from "../../../host/log/mirror.ts";
import { Monitor } from "../../../host/log/monitor.ts";
import { HttpSource } from "../../../host/log/source.ts";
import {
  formatSplitView,
  parseSplitView,
  type SplitEvidence,
  SplitView,
  verifySplitView,
} from "../../../host/log/split-view.ts";
import { logPair } from "./keys.ts";
import { commitmentEntry, KEYS, LOG, licenseEntry, serveLog, T0, TestLog, WITNESSES } from "./log.ts";
import { flipped, logCodeOf } from "./tree.ts";

let log: TestLog;
let folder: string;
let served: Awaited<ReturnType<typeof serveLog>>;
let source: HttpSource;

beforeEach(async () => {
  log = new TestLog();
  folder = mkdtempSync(join(tmpdir(), "quiesce-monitor-"));
  served = await serveLog(() => log);
  source = new HttpSource({ url: served.url });
});

afterEach(async () => {
  await source.close();
  await served.close();
  rmSync(folder, { recursive: true });
});

const open = (keys = KEYS) => Monitor.open({ source, folder, keys });
const many = (count: number, from = 0) => Array.from({ length: count }, (_, i) => commitmentEntry((from + i) % 250, i));

async function splitOf(act: () => Promise<unknown>): Promise<SplitEvidence> {
  try {
    await act();
  } catch (error) {
    if (error instanceof SplitView) return error.evidence;
    throw error;
  }
  throw new Error("no split view");
}

describe("an honest log", () => {
  it("is followed head by head, and a mirror opened again goes on where it was", async () => {
    let monitor = await open();
    for (const [round, count] of [1, 3, 250, 1, 300, 2].entries()) {
      const oldSize = log.size;
      await log.append(...many(count, round));
      await log.sign(T0 + round);
      const followed = await monitor.follow();
      expect(followed).toMatchObject({ oldSize, cosigned: true, subjects: log.index.count });
      expect(followed.checkpoint.size).toBe(log.size);
      if (round % 2 === 0) monitor = await open();
    }
    const mirror = await Mirror.open(folder, KEYS);
    const kept: Uint8Array[] = [];
    for await (const { bytes } of mirror.leaves()) kept.push(bytes);
    expect(kept).toEqual(log.entries);
  });

  it("is asked for nothing twice that is complete", async () => {
    await log.append(...many(520));
    await log.sign(T0);
    const monitor = await open();
    await monitor.follow();
    served.asked.length = 0;
    await log.append(...many(3));
    await log.sign(T0 + 1);
    await monitor.follow();
    expect(served.asked.filter((path) => /^tile\/(?:0|entries)\/00[01]$/.test(path))).toEqual([]);
    served.asked.length = 0;
    await monitor.follow();
    expect(served.asked).toEqual(["checkpoint"]);
  });

  it("leaves no partial tile behind where the full one has come", async () => {
    const monitor = await open();
    for (const count of [100, 100, 100]) {
      await log.append(...many(count));
      await log.sign(T0);
      await monitor.follow();
    }
    expect(readdirSync(join(folder, "tile/0")).sort()).toEqual(["000", "001.p"]);
    expect(readdirSync(join(folder, "tile/entries")).sort()).toEqual(["000", "001.p"]);
  });

  it("may be cosigned by too few: that is told, and not kept for proofs", async () => {
    await log.append(licenseEntry(1));
    await log.sign(T0, 1);
    const monitor = await open();
    expect(await monitor.follow()).toMatchObject({ cosigned: false });
    const history = async () => {
      const notes: string[] = [];
      for await (const { note } of (await Mirror.open(folder, KEYS)).history()) notes.push(note);
      return notes;
    };
    expect(await history()).toEqual([]);
    // One witness more, at the same time; then fewer again, which is less than what is kept.
    await log.sign(T0, 2);
    await monitor.follow();
    const [first] = await history();
    expect([first, (await history()).length]).toEqual([log.note, 1]);
    await log.sign(T0 + 9, 1);
    await monitor.follow();
    expect((await Mirror.open(folder, KEYS)).head!.note).toBe(first);
    const notes = [await log.sign(T0 + 1), await log.sign(T0 + 2), await log.sign(T0 + 3)];
    for (const note of notes) {
      log.note = note;
      expect(await monitor.follow()).toMatchObject({ cosigned: true });
    }
    expect(await history()).toEqual([first, notes[2]]);
  });

  it("that is empty is one to wait for", async () => {
    await log.sign(T0);
    const monitor = await open();
    expect(await monitor.follow()).toMatchObject({ oldSize: 0, subjects: 0 });
    expect(monitor.head).toBeUndefined();
  });
});

describe("two heads of one size", () => {
  it("are found, and show it to whoever has the log's key", async () => {
    await log.append(licenseEntry(1));
    const first = await log.sign(T0);
    const monitor = await open();
    await monitor.follow();
    const fork = new TestLog();
    await fork.append(licenseEntry(2));
    const second = await fork.sign(T0 + 1);
    log = fork;
    const evidence = await splitOf(() => monitor.follow());
    expect(evidence).toEqual({ first, second });
    expect(verifySplitView(evidence, LOG.key)).toEqual([2, 2]);
    expect(parseSplitView(formatSplitView(evidence))).toEqual(evidence);
    // It stays found, and the mirror what it was.
    expect(await logCodeOf(() => monitor.follow())).toBe("log/split-view");
    expect((await Mirror.open(folder, KEYS)).head!.note).toBe(first);
  });
});

describe("a forked log", () => {
  it.each([
    ["larger", 300, 310],
    ["smaller", 310, 300],
  ])("with a %s head is found, with a proof of the root that the other tree has there", async (_, seen, shown) => {
    await log.append(...many(200));
    const fork = await log.fork(200);
    await log.append(...many(seen - 202, 3));
    await log.sign(T0);
    await fork.append(...many(shown - 201, 7));
    await fork.sign(T0 + 1);
    const monitor = await open();
    await monitor.follow();
    const [mine, theirs] = [log.note, fork.note];
    log = fork;
    const evidence = await splitOf(() => monitor.follow());
    expect([evidence.first, evidence.second]).toEqual(seen < shown ? [mine, theirs] : [theirs, mine]);
    expect(verifySplitView(evidence, LOG.key)).toEqual([300, 310]);
    const read = parseSplitView(formatSplitView(evidence));
    expect(verifySplitView(read, LOG.key)).toEqual([300, 310]);
    // Evidence that is changed shows nothing.
    const proof = read.proof!;
    const changed: SplitEvidence[] = [
      { ...read, proof: undefined },
      { ...read, proof: proof.with(0, flipped(proof[0]!, 9)) },
      { ...read, proof: proof.slice(1) },
      { ...read, proof: [...proof, proof[0]!] },
      { first: read.first, second: read.first },
    ];
    for (const one of changed) expect(await logCodeOf(() => verifySplitView(one, LOG.key))).toBe("log/consistency");
    expect(await logCodeOf(() => verifySplitView(read, logPair(LOG.key.name, 9).key))).toBe("log/signature");
  });
});

describe("split views as files", () => {
  it("are refused in any other form", async () => {
    const good = { code: "log/split-view", first: "a", second: "b" };
    for (const text of [
      "",
      "null",
      "[]",
      JSON.stringify({ ...good, code: "other" }),
      JSON.stringify({ ...good, second: 1 }),
      JSON.stringify({ ...good, proof: null }),
      JSON.stringify({ ...good, proof: ["AA=="] }),
      JSON.stringify({ ...good, proof: [1] }),
      JSON.stringify({ ...good, proof: Array(56).fill(Buffer.alloc(32).toString("base64")) }),
      " ".repeat(600_000),
    ]) {
      expect(await logCodeOf(() => parseSplitView(text))).toBe("log/proof-malformed");
    }
  });
});

describe("a log that was rolled back", () => {
  it("is told from one that is forked: its head is older, and of the same tree", async () => {
    await log.append(licenseEntry(1));
    const older = await log.fork(log.size);
    await older.sign(T0);
    await log.append(licenseEntry(2));
    await log.sign(T0 + 1);
    const monitor = await open();
    await monitor.follow();
    log = older;
    expect(await logCodeOf(() => monitor.follow())).toBe("log/rolled-back");
    log = new TestLog();
    await log.sign(T0 + 2);
    expect(await logCodeOf(() => monitor.follow())).toBe("log/rolled-back");
    expect(monitor.head!.size).toBe(4);
  });
});

describe("files that are not those of the head", () => {
  const cases: [path: string, change: (bytes: Uint8Array) => Uint8Array | undefined, code: string][] = [
    ["tile/0/001.p/45", (bytes) => flipped(bytes, 12), "log/tile"],
    ["tile/0/000", (bytes) => flipped(bytes, 8 * 4000), "log/tile"],
    ["tile/1/000.p/1", (bytes) => flipped(bytes, 77), "log/tile"],
    ["tile/0/000", (bytes) => bytes.slice(1), "log/tile"],
    ["tile/0/001.p/45", () => undefined, "log/source"],
    ["tile/entries/000", (bytes) => flipped(bytes, 8 * 500 + 3), "log/tile"],
    ["tile/entries/001.p/45", (bytes) => flipped(bytes, 8 * bytes.length - 1), "log/tile"],
    ["tile/entries/001.p/45", (bytes) => bytes.slice(0, -1), "log/tile"],
    ["tile/entries/001.p/45", () => undefined, "log/source"],
    ["checkpoint", () => undefined, "log/source"],
    ["checkpoint", (bytes) => flipped(bytes, 8 * 30), "log/signature"],
  ];

  it.each(cases)("%s", async (path, change, code) => {
    await log.append(...many(200));
    await log.sign(T0);
    const monitor = await open();
    await monitor.follow();
    await log.append(...many(99));
    await log.sign(T0 + 1);
    expect(log.size).toBe(301);
    log.changed.set(path, change);
    // A fresh mirror and one that follows.
    expect(await logCodeOf(() => monitor.follow())).toBe(code);
    rmSync(folder, { recursive: true });
    const fresh = await open();
    expect(await logCodeOf(() => fresh.follow())).toBe(code);
    expect((await Mirror.open(folder, KEYS)).head).toBeUndefined();
    log.changed.clear();
    expect(await fresh.follow()).toMatchObject({ oldSize: 0 });
  });
});

describe("the index", () => {
  it("with a license that it leaves out is found at the index entry that hides it", async () => {
    await log.append(licenseEntry(1));
    const honest = log.index;
    await log.appendRaw([encodeEntry(licenseEntry(7))]);
    log.index = honest;
    await log.append(licenseEntry(2));
    await log.sign(T0);
    const monitor = await open();
    expect(await logCodeOf(() => monitor.follow())).toBe("log/index-root");
    await expect(monitor.follow()).rejects.toThrow("leaf 4 commits to another index");
  });

  it("with a root or a count of another is found", async () => {
    for (const wrong of [
      { kind: "index", subjects: 1, root: new Uint8Array(32).fill(1) },
      { kind: "index", subjects: 2, root: undefined },
    ] as const) {
      log = new TestLog();
      await log.appendRaw([encodeEntry(licenseEntry(1))]);
      await log.appendRaw([encodeEntry({ ...wrong, root: wrong.root ?? log.index.root })]);
      await log.sign(T0);
      const monitor = await open();
      expect(await logCodeOf(() => monitor.follow())).toBe("log/index-root");
    }
  });

  it("has to end every head", async () => {
    await log.appendRaw([encodeEntry(licenseEntry(1))]);
    await log.sign(T0);
    expect(await logCodeOf(async () => (await open()).follow())).toBe("log/index-entry");
  });

  it("is of entries that can be read", async () => {
    await log.tree.append([(await import("../../../host/log/merkle.ts")).leafHash(Buffer.from("junk"))]);
    log.entries.push(new Uint8Array(Buffer.from("junk")));
    await log.append();
    await log.sign(T0);
    expect(await logCodeOf(async () => (await open()).follow())).toBe("log/entry-malformed");
    log = new TestLog();
    const stray = encodeEntry({ kind: "plain", type: ObjectType.ORDER, message: Buffer.from("no message") });
    log.entries.push(stray);
    await log.tree.append([(await import("../../../host/log/merkle.ts")).leafHash(stray)]);
    await log.append();
    await log.sign(T0);
    expect(await logCodeOf(async () => (await open()).follow())).toBe("log/entry-malformed");
  });
});

describe("keys", () => {
  it("of another log or a witness that did not sign are not taken", async () => {
    await log.append(licenseEntry(1));
    await log.sign(T0);
    const other = logKeys(logPair("log.example/two").key, [], 0);
    expect(await logCodeOf(async () => (await open(other)).follow())).toBe("log/origin");
    const stranger = logKeys(logPair(LOG.key.name, 9).key, [], 0);
    expect(await logCodeOf(async () => (await open(stranger)).follow())).toBe("log/signature");
    // A cosignature that claims to be a known witness's and is not.
    log.changed.set("checkpoint", (bytes) => flipped(bytes, 8 * (bytes.length - 20) + 1));
    expect(await logCodeOf(async () => (await open()).follow())).toMatch(/^log\/(?:cosignature|note-malformed)$/);
  });

  it("are of their kinds, each once, and the quorum is one of them", async () => {
    const [a, b] = WITNESSES.map(({ key }) => key);
    expect(await logCodeOf(() => logKeys(a!, [b!], 1))).toBe("log/key-malformed");
    expect(await logCodeOf(() => logKeys(LOG.key, [a!, LOG.key], 1))).toBe("log/key-malformed");
    expect(await logCodeOf(() => logKeys(LOG.key, [a!, a!], 1))).toBe("log/key-malformed");
    for (const quorum of [-1, 3, 0.5]) {
      expect(await logCodeOf(() => logKeys(LOG.key, [a!, b!], quorum))).toBe("log/witness-quorum");
    }
  });
});
