/**
 * The Merkle-sum tree over a usage report's intervals (docs/protocol.md, "Intervals"; shape of RFC 6962 section 2.1): one
 * interval can be shown, with proof that it belongs to the report and that the sums add up, without the others.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";
import { type AllWork, noWork, sumWork, workBytes } from "./work.ts";

/** What each class did from the end of the interval before up to `endTick`; every sum below 2^64. */
export interface Interval {
  readonly endTick: bigint;
  readonly work: AllWork;
}

/** A node of the tree: its hash, and what the leaves below it add up to. */
export interface SumNode {
  readonly hash: Uint8Array;
  readonly work: AllWork;
}

/** That a leaf is in a tree: its place, the number of leaves, and the siblings from the leaf up. */
export interface IntervalProof {
  readonly index: number;
  readonly leafCount: number;
  readonly siblings: readonly SumNode[];
}

export const INTERVAL_BYTES = 8 + EngineClass.COUNT * 8;

const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

/** The intervals as `REPORT` answers them, 104 bytes each. */
export function encodeIntervals(intervals: readonly Interval[]): Uint8Array {
  const bytes = new Uint8Array(intervals.length * INTERVAL_BYTES);
  const view = new DataView(bytes.buffer);
  intervals.forEach(({ endTick, work }, index) => {
    const at = index * INTERVAL_BYTES;
    [endTick, ...work].forEach((value, word) => {
      if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${value} has more than 64 bits`);
      view.setBigUint64(at + word * 8, value);
    });
  });
  return bytes;
}

/** Throws a `Refusal` (`CBOR_LENGTH`) unless it is a whole number of leaves, 8 at most. */
export function decodeIntervals(bytes: Uint8Array): Interval[] {
  const count = bytes.length / INTERVAL_BYTES;
  if (!Number.isInteger(count) || count > Limit.INTERVALS_MAX) {
    throw new Refusal(ErrorCode.CBOR_LENGTH, `${bytes.length} bytes are not 0 to ${Limit.INTERVALS_MAX} intervals`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const at = index * INTERVAL_BYTES;
    const work = noWork().map((_zero, engineClass) => view.getBigUint64(at + 8 + engineClass * 8));
    return { endTick: view.getBigUint64(at), work };
  });
}

/** The root: over no interval, SHA-256 of nothing and no work. */
export function intervalTree(intervals: readonly Interval[]): SumNode {
  if (intervals.length === 0) return { hash: sha256(new Uint8Array(0)), work: noWork() };
  if (intervals.length === 1) return leafNode(intervals[0]!);
  const split = splitOf(intervals.length);
  return innerNode(intervalTree(intervals.slice(0, split)), intervalTree(intervals.slice(split)));
}

/** Proof for the interval at `index`. Throws a `RangeError` where there is none. */
export function proveInterval(intervals: readonly Interval[], index: number): IntervalProof {
  if (!Number.isInteger(index) || index < 0 || index >= intervals.length) throw new RangeError(`no interval ${index}`);
  return { index, leafCount: intervals.length, siblings: siblingsOf(intervals, index) };
}

/**
 * Whether the interval is in the tree of this root, and all leaves' sums are its totals. A proof of the wrong length, or
 * of a place that is not in the tree, is none.
 */
export function checkInterval(interval: Interval, proof: IntervalProof, root: SumNode): boolean {
  const { index, leafCount, siblings } = proof;
  if (!Number.isInteger(index) || !Number.isInteger(leafCount)) return false;
  if (index < 0 || index >= leafCount || leafCount > Limit.INTERVALS_MAX) return false;
  const sides = sidesOf(index, leafCount);
  if (siblings.length !== sides.length) return false;
  if (![interval, ...siblings].every(({ work }) => work.length === EngineClass.COUNT && work.every(isSum)))
    return false;
  let node = leafNode(interval);
  sides.forEach((leafIsLeft, level) => {
    const sibling = siblings[level]!;
    node = leafIsLeft ? innerNode(node, sibling) : innerNode(sibling, node);
  });
  return Buffer.compare(node.hash, root.hash) === 0 && node.work.every((sum, c) => sum === root.work[c]);
}

/** Small enough that no sum of all leaves passes 128 bits. */
function isSum(work: bigint): boolean {
  return work >= 0n && work < 2n ** 96n;
}

/** RFC 6962 section 2.1: the largest power of two below the number of leaves. */
function splitOf(leafCount: number): number {
  return 2 ** (31 - Math.clz32(leafCount - 1));
}

function siblingsOf(intervals: readonly Interval[], index: number): SumNode[] {
  if (intervals.length === 1) return [];
  const split = splitOf(intervals.length);
  const left = intervals.slice(0, split);
  const right = intervals.slice(split);
  return index < split
    ? [...siblingsOf(left, index), intervalTree(right)]
    : [...siblingsOf(right, index - split), intervalTree(left)];
}

/** From the leaf up: whether the way comes from the left. */
function sidesOf(index: number, leafCount: number): boolean[] {
  if (leafCount === 1) return [];
  const split = splitOf(leafCount);
  return index < split ? [...sidesOf(index, split), true] : [...sidesOf(index - split, leafCount - split), false];
}

function leafNode({ endTick, work }: Interval): SumNode {
  const tick = new Uint8Array(8);
  new DataView(tick.buffer).setBigUint64(0, endTick);
  return { hash: hashOf(LEAF, tick, sumsBytes(work)), work };
}

function innerNode(left: SumNode, right: SumNode): SumNode {
  const hash = hashOf(INNER, left.hash, sumsBytes(left.work), right.hash, sumsBytes(right.work));
  return { hash, work: sumWork(left.work, right.work) };
}

function sumsBytes(work: AllWork): Uint8Array {
  return Buffer.concat(work.map(workBytes));
}

function hashOf(...parts: Uint8Array[]): Uint8Array {
  return sha256(Buffer.concat(parts));
}
