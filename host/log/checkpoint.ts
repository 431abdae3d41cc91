/** Checkpoints (C2SP tlog-checkpoint): a signed note that says of a log how many leaves it has, and their root. */
import { Limit } from "../../firmware/protocol/limits.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { LogError } from "./errors.ts";
import { formatNote, type Note, type NoteKey, parseNote, signaturesBy } from "./note.ts";
import { isSameKey } from "./note-key.ts";

export interface Checkpoint {
  /** The log's identity. */
  readonly origin: string;
  /** Leaves, at most `Number.MAX_SAFE_INTEGER`. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** As it was read; nothing of it was verified. */
export interface CheckpointNote extends Checkpoint, Note {
  /** Opaque lines after the root: logs of this project write none. */
  readonly extensions: readonly string[];
  /** All of it, as it was signed. */
  readonly note: string;
}

/** A checkpoint that its log signed. */
export interface SignedCheckpoint extends CheckpointNote {
  /** 64 bytes of the log's key over the body. */
  readonly signature: Uint8Array;
}

/** The text that log and witnesses sign, without extension lines. Throws `LogError` (`log/checkpoint-malformed`). */
export function checkpointBody({ origin, size, root }: Checkpoint): string {
  const body = `${origin}\n${size}\n${toBase64(root)}\n`;
  const read = parseBody(body);
  if (read.origin !== origin || read.extensions.length > 0) throw malformed("an origin is one line");
  return body;
}

/** Throws `LogError` (`log/note-malformed`, `log/checkpoint-malformed`). */
export function parseCheckpoint(note: string): CheckpointNote {
  const { body, signatures } = parseNote(note);
  return { ...parseBody(body), body, note, signatures };
}

/**
 * A checkpoint of this log and no other: its origin is `origin` (default: the key's name), and its key signed it. Throws
 * `LogError` (`log/note-malformed`, `log/checkpoint-malformed`, `log/origin`, `log/signature`).
 */
export function openCheckpoint(note: string, logKey: NoteKey, origin = logKey.name): SignedCheckpoint {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint.origin !== origin) throw new LogError("log/origin", `a checkpoint of ${checkpoint.origin}`);
  const [signature] = signaturesBy(logKey, checkpoint);
  if (!signature) throw new LogError("log/signature", `${logKey.name} did not sign the checkpoint`);
  return { ...checkpoint, signature };
}

/**
 * The checkpoint with the signatures of the log's own keys and no other: what strangers wrote below it is not kept. Throws
 * `LogError` (`log/signature`) where none of them signed it.
 */
export function ownNote(checkpoint: CheckpointNote, keys: readonly NoteKey[]): string {
  const signed = keys.filter((key) => signaturesBy(key, checkpoint).length > 0);
  if (signed.length === 0) throw new LogError("log/signature", "no key of the log signed the checkpoint");
  const lines = signed.map((key) => checkpoint.signatures.find((one) => isSameKey(key, one))!);
  return formatNote(checkpoint.body, lines);
}

/** A size as it stands in checkpoints: no sign, no leading zero. Undefined for what is none. */
export function parseSize(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}

function parseBody(body: string): Checkpoint & Pick<CheckpointNote, "extensions"> {
  const lines = body.split("\n");
  // The body ends with a newline.
  lines.pop();
  const [origin, sizeText, rootText, ...extensions] = lines;
  if (origin === undefined || sizeText === undefined || rootText === undefined) {
    throw malformed("a checkpoint has an origin, a size and a root");
  }
  if (origin === "" || extensions.includes("")) throw malformed("no line of a checkpoint is empty");
  const size = parseSize(sizeText);
  if (size === undefined) throw malformed(`a size is a number without leading zeros, to ${Number.MAX_SAFE_INTEGER}`);
  const root = fromBase64(rootText);
  if (root?.length !== Limit.DIGEST_BYTES) throw malformed("a root is 32 bytes in canonical base64");
  return { origin, size, root, extensions };
}

function malformed(what: string): LogError {
  return new LogError("log/checkpoint-malformed", what);
}
