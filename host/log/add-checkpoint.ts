/**
 * What a log sends a witness (C2SP tlog-witness, `add-checkpoint`), and verifiers and agents each other: the size of the
 * head that is known there, a consistency proof from it, and the checkpoint.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { type CheckpointNote, parseCheckpoint, parseSize } from "./checkpoint.ts";
import { LogError } from "./errors.ts";
import { NOTE_BYTES_MAX } from "./note.ts";

export interface AddCheckpoint {
  /** Of the head that the proof begins at; 0 without one. */
  readonly oldSize: number;
  /** Digests of a consistency proof (RFC 6962 section 2.1.2), at most 63. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, whole. */
  readonly note: string;
}

const PROOF_LINES_MAX = 63;
const DIGEST_LINE_BYTES = 45;
const SIZE_LINE_BYTES_MAX = "old 9007199254740991\n".length;
/** Bytes of the longest request. */
export const ADD_CHECKPOINT_BYTES_MAX = SIZE_LINE_BYTES_MAX + PROOF_LINES_MAX * DIGEST_LINE_BYTES + 1 + NOTE_BYTES_MAX;

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return [`old ${oldSize}`, ...proof.map(toBase64), "", note].join("\n");
}

/** Throws `LogError` (`log/request-malformed`, `log/note-malformed`, `log/checkpoint-malformed`). */
export function parseAddCheckpoint(text: string): AddCheckpoint & { checkpoint: CheckpointNote } {
  const end = text.indexOf("\n\n");
  if (end < 0) throw malformed("an empty line parts the proof from the checkpoint");
  const [first, ...lines] = text.slice(0, end).split("\n");
  const oldSize = first!.startsWith("old ") ? parseSize(first!.slice("old ".length)) : undefined;
  if (oldSize === undefined) throw malformed("the first line is `old` and a size without leading zeros");
  if (lines.length > PROOF_LINES_MAX) throw malformed(`a proof has at most ${PROOF_LINES_MAX} lines`);
  const proof = lines.map((line) => {
    const digest = fromBase64(line);
    if (digest?.length !== Limit.DIGEST_BYTES) throw malformed("a line of a proof is 32 bytes in canonical base64");
    return digest;
  });
  const note = text.slice(end + 2);
  return { oldSize, proof, note, checkpoint: parseCheckpoint(note) };
}

function malformed(what: string): LogError {
  return new LogError("log/request-malformed", what);
}
