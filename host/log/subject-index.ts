/**
 * The subject index: for every device that the log names, how many entries name it, and a hash chain over them. A Merkle
 * Patricia trie over the 256 bits of subject keys, whose root each index entry of the log commits to; docs/log.md says
 * why it is built so.
 *
 *   head_0 = 32 zeros;  head_i = SHA-256(0x12 || head_{i-1} || u64 leaf index || leaf hash)
 *   leaf   = SHA-256(0x10 || key || u64 count || head)
 *   inner  = SHA-256(0x11 || u8 bit || left || right), only where both sides have keys; bit 0 is the first of the key
 *   root of an empty index = SHA-256 of nothing
 */
import { sha256 } from "../protocol/sha256.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { decodeEntry, entrySubjects } from "./entry.ts";
import { LogError } from "./errors.ts";
import { EMPTY_ROOT, HASH_BYTES, isSize, leafHash } from "./merkle.ts";

/** What the index says of one subject. */
export interface SubjectEntries {
  /** Entries that name it, at least 1. */
  readonly count: number;
  /** The chain over them. */
  readonly head: Uint8Array;
}

/** One subject of the index. */
export interface SubjectRow extends SubjectEntries {
  readonly key: Uint8Array;
}

/** The way from the root to the leaf that a key's bits lead to. */
export interface IndexProof {
  /** From the root down: which bit of the key decides, and the side that it does not take. Bits rise. */
  readonly steps: readonly { readonly bit: number; readonly sibling: Uint8Array }[];
  /** Undefined for an empty index. Where its key is another one, the index has no entry for the key. */
  readonly leaf?: SubjectRow;
}

/** Bits of a key. */
const KEY_BITS = 8 * HASH_BYTES;
const LEAF = 0x10;
const INNER = 0x11;
const CHAIN = 0x12;

type Leaf = SubjectRow & { hash?: Uint8Array };
type Inner = { readonly bit: number; readonly left: Node; readonly right: Node; hash?: Uint8Array };
type Node = Leaf | Inner;

/** Immutable: `with` gives a new index that shares what did not change. Hashes are computed when they are asked for. */
export class SubjectIndex {
  static readonly EMPTY = new SubjectIndex(undefined, 0);

  readonly #top: Node | undefined;
  /** Subjects. */
  readonly count: number;

  private constructor(top: Node | undefined, count: number) {
    this.#top = top;
    this.count = count;
  }

  /** From rows, whatever their order, each key once. */
  static from(rows: Iterable<SubjectRow>): SubjectIndex {
    let index = SubjectIndex.EMPTY;
    for (const { key, count, head } of rows) {
      if (index.get(key)) throw new RangeError("a subject has two rows");
      index = index.#put({ key, count, head });
    }
    return index;
  }

  get root(): Uint8Array {
    return this.#top ? hashOf(this.#top) : EMPTY_ROOT;
  }

  get(key: Uint8Array): SubjectEntries | undefined {
    const leaf = this.#reached(key);
    return leaf && sameBytes(leaf.key, key) ? { count: leaf.count, head: leaf.head } : undefined;
  }

  /** The index after one more entry that names the subject. */
  with(key: Uint8Array, leafIndex: number, hash: Uint8Array): SubjectIndex {
    const before = this.get(key);
    const head = chained(before?.head ?? new Uint8Array(HASH_BYTES), leafIndex, hash);
    return this.#put({ key, count: (before?.count ?? 0) + 1, head });
  }

  /** The index after one more leaf of the log. Throws a `LogError` (`log/entry-malformed`). */
  withEntry(leafIndex: number, entry: Uint8Array): SubjectIndex {
    const hash = leafHash(entry);
    let index: SubjectIndex = this;
    for (const key of entrySubjects(decodeEntry(entry))) index = index.with(key, leafIndex, hash);
    return index;
  }

  /** Proves what the index has for the key, or that it has nothing. */
  prove(key: Uint8Array): IndexProof {
    const steps: { bit: number; sibling: Uint8Array }[] = [];
    let node = this.#top;
    if (!node) return { steps };
    while (isInner(node)) {
      const [taken, other]: [Node, Node] = bitOf(key, node.bit) ? [node.right, node.left] : [node.left, node.right];
      steps.push({ bit: node.bit, sibling: hashOf(other) });
      node = taken;
    }
    return { steps, leaf: { key: node.key, count: node.count, head: node.head } };
  }

