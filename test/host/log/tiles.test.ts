/** Tiles: their names (C2SP tlog-tiles), trees grown from them, and every proof out of them. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { EMPTY_ROOT, leafHash, nodeHash, verifyConsistency, verifyInclusion } from "../../../host/log/merkle.ts";
import {
  appendLeaves,
  bundlePath,
  consistencyProof,
  decodeBundle,
  encodeBundle,
  inclusionProof,
  parsePath,
  prefixRoot,
  TILE_BYTES,
  tilePath,
  tilesOf,
  tileWidth,
  treeRoot,
} from "../../../host/log/tiles.ts";
import { MTH, PATH, PROOF } from "./naive.ts";
import { entries, logCodeOf, MemoryTree } from "./tree.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const hexes = (hashes: readonly Uint8Array[]) => hashes.map(hexOf);

describe("names", () => {
  it("are those of the specification", () => {
    expect(tilePath(0, 0, 256)).toBe("tile/0/000");
    expect(tilePath(3, 1234067, 256)).toBe("tile/3/x001/x234/067");
    expect(tilePath(1, 273, 17)).toBe("tile/1/273.p/17");
    expect(bundlePath(1000, 1)).toBe("tile/entries/x001/000.p/1");
  });

  it("are read back, and in no other spelling", () => {
    const name = fc.record({
      level: fc.option(fc.nat({ max: 63 }), { nil: undefined }),
      index: fc.oneof(fc.nat({ max: 2000 }), fc.maxSafeNat()),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(name, ({ level, index, width }) => {
        const path = level === undefined ? bundlePath(index, width) : tilePath(level, index, width);
        expect(parsePath(path)).toEqual({ level, index, width });
      }),
    );
    for (const path of [
      "tile/00/000",
      "tile/64/000",
      "tile/0/0",
      "tile/0/1000",
      "tile/0/x000/001",
      "tile/0/001/000",
      "tile/0/x001",
      "tile/0/000.p/0",
      "tile/0/000.p/05",
      "tile/0/000.p/256",
      "tile/0/x999/x999/x999/x999/x999/999",
      "tile/entries/000.p/",
      "tile/entries/000/",
      "/tile/0/000",
      "tile/data/000",
      "checkpoint",
      "tile/0/../000",
      "tile/0/000\n",
    ]) {
      expect([path, parsePath(path)]).toEqual([path, undefined]);
    }
  });

  it("a tree of 70,000 has the tiles that the specification counts", () => {
    const tiles = [...tilesOf(70_000)];
    const of = (level: number) => tiles.filter((tile) => tile.level === level).map(({ width }) => width);
    expect([of(0).length, of(0).at(-1), of(0).at(-2)]).toEqual([274, 112, 256]);
    expect([of(1), of(2), of(3)]).toEqual([[256, 17], [1], []]);
    expect([...tilesOf(256)].map(({ level, width }) => [level, width])).toEqual([
      [0, 256],
      [1, 1],
    ]);
    expect([...tilesOf(0)]).toEqual([]);
  });
});

describe("trees of 1 to 300", () => {
  const all = entries(300);
  const tree = new MemoryTree();
  beforeAll(() => tree.append(all.map(leafHash)));

  it("have the roots of RFC 6962, from a larger tree's tiles as well", async () => {
    for (let size = 0; size <= 300; size++) {
      const root = hexOf(MTH(all.slice(0, size)));
      expect(hexOf(await treeRoot(tree, size))).toBe(root);
      expect(hexOf(await prefixRoot(tree, size, 300))).toBe(root);
    }
  });

  it("prove what RFC 6962 proves, hash by hash", async () => {
    for (let size = 1; size <= 300; size++) {
      const tile = all.slice(0, size);
      for (const at of new Set([0, size >> 1, (size * 31) % 97, 254, 255, 256, size - 1].filter((n) => n < size))) {
        expect(hexes(await inclusionProof(tree, at, size))).toEqual(hexes(PATH(at, tile)));
        expect(hexes(await consistencyProof(tree, at + 1, size))).toEqual(hexes(PROOF(at + 1, tile)));
      }
    }
  });

  it("come out alike however they are grown", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 280 }), { maxLength: 6 }), async (batches) => {
        const grown = new MemoryTree();
        for (const batch of batches) await grown.append(entries(batch, grown.size).map(leafHash));
        const { size } = grown;
        const once = await appendLeaves(new MemoryTree(), 0, entries(size).map(leafHash));
        expect([once.size, hexOf(await treeRoot(grown, size))]).toEqual([size, hexOf(once.root)]);
        const got = await Promise.all(
          [...tilesOf(size)].map(async ({ level, index, width }) => [
            tilePath(level, index, width),
            hexOf(await grown.tile(level, index, width)),
          ]),
        );
        const want = once.tiles.map((tile) => [
          tilePath(tile.level, tile.index, tile.hashes.length / 32),
          hexOf(tile.hashes),
        ]);
        expect(got.sort()).toEqual(want.sort());
      }),
      { numRuns: 40 },
    );
  });

  it("give back no tile that did not change", async () => {
    const { tiles } = await appendLeaves(tree, 300, entries(1).map(leafHash));
    expect(tiles.map(({ level, index, hashes }) => [level, index, hashes.length / 32])).toEqual([[0, 1, 45]]);
    const none = await appendLeaves(tree, 300, []);
    expect([none.tiles, hexOf(none.root)]).toEqual([[], hexOf(tree.root)]);
  });
});

describe("trees around a full tile of level 1", () => {
  const BASE = 65_535;
  const tree = new MemoryTree();
  const roots: Uint8Array[] = [];
  beforeAll(async () => {
    const leaves = entries(BASE + 2).map(leafHash);
    for (const batch of [leaves.slice(0, BASE), [leaves[BASE]!], [leaves[BASE + 1]!]]) {
      await tree.append(batch);
      roots.push(tree.root);
    }
  });

  it("prove every kind of place, and each follows the others", async () => {
    for (const [at, root] of roots.entries()) {
      const size = BASE + at;
      for (const index of [0, 1, 255, 256, 257, 32_767, 32_768, 65_279, 65_280, 65_534, size - 1]) {
        const path = await inclusionProof(tree, index, size);
        expect(verifyInclusion(index, size, leafHash(entries(1, index)[0]!), path, root)).toBe(true);
        expect(verifyInclusion(index, size, leafHash(entries(1, index + 1)[0]!), path, root)).toBe(false);
      }
      for (const oldSize of [1, 2, 255, 256, 257, 511, 65_280, 65_281, 65_534, 65_535, 65_536].filter(
        (n) => n <= size,
      )) {
        const path = await consistencyProof(tree, oldSize, size);
        const oldRoot = await prefixRoot(tree, oldSize, size);
        expect(verifyConsistency(oldSize, size, oldRoot, root, path)).toBe(true);
        expect(verifyConsistency(oldSize, size, oldRoot, EMPTY_ROOT, path)).toBe(false);
      }
    }
    expect([tileWidth(2, 0, BASE), tileWidth(2, 0, BASE + 1), tileWidth(0, 256, BASE + 2)]).toEqual([0, 1, 1]);
  });
});

describe("trees up to 2^53 - 1", () => {
  /** All leaves alike, so that every subtree of a height has one hash. */
  const uniform = () => {
    const perfect = [leafHash(new Uint8Array(0))];
    for (let height = 1; height <= 53; height++) perfect.push(nodeHash(perfect[height - 1]!, perfect[height - 1]!));
    const reads: string[] = [];
    return {
      leaf: perfect[0]!,
      perfect,
      reads,
      tile: async (level: number, index: number, width: number) => {
        reads.push(tilePath(level, index, width));
        return new Uint8Array(Buffer.concat(Array<Uint8Array>(width).fill(perfect[8 * level]!)));
      },
    };
  };

  it("are proved from at most two tiles a level", async () => {
    for (const size of [2 ** 20, 2 ** 30 + 1, 2 ** 32, 2 ** 40 - 1, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
      const source = uniform();
      const root = await treeRoot(source, size);
      const levels = Math.ceil(Math.log2(size) / 8) + 1;
      for (const index of [0, Math.floor(size / 3), size - 1]) {
        source.reads.length = 0;
        const path = await inclusionProof(source, index, size);
        expect(verifyInclusion(index, size, source.leaf, path, root)).toBe(true);
        expect(path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)));
        expect(source.reads.length).toBeLessThanOrEqual(2 * levels);
        expect(source.reads.every((read) => parsePath(read) !== undefined)).toBe(true);
      }
      for (const oldSize of [1, Math.floor(size / 3), size - 1]) {
        const path = await consistencyProof(source, oldSize, size);
        expect(verifyConsistency(oldSize, size, await treeRoot(source, oldSize), root, path)).toBe(true);
      }
    }
  });

  it("have the root of a perfect tree at every power of two", async () => {
    const source = uniform();
    for (let height = 0; height <= 52; height++) {
      expect(hexOf(await treeRoot(source, 2 ** height))).toBe(hexOf(source.perfect[height]!));
    }
  });
});

