/** Heads that are offered, in any order: what is one log, what is not, and that a split view convinces whoever sees it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HEADS_KEPT,
  type HeadLink,
  type HeadOutcome,
  type HeadSplit,
  linkByTiles,
  offerHead,
  SPLITS_KEPT,
} from "../../../host/log/heads.ts";
import { MemoryHeads } from "../../../host/log/memory-heads.ts";
import { isPowerOfTwo, leafHash } from "../../../host/log/merkle.ts";
import { formatVkey, type NoteKey } from "../../../host/log/note.ts";
import { verifySplitView } from "../../../host/log/split-view.ts";
import { TILE_WIDTH, type TileSource } from "../../../host/log/tiles.ts";
import { TestLog } from "../witness/rig.ts";
import { codeOf, logPair, signedCheckpoint } from "./keys.ts";
import { MTH } from "./naive.ts";

const PAIR = logPair("log.example/north");
const LOGS = [PAIR.key];
const LOG = new TestLog(PAIR).grow(40);
const FORK = LOG.fork(10).grow(30, "fork");

async function offer(shelf: MemoryHeads, log: TestLog, size: number, link?: HeadLink): Promise<HeadOutcome> {
  return offerHead(shelf, LOGS, await log.note(size), link);
}

/** The path with the root in front where that is left out. */
function path(log: TestLog, oldSize: number, size: number): HeadLink {
  const proof = log.proof(oldSize, size);
  return { oldSize, proof: isPowerOfTwo(oldSize) ? [log.root(oldSize), ...proof] : proof };
}

function isSplitView({ note: first, otherNote: second, proof }: HeadSplit, key: NoteKey): boolean {
  return codeOf(() => verifySplitView({ first, second, proof }, key)) === "taken";
}

describe("a head", () => {
  it("is taken if it is the first, known if it was, and taken if a path leads to it", async () => {
    const shelf = new MemoryHeads();
    expect(await offer(shelf, LOG, 5)).toMatchObject({ kind: "taken" });
    expect(await offer(shelf, LOG, 5)).toMatchObject({ kind: "known" });
    expect(await offer(shelf, LOG, 9, { oldSize: 5, proof: LOG.proof(5, 9) })).toMatchObject({ kind: "taken" });
    expect(await offer(shelf, LOG, 9)).toMatchObject({ kind: "known", head: { isLinked: true } });
    expect(shelf.newestHeads).toMatchObject([{ size: 9 }]);
  });

  it("that is larger wants a path, and keeps waiting for it", async () => {
    const shelf = new MemoryHeads();
    await offer(shelf, LOG, 5);
    const waiting = await offer(shelf, LOG, 9);
    expect(waiting).toMatchObject({ kind: "unlinked", newest: { size: 5 } });
    expect(shelf.newestHeads).toMatchObject([{ size: 5 }]);
    // A path from a head that is not known here is as good as none.
    expect(await offer(shelf, LOG, 9, path(LOG, 6, 9))).toMatchObject({ kind: "unlinked" });
    expect(await offer(shelf, LOG, 9, path(LOG, 5, 9))).toMatchObject({ kind: "taken" });
  });

  it("that is smaller is linked by a path to a larger one that is", async () => {
    const shelf = new MemoryHeads();
    await offer(shelf, LOG, 9);
    expect(await offer(shelf, LOG, 4)).toMatchObject({ kind: "older", newest: { size: 9 } });
    expect(await offer(shelf, LOG, 9, { oldSize: 4, proof: LOG.proof(4, 9) })).toMatchObject({ kind: "known" });
    expect(await offer(shelf, LOG, 4)).toMatchObject({ kind: "known", head: { isLinked: true } });
  });

  it("without leaves goes with all, and has the root of nothing", async () => {
    const shelf = new MemoryHeads();
    expect(await offer(shelf, LOG, 0)).toMatchObject({ kind: "taken" });
    expect(await offer(shelf, LOG, 7)).toMatchObject({ kind: "taken" });
    expect(await offer(shelf, LOG, 0)).toMatchObject({ kind: "known" });
    const note = await signedCheckpoint(PAIR, { size: 0, root: new Uint8Array(32) });
    await expect(offerHead(shelf, LOGS, note)).rejects.toMatchObject({ code: "log/consistency" });
    expect(shelf.newestHeads).toMatchObject([{ size: 7 }]);
  });

  it("is refused of a log that is not known, of a stranger's key, and with a path that leads nowhere", async () => {
    const shelf = new MemoryHeads();
    await offer(shelf, LOG, 5);
    const refusedWith = async (note: string, link?: HeadLink) =>
      offerHead(shelf, LOGS, note, link).then(
        ({ kind }) => kind,
        (error: { code: string }) => error.code,
      );
    expect(await refusedWith(await new TestLog(logPair("log.example/x")).grow(1).note())).toBe("log/origin");
    expect(await refusedWith(await signedCheckpoint(logPair(LOG.origin, 9), { size: 1, root: LOG.root(1) }))).toBe(
      "log/signature",
    );
    const note = await LOG.note(9);
    for (const proof of [[], [LOG.root(1)], LOG.proof(5, 10), [...LOG.proof(5, 9), LOG.root(1)]]) {
      expect(await refusedWith(note, { oldSize: 5, proof })).toBe("log/consistency");
    }
    expect(shelf.splits).toEqual([]);
  });

  it("is of the log by its key: one name with two keys is two logs", async () => {
    const other = new TestLog(logPair(LOG.origin, 2)).grow(5, "other");
    const shelf = new MemoryHeads();
    const logs = [...LOGS, other.pair.key];
    await offerHead(shelf, logs, await LOG.note(5));
    expect(await offerHead(shelf, logs, await other.note(5))).toMatchObject({ kind: "taken" });
    expect(shelf.newestHeads.map(({ log }) => log)).toEqual(logs.map(formatVkey));
  });
});

