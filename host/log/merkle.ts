/**
 * The Merkle tree of the log: SHA-256 as RFC 6962 section 2.1 has it, proofs verified by the algorithms of RFC 9162
 * sections 2.1.3.2 and 2.1.4.2. Sizes and indexes are numbers, exact up to `Number.MAX_SAFE_INTEGER`.
 *
 * A proof that involves the empty tree says nothing, since every tree is consistent with it: all of them are refused.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { sha256 } from "../protocol/sha256.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { LogError } from "./errors.ts";

/** Bytes of every hash of the tree. */
export const HASH_BYTES = Limit.DIGEST_BYTES;

/** Root of a tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

/** Longest inclusion path of a tree whose size is a safe integer: one hash a level. */
export const PATH_MAX = 53;
/** Longest consistency path: one more, where the old tree's own last subtree has to be named. */
export const CONSISTENCY_PATH_MAX = PATH_MAX + 1;

const LEAF = 0x00;
const NODE = 0x01;

/** MTH of one entry: SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + entry.length);
  bytes[0] = LEAF;
  bytes.set(entry, 1);
  return sha256(bytes);
}

/** MTH of two subtrees: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = NODE;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return sha256(bytes);
}

/** The root that a leaf's hash and its path come to. Throws a `LogError` (`log/inclusion`) for a path of another form. */
export function rootFromInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
): Uint8Array {
  if (!isSize(index) || !isSize(size) || index >= size) refuse(`no leaf ${index} is in a tree of ${size}`);
  if (path.length > PATH_MAX || ![leaf, ...path].every(isHash)) refuse("the path is not of hashes, or too long");
  let place = index;
  let last = size - 1;
  let root = leaf;
  for (const hash of path) {
    if (last === 0) refuse("the path is too long for the tree");
    if (isOdd(place) || place === last) {
      root = nodeHash(hash, root);
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      root = nodeHash(root, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  if (last !== 0) refuse("the path is too short for the tree");
  return root;
}

/** Whether the path proves that the leaf with this hash is at `index` of the tree. */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  try {
    return sameBytes(rootFromInclusion(index, size, leaf, path), root);
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

/** Whether the path proves that the first `oldSize` leaves of the tree are the old tree. Equal sizes take no path. */
export function verifyConsistency(
  oldSize: number,
  size: number,
  oldRoot: Uint8Array,
  root: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (!isSize(oldSize) || !isSize(size) || oldSize === 0 || oldSize > size) return false;
  if (path.length > CONSISTENCY_PATH_MAX || ![oldRoot, root, ...path].every(isHash)) return false;
  if (oldSize === size) return path.length === 0 && sameBytes(oldRoot, root);
  const come = rootsFromConsistency(oldSize, size, isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path);
  return come !== undefined && sameBytes(come.oldRoot, oldRoot) && sameBytes(come.root, root);
}

/**
 * The roots that a consistency path comes to, each as the other makes it: of the tree of `size` leaves, and of its first
 * `oldSize`. Where `oldSize` is a power of two, the path has that root in front, which RFC 6962 leaves out. Undefined for
 * a path of another form.
 */
export function rootsFromConsistency(
  oldSize: number,
  size: number,
  path: readonly Uint8Array[],
): { oldRoot: Uint8Array; root: Uint8Array } | undefined {
  if (!isSize(oldSize) || !isSize(size) || oldSize === 0 || oldSize >= size) return undefined;
  const [first, ...rest] = path;
  if (first === undefined || rest.length > CONSISTENCY_PATH_MAX || !path.every(isHash)) return undefined;
  let place = oldSize - 1;
  let last = size - 1;
  while (isOdd(place)) [place, last] = [half(place), half(last)];
  let oldRoot = first;
  let root = first;
  for (const hash of rest) {
    if (last === 0) return undefined;
    if (isOdd(place) || place === last) {
      oldRoot = nodeHash(hash, oldRoot);
      root = nodeHash(hash, root);
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      root = nodeHash(root, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 ? { oldRoot, root } : undefined;
}

/** Whether a number is a size or an index of a tree: a safe integer that is not negative. */
export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The largest power of two below `size`, which is at least 2: where RFC 6962 splits a tree. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

export function isPowerOfTwo(size: number): boolean {
  let left = size;
  while (left > 1 && !isOdd(left)) left /= 2;
  return left === 1;
}

// Beyond 32 bits the operators on bits don't reach.
const half = (value: number) => Math.floor(value / 2);
const isOdd = (value: number) => value % 2 === 1;
const isHash = (bytes: Uint8Array) => bytes.length === HASH_BYTES;

function refuse(message: string): never {
  throw new LogError("log/inclusion", message);
}
