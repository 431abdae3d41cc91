/**
 * Proof that nothing was logged for a device in a time range: two cosigned heads, one that the witness quorum saw no later
 * than the range begins, one that it saw no earlier than it ends; each with the index entry that it ends in, and what the
 * index has for the device, which is the same in both. Sound as far as one honest monitor rebuilds the index: docs/log.md.
 */
import { sameBytes } from "../verifier/bytes.ts";
import { encodeEntry, type IndexEntry, subjectKey } from "./entry.ts";
import { LogError } from "./errors.ts";
import { type CosignedCheckpoint, headOf, type LogKeys, openCosigned } from "./log-keys.ts";
import { leafHash, rootFromInclusion, verifyConsistency } from "./merkle.ts";
import type { Mirror } from "./mirror.ts";
import { IndexReplay } from "./replay.ts";
import { type IndexProof, type SubjectEntries, type SubjectIndex, verifyIndexProof } from "./subject-index.ts";
import { consistencyProof, inclusionProof } from "./tiles.ts";

/** A head, and what its index has for the device. */
export interface HeadProof {
  /** The note. */
  readonly checkpoint: string;
  /** What the last leaf says. */
  readonly entry: Omit<IndexEntry, "kind">;
  readonly inclusion: readonly Uint8Array[];
  readonly index: IndexProof;
}

/** A range in whole Unix seconds: witnesses' clocks tell no less, so the very seconds of both ends are not in it. */
export interface TimeRange {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

export interface NonIssuanceProof extends TimeRange {
  /** 33 bytes. */
  readonly ueid: Uint8Array;
  readonly first: HeadProof;
  readonly last: HeadProof;
  /** From the first head to the last; empty for heads of one size. */
  readonly consistency: readonly Uint8Array[];
}

export interface NonIssued extends TimeRange {
  readonly ueid: Uint8Array;
  readonly first: CosignedCheckpoint;
  readonly last: CosignedCheckpoint;
  /** Entries for the device before the range: none of them is in it. */
  readonly count: number;
}

/**
 * Throws a `LogError`: `log/range` where the quorum's times do not bracket the range, `log/issued` where the index has more
 * in the last head, and what `openCosigned`, inclusion, consistency and index proofs are refused with.
 */
export function verifyNonIssuance(proof: NonIssuanceProof, keys: LogKeys): NonIssued {
  const { ueid, fromSeconds, toSeconds } = proof;
  checkAsked(proof, keys);
  const key = subjectKey(ueid);
  const [first, before] = verifyHead(proof.first, key, keys);
  const [last, after] = verifyHead(proof.last, key, keys);
  if (!verifyConsistency(first.size, last.size, first.root, last.root, proof.consistency)) {
    throw new LogError("log/consistency", `${headOf(last)} is not shown to go on from ${headOf(first)}`);
  }
  if (!isSeenBy(first, keys, fromSeconds))
    refuseRange(`${headOf(first)} was not cosigned by the quorum when it begins`);
  if (!isSeenAfter(last, keys, toSeconds)) refuseRange(`${headOf(last)} was not cosigned by the quorum after it ends`);
  checkSame(before, after);
  return { ueid, fromSeconds, toSeconds, first, last, count: before?.count ?? 0 };
}

function verifyHead(
  { checkpoint, entry, inclusion, index }: HeadProof,
  key: Uint8Array,
  keys: LogKeys,
): [CosignedCheckpoint, SubjectEntries | undefined] {
  const head = openCosigned(checkpoint, keys);
  const leaf = leafHash(encodeEntry({ kind: "index", ...entry }));
  if (!sameBytes(rootFromInclusion(head.size - 1, head.size, leaf, inclusion), head.root)) {
    throw new LogError("log/index-entry", `${headOf(head)} does not end in this index entry`);
  }
  return [head, verifyIndexProof(entry.root, key, index)];
}

/**
 * A proof from a mirror. Throws a `LogError`: `log/range` where the mirror has no two heads that the quorum cosigned on both
 * sides, `log/issued` where something was logged between them, and what `Mirror` throws.
 */
export async function proveNonIssuance(
  mirror: Mirror,
  keys: LogKeys,
  ueid: Uint8Array,
  range: TimeRange,
): Promise<NonIssuanceProof> {
  checkAsked(range, keys);
  const [first, last] = await headsAround(mirror, keys, range);
  const key = subjectKey(ueid);
  const replay = new IndexReplay();
  let before: SubjectIndex | undefined;
  for await (const { bytes } of mirror.leaves(0, last.size)) {
    replay.take(bytes);
    if (replay.size === first.size) before = replay.index;
  }
  const after = replay.index;
  checkSame(before!.get(key), after.get(key));
  return {
    ueid,
    ...range,
    first: await proveHead(mirror, first, before!, key),
    last: await proveHead(mirror, last, after, key),
    consistency: await consistencyProof(mirror, first.size, last.size),
  };
}

async function proveHead(
  mirror: Mirror,
  head: CosignedCheckpoint,
  index: SubjectIndex,
  key: Uint8Array,
): Promise<HeadProof> {
  return {
    checkpoint: head.note,
    entry: { subjects: index.count, root: index.root },
    inclusion: await inclusionProof(mirror, head.size - 1, head.size),
    index: index.prove(key),
  };
}

/** The largest head that was cosigned by the beginning; of those as large that were cosigned after the end, the smallest. */
async function headsAround(
  mirror: Mirror,
  keys: LogKeys,
  { fromSeconds, toSeconds }: TimeRange,
): Promise<[CosignedCheckpoint, CosignedCheckpoint]> {
  const heads: CosignedCheckpoint[] = [];
  for await (const head of mirror.history()) if (head.size > 0 && head.size <= mirror.size) heads.push(head);
  heads.sort((a, b) => a.size - b.size);
  const first = heads.findLast((head) => isSeenBy(head, keys, fromSeconds));
  if (!first) refuseRange("the mirror has no head that the quorum cosigned by its beginning");
  const last = heads.find((head) => head.size >= first.size && isSeenAfter(head, keys, toSeconds));
  if (!last) refuseRange("the mirror has no head that the quorum cosigned after its end");
  return [first, last];
}

function isSeenBy({ cosignatures }: CosignedCheckpoint, { witnessQuorum }: LogKeys, bySeconds: number): boolean {
  return cosignatures.filter(({ seconds }) => seconds <= bySeconds).length >= witnessQuorum;
}

function isSeenAfter({ cosignatures }: CosignedCheckpoint, { witnessQuorum }: LogKeys, fromSeconds: number): boolean {
  return cosignatures.filter(({ seconds }) => seconds >= fromSeconds).length >= witnessQuorum;
}

/** Times are the witnesses': without any, there is no range. */
function checkAsked({ fromSeconds, toSeconds }: TimeRange, { witnessQuorum }: LogKeys): void {
  if (witnessQuorum === 0)
    throw new LogError("log/witness-quorum", "a time range takes the word of a witness at least");
  if (!(fromSeconds >= 0 && fromSeconds <= toSeconds)) refuseRange("it ends before it begins");
}

function checkSame(before: SubjectEntries | undefined, after: SubjectEntries | undefined): void {
  if (before?.count !== after?.count || (before && after && !sameBytes(before.head, after.head))) {
    const count = (after?.count ?? 0) - (before?.count ?? 0);
    throw new LogError("log/issued", `${count} of the log's entries between the two heads are for this device`);
  }
}

function refuseRange(message: string): never {
  throw new LogError("log/range", `the time range: ${message}`);
}
