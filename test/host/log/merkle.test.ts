/** Proofs of the Merkle tree: published vectors, and RFC 6962's own recursive definitions. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CONSISTENCY_PATH_MAX,
  EMPTY_ROOT,
  leafHash,
  nodeHash,
  PATH_MAX,
  rootFromInclusion,
  verifyConsistency,
  verifyInclusion,
} from "../../../host/log/merkle.ts";
import { decode, type Tagged } from "../../../host/protocol/cbor.ts";
import { sharedIsHere, sharedJson, sharedPath } from "../../shared.ts";
import { MTH, PATH, PROOF } from "./naive.ts";
import { entries, flipped, logCodeOf } from "./tree.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
const SIZES = Array.from({ length: 300 }, (_, i) => i + 1);
const ALL = entries(300);

describe.skipIf(!sharedIsHere)("published vectors (transparency-dev/merkle)", () => {
  interface Case {
    readonly proof: readonly string[] | null;
    readonly desc: string;
    readonly wantErr: boolean;
  }
  const inclusion = Object.entries(
    sharedIsHere
      ? sharedJson<Record<string, Case & { leafIdx: number; treeSize: number; root: string; leafHash: string }>>(
          "vectors/tlog/merkle_inclusion_a.json",
        )
      : {},
  );
  const consistency = Object.entries(
    sharedIsHere
      ? sharedJson<Record<string, Case & { size1: number; size2: number; root1: string; root2: string }>>(
          "vectors/tlog/merkle_consistency_a.json",
        )
      : {},
  );

  it("inclusion: 49 cases, 3 of them true", () => {
    const verdicts = inclusion.map(([name, one]) => {
      const path = (one.proof ?? []).map(bytesOf);
      return [name, verifyInclusion(one.leafIdx, one.treeSize, bytesOf(one.leafHash), path, bytesOf(one.root))];
    });
    expect(verdicts).toEqual(inclusion.map(([name, { wantErr }]) => [name, !wantErr]));
    expect([verdicts.length, verdicts.filter(([, verdict]) => verdict).length]).toEqual([49, 3]);
  });

  it("consistency: 49 cases, 4 of them true", () => {
    const verdicts = consistency.map(([name, one]) => {
      const path = (one.proof ?? []).map(bytesOf);
      return [name, verifyConsistency(one.size1, one.size2, bytesOf(one.root1), bytesOf(one.root2), path)];
    });
    expect(verdicts).toEqual(consistency.map(([name, { wantErr }]) => [name, !wantErr]));
    expect([verdicts.length, verdicts.filter(([, verdict]) => verdict).length]).toEqual([49, 4]);
  });

  it("the inclusion path of a COSE receipt (RFC 9942) comes to a root, and to another one elsewhere", () => {
    const receipt = decode(readFileSync(sharedPath("vectors/tlog/inclusion-receipt.cbor"))) as Tagged;
    expect(receipt.tag).toBe(18);
    const [protectedBytes, unprotectedHeader, payload] = receipt.value as [Uint8Array, Map<number, unknown>, null];
    const header = decode(protectedBytes, { anyKeyOrder: true }) as Map<number, unknown>;
    expect([header.get(1), header.get(395), payload]).toEqual([-7, 1, null]);
    const proofs = (unprotectedHeader.get(396) as Map<number, unknown>).get(-1) as Uint8Array[];
    const [size, index, path] = decode(proofs[0]!) as [number, number, Uint8Array[]];
    expect([proofs.length, size, index, path.length]).toEqual([1, 5, 3, 3]);
    // Leaf 3 of 5 by hand: ((path[1], (path[0], leaf)), path[2]).
    const leaf = leafHash(new Uint8Array(Buffer.from("an entry")));
    const byHand = nodeHash(nodeHash(path[1]!, nodeHash(path[0]!, leaf)), path[2]!);
    expect(hexOf(rootFromInclusion(index, size, leaf, path))).toBe(hexOf(byHand));
    expect(verifyInclusion(2, size, leaf, path, byHand)).toBe(false);
    expect(verifyInclusion(4, size, leaf, path, byHand)).toBe(false);
  });
});

describe("against RFC 6962's definitions", () => {
  it("every leaf of every tree of 1 to 64 leaves is proved, and of larger ones the first, the last and some between", () => {
    for (const size of SIZES) {
      const tree = ALL.slice(0, size);
      const root = MTH(tree);
      const indexes = size <= 64 ? SIZES.slice(0, size).map((n) => n - 1) : [0, size >> 1, (size * 7) % size, size - 1];
      for (const index of indexes) {
        const path = PATH(index, tree);
        expect(verifyInclusion(index, size, leafHash(tree[index]!), path, root)).toBe(true);
        expect(hexOf(rootFromInclusion(index, size, leafHash(tree[index]!), path))).toBe(hexOf(root));
      }
    }
  });

  it("every tree of up to 64 leaves follows every smaller one, and larger ones those around powers of two", () => {
    const roots = [EMPTY_ROOT, ...SIZES.map((size) => MTH(ALL.slice(0, size)))];
    for (const size of SIZES) {
      const old = SIZES.filter((n) => n <= size && (size <= 64 || [1, 2, 3, 127, 128, 129, 255, 256, 257].includes(n)));
      for (const oldSize of [...old, size - 1 || 1]) {
        const path = PROOF(oldSize, ALL.slice(0, size));
        expect(verifyConsistency(oldSize, size, roots[oldSize]!, roots[size]!, path)).toBe(true);
      }
    }
  });

  it("nothing is proved by a path with a bit changed, a hash too many or too few, or two of them exchanged", () => {
    const some = fc.record({ size: fc.integer({ min: 2, max: 300 }), at: fc.nat(), bit: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(some, ({ size, at, bit }) => {
        const tree = ALL.slice(0, size);
        const index = at % size;
        const oldSize = 1 + (at % (size - 1));
        const root = MTH(tree);
        const oldRoot = MTH(tree.slice(0, oldSize));
        for (const [path, holds] of [
          [PATH(index, tree), (p: Uint8Array[]) => verifyInclusion(index, size, leafHash(tree[index]!), p, root)],
          [PROOF(oldSize, tree), (p: Uint8Array[]) => verifyConsistency(oldSize, size, oldRoot, root, p)],
        ] as const) {
          expect(holds(path)).toBe(true);
          const place = at % path.length;
          expect(holds(path.with(place, flipped(path[place]!, bit)))).toBe(false);
          expect(holds(path.slice(1))).toBe(false);
          expect(holds(path.slice(0, -1))).toBe(false);
          expect(holds([...path, root])).toBe(false);
          expect(holds([root, ...path])).toBe(false);
          expect(holds(path.with(place, path[place]!.slice(1)))).toBe(false);
          if (path.length > 1) expect(holds([path[1]!, path[0]!, ...path.slice(2)])).toBe(false);
        }
        expect(verifyInclusion(index, size, flipped(leafHash(tree[index]!), bit), PATH(index, tree), root)).toBe(false);
        const proof = PROOF(oldSize, tree);
        expect(verifyConsistency(oldSize, size, flipped(oldRoot, bit), root, proof)).toBe(false);
        expect(verifyConsistency(oldSize, size, oldRoot, flipped(root, bit), proof)).toBe(false);
      }),
    );
  });

  it("a leaf is proved at its own index only; a size is part of what a path says wherever it changes the path's form", () => {
    const tree = ALL.slice(0, 13);
    const root = MTH(tree);
    for (let index = 0; index < 13; index++) {
      const path = PATH(index, tree);
      for (let other = 0; other < 16; other++) {
        expect(verifyInclusion(other, 13, leafHash(tree[index]!), path, root)).toBe(other === index);
      }
    }
    expect(verifyInclusion(12, 14, leafHash(tree[12]!), PATH(12, tree), root)).toBe(false);
    expect(verifyInclusion(12, 12, leafHash(tree[12]!), PATH(12, tree), root)).toBe(false);
  });
});

describe("the empty tree", () => {
  it("has SHA-256 of nothing for its root", () => {
    expect(hexOf(EMPTY_ROOT)).toBe(hexOf(MTH([])));
  });

  it("is in no proof", async () => {
    const leaf = leafHash(ALL[0]!);
    for (const path of [[], [EMPTY_ROOT], [leaf]]) {
      for (const root of [EMPTY_ROOT, leaf, new Uint8Array(32)]) {
        expect(verifyInclusion(0, 0, leaf, path, root)).toBe(false);
        for (const size of [0, 1, 2, 8, 300]) {
          expect(verifyConsistency(0, size, EMPTY_ROOT, root, path)).toBe(false);
          expect(verifyConsistency(size, 0, root, EMPTY_ROOT, path)).toBe(false);
        }
      }
    }
    expect(await logCodeOf(() => rootFromInclusion(0, 0, leaf, []))).toBe("log/inclusion");
  });
});

describe("sizes", () => {
  it("that are no safe integers, negative or fractions are refused", () => {
    const leaf = leafHash(ALL[0]!);
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(verifyInclusion(bad, 1, leaf, [], leaf)).toBe(false);
      expect(verifyInclusion(0, bad, leaf, [], leaf)).toBe(false);
      expect(verifyConsistency(bad, 1, leaf, leaf, [])).toBe(false);
      expect(verifyConsistency(1, bad, leaf, leaf, [])).toBe(false);
    }
  });

  it("reach 2^53 - 1, whose paths are the longest", () => {
    const size = Number.MAX_SAFE_INTEGER;
    const hashes = Array.from({ length: 55 }, (_, i) => new Uint8Array(32).fill(i));
    const leaf = leafHash(ALL[0]!);
    const path = hashes.slice(0, PATH_MAX);
    const root = rootFromInclusion(0, size, leaf, path);
    expect(hexOf(root)).toBe(hexOf(path.reduce((below, hash) => nodeHash(below, hash), leaf)));
    expect(verifyInclusion(1, size, leaf, path, root)).toBe(false);
    expect(verifyInclusion(0, size, leaf, hashes.slice(0, PATH_MAX + 1), root)).toBe(false);
    expect(verifyConsistency(size - 1, size, leaf, root, hashes.slice(0, CONSISTENCY_PATH_MAX + 1))).toBe(false);
  });
});
