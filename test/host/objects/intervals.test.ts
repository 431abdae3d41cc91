import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkInterval,
  decodeIntervals,
  encodeIntervals,
  INTERVAL_BYTES,
  type Interval,
  intervalTree,
  proveInterval,
} from "../../../host/objects/intervals.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const interval: fc.Arbitrary<Interval> = fc.record({
  endTick: u64,
  work: fc.array(u64, { minLength: 12, maxLength: 12 }),
});
const intervals = fc.array(interval, { minLength: 1, maxLength: 8 });

const sha256 = (...parts: (Uint8Array | number[])[]) =>
  createHash("sha256")
    .update(Buffer.concat(parts.map((part) => Uint8Array.from(part))))
    .digest();
const wide = (work: readonly bigint[]) =>
  Buffer.from(work.map((w) => w.toString(16).padStart(32, "0")).join(""), "hex");
const plus = (x: readonly bigint[], y: readonly bigint[]) => x.map((value, index) => value + y[index]!);

describe("the intervals of a report", () => {
  it("of one to three leaves have the root that the protocol writes down", () => {
    fc.assert(
      fc.property(interval, interval, interval, (x, y, z) => {
        const leaf = ({ endTick, work }: Interval) =>
          sha256([0], Buffer.from(endTick.toString(16).padStart(16, "0"), "hex"), wide(work));
        const left = sha256([1], leaf(x), wide(x.work), leaf(y), wide(y.work));
        const root = sha256([1], left, wide(plus(x.work, y.work)), leaf(z), wide(z.work));
        expect(Buffer.from(intervalTree([x]).hash)).toEqual(leaf(x));
        expect(Buffer.from(intervalTree([x, y]).hash)).toEqual(left);
        expect(Buffer.from(intervalTree([x, y, z]).hash)).toEqual(root);
      }),
    );
  });

  it("have the SHA-256 of nothing as root when there are none", () => {
    expect(Buffer.from(intervalTree([]).hash)).toEqual(sha256([]));
  });

  it("come back from their bytes as they were", () => {
    fc.assert(
      fc.property(intervals, (list) => {
        expect(decodeIntervals(encodeIntervals(list))).toEqual(list);
      }),
    );
  });

  it("are refused when a leaf is not whole or there are more than eight", () => {
    expect(() => decodeIntervals(new Uint8Array(INTERVAL_BYTES - 1))).toThrow(Refusal);
    expect(() => decodeIntervals(new Uint8Array(INTERVAL_BYTES * 9))).toThrow(Refusal);
  });
});

describe("one interval that is shown", () => {
  const opened = fc.tuple(intervals, fc.nat()).map(([list, pick]) => {
    const index = pick % list.length;
    return { list, index, root: intervalTree(list), proof: proveInterval(list, index) };
  });

  it("is proven to be in the report", () => {
    fc.assert(
      fc.property(opened, ({ list, index, root, proof }) => {
        expect(checkInterval(list[index]!, proof, root)).toBe(true);
      }),
    );
  });

  it("is not believed when its work or its tick was changed", () => {
    fc.assert(
      fc.property(opened, fc.nat({ max: 11 }), fc.bigInt({ min: 1n, max: 1000n }), (given, engineClass, amount) => {
        const leaf = given.list[given.index]!;
        const work = leaf.work.map((value, index) => (index === engineClass ? value + amount : value));
        expect(checkInterval({ ...leaf, work }, given.proof, given.root)).toBe(false);
        expect(checkInterval({ ...leaf, endTick: leaf.endTick ^ 1n }, given.proof, given.root)).toBe(false);
      }),
    );
  });

  it("is not believed when work was moved from it to a sibling", () => {
    fc.assert(
      fc.property(opened, (given) => {
        fc.pre(given.proof.siblings.length > 0);
        const leaf = given.list[given.index]!;
        const [sibling, ...rest] = given.proof.siblings;
        const proof = { ...given.proof, siblings: [{ ...sibling!, work: sibling!.work.map((w) => w + 1n) }, ...rest] };
        expect(checkInterval({ ...leaf, work: leaf.work.map((w) => w - 1n) }, proof, given.root)).toBe(false);
      }),
    );
  });

  it("is not believed at another place, with another count, or with a level more or less", () => {
    fc.assert(
      fc.property(opened, (given) => {
        const leaf = given.list[given.index]!;
        const { proof, root, list } = given;
        for (const index of [-1, list.length, 0.5]) expect(checkInterval(leaf, { ...proof, index }, root)).toBe(false);
        expect(checkInterval(leaf, { ...proof, leafCount: 9 }, root)).toBe(false);
        expect(checkInterval(leaf, { ...proof, siblings: [...proof.siblings, root] }, root)).toBe(false);
        fc.pre(proof.siblings.length > 0);
        expect(checkInterval(leaf, { ...proof, siblings: proof.siblings.slice(1) }, root)).toBe(false);
      }),
    );
  });

  it("is not believed against other totals", () => {
    fc.assert(
      fc.property(opened, ({ list, index, root, proof }) => {
        const work = root.work.map((value, engineClass) => (engineClass === 3 ? value + 1n : value));
        expect(checkInterval(list[index]!, proof, { ...root, work })).toBe(false);
      }),
    );
  });
});
