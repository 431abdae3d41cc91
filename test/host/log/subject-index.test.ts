/** The subject index: the trie against one built from its definition, and proofs of it, true and changed. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { encodeEntry } from "../../../host/log/entry.ts";
import { EMPTY_ROOT, leafHash } from "../../../host/log/merkle.ts";
import { type IndexProof, SubjectIndex, verifyIndexProof } from "../../../host/log/subject-index.ts";
import { flipped, logCodeOf } from "./tree.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const h = (...parts: Uint8Array[]) => new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest());
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Keys that share long prefixes as well as such that differ at once. */
const anyKey = fc.oneof(
  bytes(32),
  fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 })).map(([bit, other]) => {
    const key = flipped(new Uint8Array(32), bit);
    return other % 3 === 0 ? flipped(key, other) : key;
  }),
);
const anyHistory = fc.array(fc.record({ key: anyKey, hash: bytes(32) }), { maxLength: 60 });
type History = readonly { readonly key: Uint8Array; readonly hash: Uint8Array }[];
type Row = { key: Uint8Array; count: number; head: Uint8Array };

const u64 = (value: number) => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
};
const bits = (key: Uint8Array) => [...key].map((byte) => byte.toString(2).padStart(8, "0")).join("");

/** Root by the definition: sort the rows and split them at the first bit in which they differ. */
function naiveRoot(rows: readonly Row[]): Uint8Array {
  if (rows.length === 0) return h();
  if (rows.length === 1) return h(Uint8Array.of(0x10), rows[0]!.key, u64(rows[0]!.count), rows[0]!.head);
  const all = rows.map(({ key }) => bits(key));
  const bit = [...all[0]!].findIndex((value, at) => all.some((one) => one[at] !== value));
  const side = (value: string) => naiveRoot(rows.filter((_, at) => all[at]![bit] === value));
  return h(Uint8Array.of(0x11, bit), side("0"), side("1"));
}

function naiveRows(history: History): Row[] {
  const rows = new Map<string, Row>();
  for (const [index, { key, hash }] of history.entries()) {
    const before = rows.get(hexOf(key)) ?? { key, count: 0, head: new Uint8Array(32) };
    const head = h(Uint8Array.of(0x12), before.head, u64(index), hash);
    rows.set(hexOf(key), { key, count: before.count + 1, head });
  }
  return [...rows.values()];
}

function indexOf(history: History): SubjectIndex {
  return history.reduce((index, { key, hash }, at) => index.with(key, at, hash), SubjectIndex.EMPTY);
}

describe("the index", () => {
  it("has the root, the count and the rows of its definition", () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const index = indexOf(history);
        const rows = naiveRows(history);
        expect(hexOf(index.root)).toBe(hexOf(naiveRoot(rows)));
        expect(index.count).toBe(rows.length);
        for (const { key, count, head } of rows) expect(index.get(key)).toEqual({ count, head });
      }),
    );
    expect(SubjectIndex.EMPTY.root).toEqual(EMPTY_ROOT);
  });

  it("comes out alike from its rows, in any order", () => {
    fc.assert(
      fc.property(anyHistory, fc.infiniteStream(fc.nat()), (history, order) => {
        const rows = naiveRows(history)
          .map((row) => ({ row, place: order.next().value as number }))
          .sort((a, b) => a.place - b.place);
        const index = SubjectIndex.from(rows.map(({ row }) => row));
        expect([hexOf(index.root), index.count]).toEqual([hexOf(indexOf(history).root), rows.length]);
      }),
    );
    const row = { key: new Uint8Array(32), count: 1, head: new Uint8Array(32) };
    expect(() => SubjectIndex.from([row, row])).toThrow(RangeError);
    expect(() => SubjectIndex.from([{ ...row, key: new Uint8Array(31) }])).toThrow(RangeError);
  });

  it("stays what it was when another is made from it", () => {
    fc.assert(
      fc.property(anyHistory, anyKey, (history, key) => {
        const index = indexOf(history);
        const [root, had] = [hexOf(index.root), index.get(key)];
        const more = index.with(key, 99, new Uint8Array(32).fill(9));
        expect(hexOf(more.root)).not.toBe(root);
        expect([hexOf(index.root), index.get(key)]).toEqual([root, had]);
      }),
    );
  });

  it("takes a leaf of the log for the devices that it names", () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const entry = encodeEntry({ kind: "commitment", type: ObjectType.LICENSE, commitment: a, subjects: [a, b, a] });
    const index = SubjectIndex.EMPTY.withEntry(4, entry).withEntry(
      5,
      encodeEntry({ kind: "index", subjects: 2, root: a }),
    );
    const by = SubjectIndex.EMPTY.with(a, 4, leafHash(entry)).with(b, 4, leafHash(entry));
    expect([hexOf(index.root), index.count]).toEqual([hexOf(by.root), 2]);
  });
});