describe("a split view", () => {
  it("is two heads of one size, in whichever order they come, linked or not", async () => {
    for (const [first, second] of [
      [LOG, FORK],
      [FORK, LOG],
    ] as const) {
      const shelf = new MemoryHeads();
      await offer(shelf, first, 12);
      await offer(shelf, first, 20);
      for (const size of [12, 20]) expect(await offer(shelf, second, size)).toMatchObject({ kind: "split" });
      expect(shelf.splits).toHaveLength(2);
      for (const view of shelf.splits) expect(isSplitView(view, PAIR.key)).toBe(true);
    }
  });

  it("is a larger head whose tree begins otherwise, by the path that shows it", async () => {
    // 16 is a power of two: its root has to be in front.
    for (const oldSize of [11, 13, 16]) {
      const shelf = new MemoryHeads();
      await offer(shelf, LOG, oldSize);
      const outcome = await offer(shelf, FORK, 23, path(FORK, oldSize, 23));
      expect(outcome).toMatchObject({ kind: "split", view: { size: oldSize, otherSize: 23 } });
      expect(shelf.splits.every((view) => isSplitView(view, PAIR.key))).toBe(true);
      expect(shelf.newestHeads).toMatchObject([{ size: oldSize }]);
    }
  });

  it("is found of a smaller head by a path to the larger one that was known", async () => {
    const shelf = new MemoryHeads();
    await offer(shelf, LOG, 23);
    expect(await offer(shelf, FORK, 16)).toMatchObject({ kind: "older" });
    const outcome = await offer(shelf, LOG, 23, path(LOG, 16, 23));
    expect(outcome).toMatchObject({ kind: "split", view: { size: 16, root: FORK.root(16), otherSize: 23 } });
  });

  it("is none where the trees are one, with the root in front or not", async () => {
    for (const link of [path(LOG, 16, 23), { oldSize: 16, proof: LOG.proof(16, 23) }]) {
      const shelf = new MemoryHeads();
      await offer(shelf, LOG, 16);
      expect(await offer(shelf, LOG, 23, link)).toMatchObject({ kind: "taken" });
    }
  });

  it("convinces nobody once anything of it is another", async () => {
    const shelf = new MemoryHeads();
    await offer(shelf, LOG, 11);
    await offer(shelf, FORK, 23, path(FORK, 11, 23));
    const [view] = shelf.splits;
    const honest = { ...view!, otherNote: await LOG.note(23), proof: LOG.proof(11, 23) };
    const unproven = { ...view!, proof: undefined };
    const same = { ...view!, otherNote: view!.note };
    const foreign = {
      ...view!,
      note: await signedCheckpoint(logPair(LOG.origin, 9), { size: 11, root: FORK.root(1) }),
    };
    for (const bad of [honest, unproven, same, foreign]) expect(isSplitView(bad, PAIR.key)).toBe(false);
    expect(isSplitView(view!, logPair(LOG.origin, 9).key)).toBe(false);
  });

  it("is kept once, and of each log as many as there is room for", async () => {
    const shelf = new MemoryHeads();
    await offer(shelf, LOG, 12);
    for (let i = 0; i < SPLITS_KEPT + 5; i++) {
      const fork = LOG.fork(0).grow(12, `fork ${i}`);
      for (let again = 0; again < 2; again++) expect(await offer(shelf, fork, 12)).toMatchObject({ kind: "split" });
    }
    expect(shelf.splits).toHaveLength(SPLITS_KEPT);
    expect(shelf.splits[0]!.otherRoot).toEqual(LOG.fork(0).grow(12, "fork 0").root());
  });
});