  #put(row: SubjectRow): SubjectIndex {
    if (row.key.length !== HASH_BYTES || row.head.length !== HASH_BYTES) throw new RangeError("not 32 bytes");
    const near = this.#reached(row.key);
    if (!near) return new SubjectIndex({ ...row }, 1);
    const bit = firstDifference(row.key, near.key);
    return new SubjectIndex(put(this.#top!, { ...row }, bit), bit === KEY_BITS ? this.count : this.count + 1);
  }

  #reached(key: Uint8Array): Leaf | undefined {
    let node = this.#top;
    while (node && isInner(node)) node = bitOf(key, node.bit) ? node.right : node.left;
    return node;
  }
}

/**
 * What the index with this root has for the key; undefined if it has nothing. Throws a `LogError` (`log/index-proof`)
 * unless the proof leads from the root to where the key is or would be.
 */
export function verifyIndexProof(root: Uint8Array, key: Uint8Array, proof: IndexProof): SubjectEntries | undefined {
  const { steps, leaf } = proof;
  if (key.length !== HASH_BYTES || root.length !== HASH_BYTES) refuse("a key or root that is not 32 bytes long");
  if (!leaf) {
    if (steps.length > 0 || !sameBytes(root, EMPTY_ROOT)) refuse("no leaf, and the index is not empty");
    return undefined;
  }
  if (leaf.key.length !== HASH_BYTES || leaf.head.length !== HASH_BYTES) refuse("a leaf of another form");
  if (!isSize(leaf.count) || leaf.count === 0) refuse("a leaf that counts nothing");
  let above = -1;
  for (const { bit, sibling } of steps) {
    if (!Number.isInteger(bit) || bit <= above || bit >= KEY_BITS) refuse("bits that do not rise from 0 to 255");
    if (sibling.length !== HASH_BYTES) refuse("a sibling that is not 32 bytes long");
    if (bitOf(leaf.key, bit) !== bitOf(key, bit)) refuse("a leaf that the key's bits do not lead to");
    above = bit;
  }
  let hash = hashOf({ ...leaf, hash: undefined });
  for (const { bit, sibling } of steps.toReversed()) {
    hash = bitOf(key, bit) ? innerHash(bit, sibling, hash) : innerHash(bit, hash, sibling);
  }
  if (!sameBytes(hash, root)) refuse("it does not lead to the index's root");
  return sameBytes(leaf.key, key) ? { count: leaf.count, head: leaf.head } : undefined;
}

/** A node with the leaf in it, whose key leaves those that are there at `bit`, or is one of them. */
function put(node: Node, leaf: Leaf, bit: number): Node {
  if (isInner(node) && node.bit < bit) {
    return bitOf(leaf.key, node.bit)
      ? { bit: node.bit, left: node.left, right: put(node.right, leaf, bit) }
      : { bit: node.bit, left: put(node.left, leaf, bit), right: node.right };
  }
  if (bit === KEY_BITS) return leaf;
  return bitOf(leaf.key, bit) ? { bit, left: node, right: leaf } : { bit, left: leaf, right: node };
}

function isInner(node: Node): node is Inner {
  return "bit" in node;
}

function hashOf(node: Node): Uint8Array {
  node.hash ??= isInner(node)
    ? innerHash(node.bit, hashOf(node.left), hashOf(node.right))
    : sha256(Buffer.concat([Uint8Array.of(LEAF), node.key, u64(node.count), node.head]));
  return node.hash;
}

function innerHash(bit: number, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([Uint8Array.of(INNER, bit), left, right]));
}

function chained(head: Uint8Array, leafIndex: number, hash: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([Uint8Array.of(CHAIN), head, u64(leafIndex), hash]));
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function bitOf(key: Uint8Array, bit: number): boolean {
  return ((key[bit >> 3]! >> (7 - (bit & 7))) & 1) === 1;
}

/** The first bit that differs; 256 if none does. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const byte = a.findIndex((value, at) => value !== b[at]);
  return byte < 0 ? KEY_BITS : byte * 8 + Math.clz32(a[byte]! ^ b[byte]!) - 24;
}

function refuse(message: string): never {
  throw new LogError("log/index-proof", message);
}
