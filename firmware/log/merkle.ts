/**
 * Merkle proofs over SHA-256: RFC 9162 section 2.1, the tree of RFC 6962. Nodes are 32 bytes; a path is its nodes at
 * `path`, `PATH_STRIDE` bytes apart, as an array of CBOR byte strings holds them. Trees are of at least one leaf.
 */
import { equalBytes } from "../crypto/equal";
import { sha256 } from "../crypto/sha256";
import { Limit } from "../protocol/limits";

const DIGEST: i32 = Limit.DIGEST_BYTES;
/** From one node of a path to the next: a head of two bytes lies between them. */
export const PATH_STRIDE: usize = 2 + Limit.DIGEST_BYTES;

/** 0x01, left, right: section 2.1.1. */
const PAIR: usize = memory.data(1 + 2 * DIGEST, 8);
/** The root of the older tree, and of the newer one, as the path leads to them. */
const OLDER: usize = memory.data(DIGEST, 8);
const NEWER: usize = memory.data(DIGEST, 8);

/** out = the hash of the node over both; `out` may be either. */
function hashNode(out: usize, left: usize, right: usize): void {
  store<u8>(PAIR, 1);
  memory.copy(PAIR + 1, left, DIGEST);
  memory.copy(PAIR + 1 + DIGEST, right, DIGEST);
  sha256(PAIR, 1 + 2 * DIGEST, out);
}

/** Whether the path leads from the leaf's hash to the root of the tree of `size` leaves: section 2.1.3.2. */
export function includes(root: usize, size: u64, index: u64, leafHash: usize, path: usize, count: i32): bool {
  if (index >= size) return false;
  let place = index;
  let last = size - 1;
  memory.copy(NEWER, leafHash, DIGEST);
  for (let i = 0; i < count; i++) {
    const node = path + <usize>i * PATH_STRIDE;
    if (last == 0) return false;
    if ((place & 1) == 1 || place == last) {
      hashNode(NEWER, node, NEWER);
      const rise: u64 = place == 0 ? 0 : ctz<u64>(place);
      place >>= rise;
      last >>= rise;
    } else hashNode(NEWER, NEWER, node);
    place >>= 1;
    last >>= 1;
  }
  return last == 0 && equalBytes(NEWER, root, DIGEST) != 0;
}

/** Whether the tree of `size` leaves begins with that of `oldSize`, 0 < oldSize < size: section 2.1.4.2. */
export function continues(oldRoot: usize, oldSize: u64, root: usize, size: u64, path: usize, count: i32): bool {
  if (oldSize == 0 || oldSize >= size || count == 0) return false;
  // A perfect older tree is a node of the newer one itself, and stands in no path.
  const perfect = (oldSize & (oldSize - 1)) == 0;
  const rise: u64 = ctz<u64>(oldSize);
  let place = (oldSize - 1) >> rise;
  let last = (size - 1) >> rise;
  memory.copy(OLDER, perfect ? oldRoot : path, DIGEST);
  memory.copy(NEWER, OLDER, DIGEST);
  for (let i = perfect ? 0 : 1; i < count; i++) {
    const node = path + <usize>i * PATH_STRIDE;
    if (last == 0) return false;
    if ((place & 1) == 1 || place == last) {
      hashNode(OLDER, node, OLDER);
      hashNode(NEWER, node, NEWER);
      const skip: u64 = place == 0 ? 0 : ctz<u64>(place);
      place >>= skip;
      last >>= skip;
    } else hashNode(NEWER, NEWER, node);
    place >>= 1;
    last >>= 1;
  }
  if (last != 0 || equalBytes(OLDER, oldRoot, DIGEST) == 0) return false;
  return equalBytes(NEWER, root, DIGEST) != 0;
}
