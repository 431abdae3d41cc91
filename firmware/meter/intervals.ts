/**
 * The interval log between two usage reports: what each class did, slice by slice, as the leaves of a Merkle-sum tree
 * (docs/protocol.md, "Intervals"). When the leaves are full, neighbors are merged and each holds twice the slices, so
 * nothing is ever left out. No grant is made that could let a sum pass 64 bits (`reportIsDue`).
 */
import { SHA256_CONTEXT_BYTES, sha256, sha256Begin, sha256End, sha256Update } from "../crypto/sha256";
import { ticks } from "../hal";
import { EngineClass } from "../protocol/classes";
import { Limit } from "../protocol/limits";
import { CLASSES, INTERVAL_BYTES, intervalAt, reportTotalOf, session, totalOf } from "../state";
import { quantityBeyond } from "./quantity";

/** Starts the log of a new report. */
export function intervalsReset(): void {
  memory.fill(intervalAt(0), 0, <usize>Limit.INTERVALS_MAX * INTERVAL_BYTES);
  session.intervalCount = 0;
  session.intervalWidth = 1;
  session.intervalSlices = 0;
  session.reportTick = ticks();
}

/** Starts the log after a power-up: what the last report does not cover yet is its first interval. */
export function startIntervals(): void {
  intervalsReset();
  for (let c: u32 = 0; c < CLASSES; c++) {
    const unreported = quantityBeyond(totalOf(c), reportTotalOf(c));
    if (unreported != 0) intervalsAdd(c, unreported);
  }
}

/** Adds settled work to the newest interval. */
export function intervalsAdd(engineClass: u32, amount: u64): void {
  if (session.intervalCount == 0) openInterval();
  const leaf = intervalAt(session.intervalCount - 1);
  store<u64>(leaf, ticks());
  const sum = leaf + 8 + ((<usize>engineClass) << 3);
  store<u64>(sum, load<u64>(sum) + amount);
}

/** A slice begins: the next interval, if the newest one is full. */
export function intervalsNextSlice(): void {
  if (session.intervalCount == 0) return;
  session.intervalSlices += 1;
  if (session.intervalSlices >= session.intervalWidth) openInterval();
}

function openInterval(): void {
  if (session.intervalCount == Limit.INTERVALS_MAX) mergeNeighbors();
  const leaf = intervalAt(session.intervalCount);
  memory.fill(leaf, 0, INTERVAL_BYTES);
  store<u64>(leaf, ticks());
  session.intervalCount += 1;
  session.intervalSlices = 0;
}

function mergeNeighbors(): void {
  const half: u32 = Limit.INTERVALS_MAX / 2;
  for (let i: u32 = 0; i < half; i++) {
    const left = intervalAt(2 * i);
    const right = intervalAt(2 * i + 1);
    for (let c: usize = 0; c < <usize>CLASSES; c++) {
      const at: usize = 8 + (c << 3);
      store<u64>(right + at, load<u64>(right + at) + load<u64>(left + at));
    }
    memory.copy(intervalAt(i), right, INTERVAL_BYTES);
  }
  session.intervalCount = <u8>half;
  session.intervalWidth <<= 1;
}

/** Whether granting `amount` more of a class could let what the next report covers pass 64 bits. */
export function reportIsDue(engineClass: u32, amount: u64): bool {
  const unreported = quantityBeyond(totalOf(engineClass), reportTotalOf(engineClass));
  return unreported > u64.MAX_VALUE - amount;
}

/** Bytes of a node: a hash, then the sums of all classes, 16 bytes each. */
const NODE_BYTES: usize = Limit.DIGEST_BYTES + EngineClass.COUNT * 16;
const nodes: usize = memory.data(Limit.INTERVALS_MAX * (32 + 12 * 16), 8);
const context: usize = memory.data(SHA256_CONTEXT_BYTES, 8);
const prefix: usize = memory.data(8);

/** Writes the leaves as they go on the wire, `INTERVAL_BYTES` each; returns their number of bytes. */
export function intervalsToWire(out: usize): i32 {
  const words = <u32>session.intervalCount * <u32>(INTERVAL_BYTES >> 3);
  for (let i: u32 = 0; i < words; i++) {
    store<u64>(out + ((<usize>i) << 3), bswap<u64>(load<u64>(intervalAt(0) + ((<usize>i) << 3))));
  }
  return <i32>(<u32>session.intervalCount * <u32>INTERVAL_BYTES);
}

/** The root of the Merkle-sum tree over the log: 32 bytes at `out`. Of no leaves: SHA-256 of nothing. */
export function intervalsRoot(out: usize): void {
  const count: u32 = session.intervalCount;
  if (count == 0) {
    sha256(out, 0, out);
    return;
  }
  for (let i: u32 = 0; i < count; i++) leafNode(intervalAt(i), nodes + <usize>i * NODE_BYTES);
  // Pairing neighbors level by level, an odd last one rising as it is, gives the tree of RFC 6962 section 2.1.
  let left = count;
  while (left > 1) {
    let to: u32 = 0;
    for (let from: u32 = 0; from + 1 < left; from += 2) {
      innerNode(nodes + <usize>from * NODE_BYTES, nodes + <usize>to * NODE_BYTES);
      to += 1;
    }
    if (left & 1) {
      memory.copy(nodes + <usize>to * NODE_BYTES, nodes + <usize>(left - 1) * NODE_BYTES, NODE_BYTES);
      to += 1;
    }
    left = to;
  }
  memory.copy(out, nodes, Limit.DIGEST_BYTES);
}

const tickBytes: usize = memory.data(8);

function leafNode(leaf: usize, node: usize): void {
  const sums = node + Limit.DIGEST_BYTES;
  for (let c: usize = 0; c < <usize>CLASSES; c++) {
    store<u64>(sums + (c << 4), 0);
    store<u64>(sums + (c << 4), bswap<u64>(load<u64>(leaf + 8 + (c << 3))), 8);
  }
  store<u8>(prefix, 0);
  store<u64>(tickBytes, bswap<u64>(load<u64>(leaf)));
  sha256Begin(context);
  sha256Update(context, prefix, 1);
  sha256Update(context, tickBytes, 8);
  sha256Update(context, sums, EngineClass.COUNT * 16);
  sha256End(context, node);
}

/** Hashes the node at `left` and the one right after it into `node`, which may be `left`. */
function innerNode(left: usize, node: usize): void {
  store<u8>(prefix, 1);
  sha256Begin(context);
  sha256Update(context, prefix, 1);
  sha256Update(context, left, 2 * <i32>NODE_BYTES);
  const right = left + NODE_BYTES;
  const sums = node + Limit.DIGEST_BYTES;
  for (let c: usize = 0; c < <usize>CLASSES; c++) {
    const at: usize = <usize>Limit.DIGEST_BYTES + (c << 4);
    const lowLeft = bswap<u64>(load<u64>(left + at, 8));
    const low = lowLeft + bswap<u64>(load<u64>(right + at, 8));
    const carry: u64 = low < lowLeft ? 1 : 0;
    const high = bswap<u64>(load<u64>(left + at)) + bswap<u64>(load<u64>(right + at)) + carry;
    store<u64>(sums + (c << 4), bswap<u64>(high));
    store<u64>(sums + (c << 4), bswap<u64>(low), 8);
  }
  sha256End(context, node);
}