describe("what is refused", () => {
  const tree = new MemoryTree();
  beforeAll(() => tree.append(entries(5).map(leafHash)));

  it("a leaf or an old tree that is not there, and the empty tree", async () => {
    expect(await logCodeOf(() => inclusionProof(tree, 5, 5))).toBe("log/inclusion");
    expect(await logCodeOf(() => inclusionProof(tree, 0, 0))).toBe("log/inclusion");
    expect(await logCodeOf(() => inclusionProof(tree, -1, 5))).toBe("log/inclusion");
    expect(await logCodeOf(() => consistencyProof(tree, 0, 5))).toBe("log/consistency");
    expect(await logCodeOf(() => consistencyProof(tree, 6, 5))).toBe("log/consistency");
    expect(await logCodeOf(() => prefixRoot(tree, 6, 5))).toBe("log/tile");
  });

  it("a tile of another length than it should have", async () => {
    expect(await logCodeOf(() => treeRoot(tree, 6))).toBe("log/tile");
    const long = { tile: async () => new Uint8Array(TILE_BYTES + 1) };
    expect(await logCodeOf(() => treeRoot(long, 256))).toBe("log/tile");
    expect(await logCodeOf(() => appendLeaves(long, 3, [EMPTY_ROOT]))).toBe("log/tile");
    expect(await logCodeOf(() => appendLeaves(tree, 5, [new Uint8Array(31)]))).toBe("log/tile");
    expect(await logCodeOf(() => appendLeaves(tree, Number.MAX_SAFE_INTEGER, [EMPTY_ROOT]))).toBe("log/tile");
  });
});

