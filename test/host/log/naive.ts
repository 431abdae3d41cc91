/** RFC 6962 section 2.1 by its own recursive definitions, over all entries at once: what the log's code is held against. */
import { createHash } from "node:crypto";

const h = (...parts: Uint8Array[]) => new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest());

/** k: the largest power of two smaller than n. */
function split(n: number): number {
  return n <= 2 ? 1 : 2 * split(Math.ceil(n / 2));
}

export function MTH(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return h();
  if (entries.length === 1) return h(Uint8Array.of(0), entries[0]!);
  const k = split(entries.length);
  return h(Uint8Array.of(1), MTH(entries.slice(0, k)), MTH(entries.slice(k)));
}

export function PATH(m: number, entries: readonly Uint8Array[]): Uint8Array[] {
  if (entries.length === 1) return [];
  const k = split(entries.length);
  return m < k
    ? [...PATH(m, entries.slice(0, k)), MTH(entries.slice(k))]
    : [...PATH(m - k, entries.slice(k)), MTH(entries.slice(0, k))];
}

export function PROOF(m: number, entries: readonly Uint8Array[]): Uint8Array[] {
  return SUBPROOF(m, entries, true);
}

function SUBPROOF(m: number, entries: readonly Uint8Array[], isWhole: boolean): Uint8Array[] {
  if (m === entries.length) return isWhole ? [] : [MTH(entries)];
  const k = split(entries.length);
  return m <= k
    ? [...SUBPROOF(m, entries.slice(0, k), isWhole), MTH(entries.slice(k))]
    : [...SUBPROOF(m - k, entries.slice(k), false), MTH(entries.slice(0, k))];
}