describe("a proof of the index", () => {
  it("tells what there is of a key, and that there is nothing", () => {
    fc.assert(
      fc.property(anyHistory, anyKey, (history, stranger) => {
        const index = indexOf(history);
        for (const key of [stranger, ...history.map((one) => one.key)]) {
          expect(verifyIndexProof(index.root, key, index.prove(key))).toEqual(index.get(key));
        }
      }),
    );
  });

  it("is refused with any bit of it changed", async () => {
    const history = Array.from({ length: 40 }, (_, i) => ({ key: h(u64(i % 30)), hash: h(u64(i + 100)) }));
    const index = indexOf(history);
    const some = fc.record({ who: fc.nat({ max: 45 }), at: fc.nat(), bit: fc.nat({ max: 255 }) });
    await fc.assert(
      fc.asyncProperty(some, async ({ who, at, bit }) => {
        const key = h(u64(who));
        const proof = index.prove(key);
        const leaf = proof.leaf!;
        const place = at % proof.steps.length;
        const step = proof.steps[place]!;
        const changed: IndexProof[] = [
          { ...proof, leaf: { ...leaf, key: flipped(leaf.key, bit) } },
          { ...proof, leaf: { ...leaf, count: leaf.count + 1 } },
          { ...proof, leaf: { ...leaf, count: 0 } },
          { ...proof, leaf: { ...leaf, count: 2 ** 53 } },
          { ...proof, leaf: { ...leaf, head: flipped(leaf.head, bit) } },
          { ...proof, leaf: { ...leaf, head: leaf.head.slice(1) } },
          { ...proof, leaf: undefined },
          { steps: [], leaf: undefined },
          { leaf, steps: proof.steps.with(place, { ...step, sibling: flipped(step.sibling, bit) }) },
          { leaf, steps: proof.steps.with(place, { ...step, bit: (step.bit + 1) % 256 }) },
          { leaf, steps: proof.steps.with(place, { ...step, bit: step.bit + 0.5 }) },
          { leaf, steps: proof.steps.with(place, { ...step, sibling: step.sibling.slice(1) }) },
          { leaf, steps: proof.steps.toSpliced(place, 1) },
          { leaf, steps: [...proof.steps, step] },
          { leaf, steps: proof.steps.toReversed().concat(step) },
        ];
        for (const one of changed) {
          expect(await logCodeOf(() => verifyIndexProof(index.root, key, one))).toBe("log/index-proof");
        }
        expect(await logCodeOf(() => verifyIndexProof(flipped(index.root, bit), key, proof))).toBe("log/index-proof");
        expect(await logCodeOf(() => verifyIndexProof(index.root, key.slice(1), proof))).toBe("log/index-proof");
      }),
    );
  });

  it("for one key does not show another one absent", async () => {
    const keys = Array.from({ length: 30 }, (_, i) => h(u64(i)));
    const index = indexOf(keys.map((key) => ({ key, hash: key })));
    for (const key of keys) {
      for (const other of keys) {
        if (other === key) continue;
        // Keys that are both there part at some bit on the way, which the proof names.
        expect(await logCodeOf(() => verifyIndexProof(index.root, key, index.prove(other)))).toBe("log/index-proof");
      }
    }
  });

  it("grows with the logarithm of the subjects", () => {
    const most = (count: number) => {
      let index = SubjectIndex.EMPTY;
      for (let i = 0; i < count; i++) index = index.with(h(u64(i)), i, EMPTY_ROOT);
      return Math.max(...Array.from({ length: 100 }, (_, i) => index.prove(h(u64(i))).steps.length));
    };
    // A random trie of n keys is 2 log2 n high at most, nearly always.
    for (const power of [4, 7, 10, 13]) expect(most(2 ** power)).toBeLessThanOrEqual(2 * power + 4);
  });
});
