/**
 * The heads of logs that whoever keeps them was shown, and what they prove together. Two heads that no one log can have
 * are a split view: both are kept for ever, since with the log's own signatures they convince everyone. docs/witness.md,
 * "Gossip".
 */
import { sameBytes } from "../verifier/bytes.ts";
import { type CheckpointNote, openCheckpoint, ownNote, parseCheckpoint } from "./checkpoint.ts";
import { LogError } from "./errors.ts";
import { EMPTY_ROOT, isPowerOfTwo, rootsFromConsistency, verifyConsistency } from "./merkle.ts";
import { formatVkey, type NoteKey, parseVkey } from "./note.ts";
import type { SplitEvidence } from "./split-view.ts";
import { consistencyProof, prefixRoot, type TileSource } from "./tiles.ts";

/** A head that its log signed. */
export interface KnownHead {
  /** Vkey of the log's key: another key is another log. */
  readonly log: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The checkpoint with the log's own signature alone. */
  readonly note: string;
  /** Whether it is known to be of one log with the others; the first one is, as there is no other. */
  readonly isLinked: boolean;
}

/** Two heads that the log signed, of which one at most is of its tree. */
export interface HeadSplit {
  readonly log: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
  /** Of the same size, and then with another root; or of a larger one, whose tree begins otherwise. */
  readonly otherSize: number;
  readonly otherRoot: Uint8Array;
  readonly otherNote: string;
  /** For two sizes: the path from another root at `size`, as `SplitEvidence` has it. */
  readonly proof: SplitEvidence["proof"] | undefined;
}

/** Where heads are kept. What one offer reads and writes is one transaction, which whoever calls sees to. */
export interface HeadShelf {
  head(log: string, size: number): Promise<KnownHead | undefined>;
  /** The largest of those that are linked. */
  newest(log: string): Promise<KnownHead | undefined>;
  /** In place of one of the same size; one that is not linked only where there is room (`HEADS_KEPT`). */
  put(head: KnownHead): Promise<void>;
  /** Unless it is there already. */
  putSplit(view: HeadSplit): Promise<void>;
}

/** A consistency path from a head that is known where it is offered. */
export interface HeadLink {
  readonly oldSize: number;
  /** As RFC 6962 has it; or with the old root in front where RFC 6962 leaves it out (`rootsFromConsistency`). */
  readonly proof: readonly Uint8Array[];
}

export type HeadOutcome =
  /** It is the newest now. */
  | { readonly kind: "taken"; readonly head: KnownHead }
  | { readonly kind: "known"; readonly head: KnownHead }
  /** It is smaller than the newest, or larger: a path between both is wanted. It is kept meanwhile, if there is room. */
  | { readonly kind: "older" | "unlinked"; readonly head: KnownHead; readonly newest: KnownHead }
  | { readonly kind: "split"; readonly view: HeadSplit };

/**
 * Kept of each log: the largest that are linked, which is what comes next; and the first that are not, or a log could sign
 * larger ones until the two heads that convict it are gone.
 */
export const HEADS_KEPT = { linked: 256, unlinked: 64 } as const;
/** Kept of each log: the first, for ever. One is enough to convict a log. */
export const SPLITS_KEPT = 64;

/** Bytes of the longest checkpoint that is kept: extension lines, which logs of this project do not write, may be that long. */
const NOTE_BYTES_MAX = 4096;

/** Of a log by its vkey. */
export function originOf(log: string): string {
  return parseVkey(log).name;
}

/** The log among these that signed the note. Throws `LogError` (`log/origin`, `log/signature`, and as it is malformed). */
function logOf(note: string, logs: readonly NoteKey[]): { key: NoteKey; checkpoint: CheckpointNote } {
  const { origin } = parseCheckpoint(note);
  const named = logs.filter(({ name }) => name === origin);
  if (named.length === 0) throw new LogError("log/origin", `no log ${origin} is known here`);
  for (const [index, key] of named.entries()) {
    try {
      return { key, checkpoint: openCheckpoint(note, key) };
    } catch (error) {
      // Of several keys of one origin the last one says why not.
      if (index === named.length - 1) throw error;
    }
  }
  throw new LogError("log/signature", origin);
}

/**
 * Takes a head that one of these logs signed. Rejects with `LogError`: as `logOf`, and `log/consistency` for a path that
 * does not hold, or a head without leaves that has a root.
 */
