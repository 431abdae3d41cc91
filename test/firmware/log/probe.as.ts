// biome-ignore-all lint: AssemblyScript, which asc checks
// @ts-nocheck
/** The firmware's Merkle proofs, compiled for a test: nodes and paths as a CBOR array of byte strings holds them. */
import { continues, includes } from "../../../firmware/log/merkle";
import "../../../firmware/panic";

const area: usize = memory.data(8192, 8);

export function io(): usize {
  return area;
}

export function isIncluded(root: usize, size: u64, index: u64, leafHash: usize, path: usize, count: i32): i32 {
  return includes(root, size, index, leafHash, path, count) ? 1 : 0;
}

export function isContinued(oldRoot: usize, oldSize: u64, root: usize, size: u64, path: usize, count: i32): i32 {
  return continues(oldRoot, oldSize, root, size, path, count) ? 1 : 0;
}