describe("bundles", () => {
  const anyEntry = fc.uint8Array({ maxLength: 600 });

  it("are read back as they were written", () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 256 }), (some) => {
        expect(hexes(decodeBundle(encodeBundle(some)))).toEqual(hexes(some));
      }),
    );
    const longest = new Uint8Array(65_535).fill(7);
    expect(decodeBundle(encodeBundle([longest]))).toEqual([longest]);
  });

  it("that end early, are empty or too full are refused", async () => {
    const bundle = encodeBundle(entries(3));
    const ends = [0, 9, 18, 27];
    for (let length = 0; length <= bundle.length; length++) {
      const isWhole = length > 0 && ends.includes(length);
      expect(await logCodeOf(() => decodeBundle(bundle.slice(0, length)))).toBe(isWhole ? undefined : "log/tile");
    }
    expect(await logCodeOf(() => decodeBundle(new Uint8Array(257 * 2)))).toBe("log/tile");
    expect(decodeBundle(new Uint8Array(256 * 2))).toHaveLength(256);
    expect(await logCodeOf(() => encodeBundle([]))).toBe("log/tile");
    expect(await logCodeOf(() => encodeBundle(entries(257)))).toBe("log/tile");
    expect(await logCodeOf(() => encodeBundle([new Uint8Array(65_536)]))).toBe("log/tile");
  });
});
