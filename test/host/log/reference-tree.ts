/** The tree as RFC 6962 sections 2.1 and 2.1.2 define it, by recursion over its leaves: slow, and independent of host/log. */
import { createHash } from "node:crypto";

const digest = (...parts: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** MTH of entries. */
export function rootOf(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return digest();
  if (entries.length === 1) return digest(Uint8Array.of(0), entries[0]!);
  const split = splitOf(entries.length);
  return digest(Uint8Array.of(1), rootOf(entries.slice(0, split)), rootOf(entries.slice(split)));
}

/** PROOF(m, D[n]), for 0 < m <= n. */
export function consistencyOf(oldSize: number, entries: readonly Uint8Array[]): Uint8Array[] {
  return subProof(oldSize, entries, true);
}

function subProof(oldSize: number, entries: readonly Uint8Array[], isWhole: boolean): Uint8Array[] {
  if (oldSize === entries.length) return isWhole ? [] : [rootOf(entries)];
  const split = splitOf(entries.length);
  const [left, right] = [entries.slice(0, split), entries.slice(split)];
  if (oldSize <= split) return [...subProof(oldSize, left, isWhole), rootOf(right)];
  return [...subProof(oldSize - split, right, false), rootOf(left)];
}

/** The largest power of two below the size. */
function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}
