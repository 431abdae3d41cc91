/** The firmware's Merkle proofs against the vectors of transparency-dev/merkle, and against the definitions. */
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../sim-board/random.ts";
import { compile } from "../../compile.ts";
import { BenchLog } from "../../log.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { instantiate } from "../../wasm.ts";

interface Firmware {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  io(): number;
  isIncluded(root: number, size: bigint, index: bigint, leaf: number, path: number, count: number): number;
  isContinued(old: number, oldSize: bigint, root: number, size: bigint, path: number, count: number): number;
}

const FIRST = 64;
const PATH = 256;
const STRIDE = 34;
/** What a JSON number that is no safe integer stands for: the vector's 2^64 - 1. */
const integer = (value: number) => BigInt.asUintN(64, value > Number.MAX_SAFE_INTEGER ? -1n : BigInt(value));
const isNode = (bytes: Uint8Array) => bytes.length === 32;

describe("a Merkle proof, as the firmware judges it", () => {
  let wasm: Firmware;
  let base = 0;
  beforeAll(async () => {
    wasm = instantiate<Firmware>((await compile("test/firmware/log/probe.as.ts")).bytes);
    wasm._initialize();
    base = wasm.io();
  });

  const put = (first: Uint8Array, root: Uint8Array, path: readonly Uint8Array[]) => {
    const memory = new Uint8Array(wasm.memory.buffer, base);
    memory.set(first, 0);
    memory.set(root, FIRST);
    for (const [i, node] of path.entries()) memory.set([0x58, 0x20, ...node], PATH - 2 + i * STRIDE);
  };
  const includes = (size: bigint, index: bigint, leaf: Uint8Array, path: readonly Uint8Array[], root: Uint8Array) => {
    // No other node gets as far: the proof is an array of byte strings of 32 bytes, or it is refused for its form.
    if (![leaf, root, ...path].every(isNode)) return false;
    put(leaf, root, path);
    return wasm.isIncluded(base + FIRST, size, index, base, base + PATH, path.length) === 1;
  };
  const continues = (old: bigint, size: bigint, oldRoot: Uint8Array, root: Uint8Array, path: readonly Uint8Array[]) => {
    if (![oldRoot, root, ...path].every(isNode)) return false;
    put(oldRoot, root, path);
    return wasm.isContinued(base, old, base + FIRST, size, base + PATH, path.length) === 1;
  };

  describe.skipIf(!sharedIsHere)("of the vectors of others", () => {
    type Text = string | null;
    const bytes = (text: Text) => Uint8Array.from(Buffer.from(text ?? "", "base64"));
    const load = <T>(name: string) =>
      sharedIsHere ? Object.entries(sharedJson<Record<string, T>>(`vectors/tlog/${name}.json`)) : [];
    type Inclusion = { leafIdx: number; treeSize: number; root: Text; leafHash: Text; proof: Text[] | null } & Wanted;
    type Consistency = { size1: number; size2: number; root1: Text; root2: Text; proof: Text[] | null } & Wanted;
    type Wanted = { wantErr: boolean };

    it.each(load<Inclusion>("merkle_inclusion_a"))("%s", (_, { leafIdx, treeSize, root, leafHash, proof, wantErr }) => {
      const path = (proof ?? []).map(bytes);
      expect(includes(integer(treeSize), integer(leafIdx), bytes(leafHash), path, bytes(root))).toBe(!wantErr);
    });

    it.each(load<Consistency>("merkle_consistency_a"))("%s", (_, { size1, size2, root1, root2, proof, wantErr }) => {
      const path = (proof ?? []).map(bytes);
      const [old, size] = [integer(size1), integer(size2)];
      // A tree of the same size is compared by its root (`checkHistory`); here both sizes differ, always.
      const same = old === size && old > 0n && path.length === 0 && root1 === root2;
      expect(same || continues(old, size, bytes(root1), bytes(root2), path)).toBe(!wantErr);
    });
  });

  it("holds for every leaf and every older tree of up to 70 leaves, and for no other place, size or root", () => {
    const log = new BenchLog();
    for (let i = 0; i < 70; i++) log.appendEntry(Uint8Array.of(i));
    for (let size = 1; size <= 70; size++) {
      const root = log.root(size);
      for (let index = 0; index < size; index++) {
        const { path } = log.proofOf(index, { of: size });
        const leaf = log.leafAt(index);
        expect(includes(BigInt(size), BigInt(index), leaf, path, root)).toBe(true);
        expect(includes(BigInt(size), BigInt(index + 1), leaf, path, root)).toBe(false);
        expect(includes(BigInt(size), BigInt(index), leaf, [...path, root], root)).toBe(false);
        if (path.length > 0) expect(includes(BigInt(size), BigInt(index), leaf, path.slice(1), root)).toBe(false);
        const old = index + 1;
        if (old === size) continue;
        const { consistency } = log.proofOf(0, { of: size, from: old });
        expect(continues(BigInt(old), BigInt(size), log.root(old), root, consistency)).toBe(true);
        expect(continues(BigInt(old), BigInt(size), root, root, consistency)).toBe(false);
        expect(continues(BigInt(old), BigInt(size), log.root(old), log.root(old), consistency)).toBe(false);
        expect(continues(BigInt(old), BigInt(size), log.root(old), root, [...consistency, root])).toBe(false);
        expect(continues(0n, BigInt(size), log.root(old), root, consistency)).toBe(false);
      }
    }
  });

  it("holds in trees of any size up to 2^50, with a node for each level at most", () => {
    const seed = process.env.QUIESCE_SEED!;
    const random = new Random(`trees ${seed}`);
    for (let i = 0; i < 40; i++) {
      const filler = (1 + random.below(2 ** (1 + random.below(30)))) * (random.below(2) ? 2 ** 20 : 1);
      const log = new BenchLog(filler);
      for (let j = 0; j < 5; j++) log.appendEntry(random.bytes(20));
      const index = filler + random.below(5);
      const { path, consistency, root } = log.proofOf(index, { from: filler + 1 });
      const size = BigInt(log.size);
      const context = `seed ${seed}, ${filler} leaves before`;
      expect(includes(size, BigInt(index), log.leafAt(index), path, root), context).toBe(true);
      expect(continues(BigInt(filler + 1), size, log.root(filler + 1), root, consistency), context).toBe(true);
      expect(path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(log.size)));
      const bad = path.map((node) => node.slice());
      const node = bad[random.below(bad.length)]!;
      node[random.below(32)]! ^= 1 << random.below(8);
      expect(includes(size, BigInt(index), log.leafAt(index), bad, root), context).toBe(false);
    }
  });
});