/** Tiles of a tree of few leaves. */
function tilesOf(log: TestLog): TileSource {
  return {
    async tile(level, index, width) {
      expect([level, index, log.size <= TILE_WIDTH]).toEqual([0, 0, true]);
      return Buffer.concat(log.leaves.slice(0, width).map(leafHash));
    },
  };
}

describe("a path from before the newest head", () => {
  it("links nothing: between them the log may have forked", async () => {
    const shelf = new MemoryHeads();
    await offer(shelf, LOG, 5);
    await offer(shelf, LOG, 20, path(LOG, 5, 20));
    expect(await offer(shelf, FORK, 23, path(FORK, 5, 23))).toMatchObject({ kind: "unlinked", newest: { size: 20 } });
    expect(await offer(shelf, FORK, 23, path(FORK, 20, 23))).toMatchObject({ kind: "split" });
    expect(await offer(shelf, FORK, 18, path(FORK, 5, 18))).toMatchObject({ kind: "older" });
    expect(await offer(shelf, LOG, 20, path(LOG, 18, 20))).toMatchObject({ kind: "split" });
  });
});

describe("the path by tiles", () => {
  it("leads to the head that the tiles are of, and from the root that the tiles have there", async () => {
    for (const oldSize of [1, 4, 7, 16, 22]) {
      const link = await linkByTiles(tilesOf(LOG), oldSize, { size: 23, root: LOG.root(23) });
      expect(link).toEqual(path(LOG, oldSize, 23));
      const shelf = new MemoryHeads();
      await offer(shelf, FORK, oldSize);
      const { kind } = await offer(shelf, LOG, 23, link);
      expect(kind).toBe(oldSize > 10 ? "split" : "taken");
    }
  });

  it("is none to a head of another tree", async () => {
    expect(await linkByTiles(tilesOf(LOG), 7, { size: 23, root: FORK.root(23) })).toBeUndefined();
    expect(await linkByTiles(tilesOf(LOG), 0, { size: 23, root: LOG.root(23) })).toBeUndefined();
    expect(await linkByTiles(tilesOf(LOG), 23, { size: 23, root: LOG.root(23) })).toBeUndefined();
  });
});

describe("whatever is offered", () => {
  it("is a split view if and only if two heads are of no one log", async () => {
    // Few sizes, so that paths begin where something is known; some before the fork, some powers of two.
    const sizes = fc.constantFrom(3, 8, 10, 13, 16, 23, 40);
    const offers = fc.record({
      log: fc.constantFrom(LOG, FORK),
      size: sizes,
      oldSize: fc.option(sizes, { nil: undefined, freq: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(offers, { maxLength: 16 }), async (sequence) => {
        const shelf = new MemoryHeads();
        for (const { log, size, oldSize } of sequence) {
          const link = oldSize !== undefined && oldSize < size ? path(log, oldSize, size) : undefined;
          await offer(shelf, log, size, link);
          for (const view of shelf.splits) {
            expect(isSplitView(view, PAIR.key)).toBe(true);
            // Both trees are one up to 10 leaves.
            expect(view.otherSize).toBeGreaterThan(10);
          }
          // Those that are linked are heads of one tree.
          const known = shelf.heads.filter(({ isLinked }) => isLinked);
          const isOf = (tree: TestLog) => known.every((one) => Buffer.compare(one.root, tree.root(one.size)) === 0);
          expect(isOf(LOG) || isOf(FORK)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("stays within bounds: of those that are linked the largest are kept, of the others the first", async () => {
    const shelf = new MemoryHeads();
    const log = formatVkey(PAIR.key);
    const head = { log, root: MTH([]), note: "note" };
    for (let size = 1; size <= 600; size++) await shelf.put({ ...head, size, isLinked: size % 2 === 0 });
    const sizes = (isLinked: boolean) => shelf.heads.filter((one) => one.isLinked === isLinked).map(({ size }) => size);
    const [linked, unlinked] = [sizes(true), sizes(false)];
    expect([linked.length, linked[0], linked.at(-1)]).toEqual([HEADS_KEPT.linked, 602 - 2 * HEADS_KEPT.linked, 600]);
    expect(unlinked).toEqual(Array.from({ length: HEADS_KEPT.unlinked }, (_, i) => 2 * i + 1));
    // Its own place is no other's, and one that is linked makes room.
    await shelf.put({ ...head, size: 1, note: "again", isLinked: false });
    await shelf.put({ ...head, size: 3, isLinked: true });
    await shelf.put({ ...head, size: 599, isLinked: false });
    expect(await shelf.head(log, 1)).toMatchObject({ note: "again" });
    expect(sizes(false)).toEqual([...unlinked.filter((size) => size !== 3), 599]);
  });
});
