/**
 * Bytes that one rank puts on its links in a collective, by the ring algorithm (Patarasu and Yuan, Bandwidth optimal
 * all-reduce algorithms, JPDC 2009). In a ring every rank receives as many bytes as it sends.
 */

/** `sizeBytes` = the vector that every rank holds: 2(N-1)/N of it. */
export function ringAllReduceBytes(ranks: bigint, sizeBytes: bigint): bigint {
  return (2n * (ranks - 1n) * sizeBytes) / ranks;
}

/** `sizeBytes` = the whole vector, of which every rank ends (reduce-scatter) or starts (all-gather) with 1/N. */
function ringShardBytes(ranks: bigint, sizeBytes: bigint): bigint {
  return ((ranks - 1n) * sizeBytes) / ranks;
}

/** Bytes of one element, by the names that NCCL profiles use. */
const ELEMENT_BYTES: Record<string, bigint> = {
  double: 8n,
  long: 8n,
  int64: 8n,
  float: 4n,
  int: 4n,
  half: 2n,
  bfloat16: 2n,
  short: 2n,
  char: 1n,
  byte: 1n,
  bool: 1n,
  int8: 1n,
  float8_e4m3fn: 1n,
  float8_e5m2: 1n,
};

export type Collective = { name: string; inElements: bigint; outElements: bigint; dtype: string; ranks: bigint };

/**
 * Bytes that one rank sends and receives, or undefined where the record does not settle them: an unknown data type, or
 * a broadcast, reduce, send or receive, of which a profile does not say who the root or the peer is.
 */
export function collectiveBytes(collective: Collective): { sent: bigint; received: bigint } | undefined {
  const element = ELEMENT_BYTES[collective.dtype.toLowerCase().replace(/^c10::/, "")];
  if (element === undefined || collective.ranks < 1n) return undefined;
  const name = collective.name.toLowerCase().replace(/[^a-z]/g, "");
  const [into, out] = [collective.inElements * element, collective.outElements * element];
  const same = (bytes: bigint) => ({ sent: bytes, received: bytes });
  if (name.includes("allreduce")) return same(ringAllReduceBytes(collective.ranks, into));
  if (name.includes("reducescatter")) return same(ringShardBytes(collective.ranks, into));
  if (name.includes("allgather")) return same(ringShardBytes(collective.ranks, out));
  // Each rank's own part stays at home.
  if (name.includes("alltoall")) {
    return { sent: ringShardBytes(collective.ranks, into), received: ringShardBytes(collective.ranks, out) };
  }
  return undefined;
}
