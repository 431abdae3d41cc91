/**
 * Equivocation: two heads that one log signed and that are not of one append-only tree. Both notes are in the error and in
 * the file that is published: whoever has the log's key can verify them, and needs nobody's word.
 */
import { sameBytes } from "../verifier/bytes.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { LogError } from "./errors.ts";
import { CONSISTENCY_PATH_MAX, HASH_BYTES, rootsFromConsistency } from "./merkle.ts";
import type { NoteKey } from "./note.ts";

export interface SplitEvidence {
  /** The note of the smaller head, or of the one that was seen first. */
  readonly first: string;
  readonly second: string;
  /**
   * For heads of two sizes: the consistency path to the second from a root at the size of the first that is not the first's,
   * as `HeadLink` has it. Absent for one size.
   */
  readonly proof?: readonly Uint8Array[];
}

/** `log/split-view`, with what shows it. */
export class SplitView extends LogError {
  readonly evidence: SplitEvidence;

  constructor(message: string, evidence: SplitEvidence) {
    super("log/split-view", message);
    this.name = "SplitView";
    this.evidence = evidence;
  }

  get first(): string {
    return this.evidence.first;
  }

  get second(): string {
    return this.evidence.second;
  }

  get proof(): readonly Uint8Array[] | undefined {
    return this.evidence.proof;
  }
}

/** Longest file of a split view that is read: two notes, a path, and their JSON. */
export const SPLIT_VIEW_BYTES_MAX = 524_288;

/**
 * The sizes of two heads that contradict each other. Throws a `LogError`: `log/consistency` where they do not, and what
 * `openCheckpoint` throws for notes that this log did not sign.
 */
export function verifySplitView({ first, second, proof }: SplitEvidence, logKey: NoteKey): [number, number] {
  const [one, other] = [openCheckpoint(first, logKey), openCheckpoint(second, logKey)];
  const roots =
    one.size === other.size ? { oldRoot: other.root, root: other.root } : rootsOf(one.size, other.size, proof);
  if (!sameBytes(roots.root, other.root)) refuse("the path does not lead to the second head");
  if (sameBytes(roots.oldRoot, one.root)) refuse("these two heads do not contradict each other");
  return [one.size, other.size];
}

function rootsOf(oldSize: number, size: number, proof: readonly Uint8Array[] = []) {
  return rootsFromConsistency(oldSize, size, proof) ?? refuse("no path leads from the size of the first to the second");
}

/** As it is published: JSON, hashes in base64. */
export function formatSplitView({ first, second, proof }: SplitEvidence): string {
  const document = { code: "log/split-view", first, second, ...(proof && { proof: proof.map(toBase64) }) };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Throws a `LogError` (`log/proof-malformed`). */
export function parseSplitView(text: string): SplitEvidence {
  if (text.length > SPLIT_VIEW_BYTES_MAX) malformed("too long");
  const { code, first, second, proof } = membersOf(text);
  if (code !== "log/split-view" || typeof first !== "string" || typeof second !== "string") malformed("two notes");
  if (proof === undefined) return { first, second };
  if (!Array.isArray(proof) || proof.length > CONSISTENCY_PATH_MAX + 1) malformed("a path of hashes");
  return { first, second, proof: proof.map(hashOf) };
}

function membersOf(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch (cause) {
    throw new LogError("log/proof-malformed", "a split view is JSON", { cause });
  }
}

function hashOf(value: unknown): Uint8Array {
  const hash = typeof value === "string" ? fromBase64(value) : undefined;
  return hash?.length === HASH_BYTES ? hash : malformed("hashes in base64");
}

function malformed(what: string): never {
  throw new LogError("log/proof-malformed", `a split view is not of its form: ${what}`);
}

function refuse(message: string): never {
  throw new LogError("log/consistency", message);
}