export async function offerHead(
  shelf: HeadShelf,
  logs: readonly NoteKey[],
  shown: string,
  link?: HeadLink,
): Promise<HeadOutcome> {
  const { key, checkpoint } = logOf(shown, logs);
  const note = ownNote(checkpoint, [key]);
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX) {
    throw new LogError("log/checkpoint-malformed", `a checkpoint of over ${NOTE_BYTES_MAX} bytes`);
  }
  const { size, root } = checkpoint;
  const log = formatVkey(key);
  if (size === 0 && !sameBytes(root, EMPTY_ROOT)) {
    throw new LogError("log/consistency", "the root of no leaves is the hash of nothing");
  }
  const newest = await shelf.newest(log);
  const same = await shelf.head(log, size);
  // The first is one log with itself, and the empty tree with every other.
  const isFirst = newest === undefined || newest.size === 0;
  const head: KnownHead = { log, size, root, note, isLinked: same?.isLinked ?? (isFirst || size === 0) };
  if (same && !sameBytes(same.root, root)) return split(shelf, same, head, undefined);
  const base = link && link.oldSize < size ? await shelf.head(log, link.oldSize) : undefined;
  if (base && link) {
    const proof = judgeLink(base, head, link.proof);
    if (proof) return split(shelf, base, head, proof);
    // Whoever goes on from an older head than the newest may be at odds with those between.
    const isNext = base.isLinked && base.size === newest!.size;
    if (!head.isLinked && isNext) return joined(shelf, base, head, "taken");
    if (head.isLinked && !base.isLinked) return joined(shelf, base, head, "known");
  }
  if (!same) await shelf.put(head);
  if (head.isLinked) return { kind: !same && isFirst ? "taken" : "known", head };
  return { kind: size < newest!.size ? "older" : "unlinked", head, newest: newest! };
}

/** Both are of one log now, since one of them was. */
async function joined(
  shelf: HeadShelf,
  base: KnownHead,
  head: KnownHead,
  kind: "taken" | "known",
): Promise<HeadOutcome> {
  await shelf.put({ ...base, isLinked: true });
  await shelf.put({ ...head, isLinked: true });
  return { kind, head: { ...head, isLinked: true } };
}

async function split(
  shelf: HeadShelf,
  known: KnownHead,
  other: KnownHead,
  proof: HeadSplit["proof"],
): Promise<HeadOutcome> {
  const { log, size, root, note } = known;
  const view = { log, size, root, note, otherSize: other.size, otherRoot: other.root, otherNote: other.note, proof };
  await shelf.putSplit(view);
  return { kind: "split", view };
}

/**
 * Undefined where the path leads from the one to the other; else the path, which comes from another root. Throws
 * `LogError` (`log/consistency`) for a path that leads nowhere.
 */
function judgeLink(base: KnownHead, head: KnownHead, proof: readonly Uint8Array[]): HeadSplit["proof"] {
  // From the empty tree a path leads everywhere, and says nothing.
  if (base.size === 0) return undefined;
  if (verifyConsistency(base.size, head.size, base.root, head.root, proof)) return undefined;
  const roots = rootsFromConsistency(base.size, head.size, proof);
  if (!roots || !sameBytes(roots.root, head.root)) {
    throw new LogError("log/consistency", `no path from ${base.size} to ${head.size} leaves`);
  }
  // With the root in front it may be the right path all the same.
  if (sameBytes(roots.oldRoot, base.root)) return undefined;
  return proof;
}

/**
 * The path from one head to a larger one by the tiles of a log that has at least as many leaves, as `HeadLink` has
 * it: whether it begins at the smaller head's root is for whoever is offered it to see. Undefined
 * where the tiles are of another tree than the larger head. Rejects with `LogError` (`log/tile`), and as the source does.
 */
export async function linkByTiles(
  source: TileSource,
  oldSize: number,
  { size, root }: Pick<KnownHead, "size" | "root">,
): Promise<HeadLink | undefined> {
  if (oldSize === 0 || oldSize >= size) return undefined;
  const path = await consistencyProof(source, oldSize, size);
  const proof = isPowerOfTwo(oldSize) ? [await prefixRoot(source, oldSize, size), ...path] : path;
  const roots = rootsFromConsistency(oldSize, size, proof);
  return roots && sameBytes(roots.root, root) ? { oldSize, proof } : undefined;
}
