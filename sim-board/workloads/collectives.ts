/**
 * Bytes that one rank puts on its links in a collective, by the ring algorithm (Patarasu and Yuan, Bandwidth optimal
 * all-reduce algorithms, JPDC 2009). In a ring every rank receives as many bytes as it sends.
 */

/** `sizeBytes` = the vector that every rank holds: 2(N-1)/N of it. */
export function ringAllReduceBytes(ranks: bigint, sizeBytes: bigint): bigint {
  return (2n * (ranks - 1n) * sizeBytes) / ranks;
}

/** `sizeBytes` = the whole vector, of which every rank ends (reduce-scatter) or starts (all-gather) with 1/N. */
export function ringShardBytes(ranks: bigint, sizeBytes: bigint): bigint {
  return ((ranks - 1n) * sizeBytes) / ranks;
}

/** `sizeBytes` = what one rank sends to all, its own part included: that part stays at home. */
export function allToAllBytes(ranks: bigint, sizeBytes: bigint): bigint {
  return ringShardBytes(ranks, sizeBytes);
}
