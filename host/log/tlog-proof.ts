/**
 * Inclusion proofs as files (C2SP tlog-proof): an index, a path and a checkpoint, in text. Whoever verifies one has the
 * entry and the keys from elsewhere.
 */
import { fromBase64, toBase64 } from "./base64.ts";
import { parseSize } from "./checkpoint.ts";
import { LogError } from "./errors.ts";
import { type CosignedCheckpoint, type LogKeys, openCosigned } from "./log-keys.ts";
import { HASH_BYTES, PATH_MAX, verifyInclusion } from "./merkle.ts";
import { NOTE_BYTES_MAX, parseNote } from "./note.ts";

export interface TlogProof {
  /** Opaque, and not authenticated by itself; at most 16 KiB. Absent or not empty. */
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** The note, word by word. */
  readonly checkpoint: string;
}

const HEADER = "c2sp.org/tlog-proof@v1";
const EXTRA_BYTES_MAX = 16_384;
/** Longest proof: the longest note, extra data in base64, and a path. */
export const TLOG_PROOF_BYTES_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX + 64 * (PATH_MAX + 2);

/** Whether a text means to be a proof. */
export function isTlogProof(text: string): boolean {
  return text.startsWith(`${HEADER}\n`);
}

/** Throws a `LogError` (`log/proof-malformed`, `log/note-malformed`) for what `parseTlogProof` would refuse. */
export function formatTlogProof({ extra, index, path, checkpoint }: TlogProof): string {
  const lines = [HEADER, ...(extra ? [`extra ${toBase64(extra)}`] : []), `index ${index}`, ...path.map(toBase64)];
  const text = `${lines.join("\n")}\n\n${checkpoint}`;
  parseTlogProof(text);
  return text;
}

/** Throws a `LogError` (`log/proof-malformed`, `log/note-malformed`). */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > TLOG_PROOF_BYTES_MAX) malformed(`over ${TLOG_PROOF_BYTES_MAX} characters`);
  const end = text.indexOf("\n\n");
  if (end < 0) malformed("an empty line parts the proof from the checkpoint");
  const [header, ...lines] = text.slice(0, end).split("\n");
  if (header !== HEADER) malformed(`the first line is ${HEADER}`);
  const extra = lines[0]?.startsWith("extra ") ? extraOf(lines.shift()!.slice("extra ".length)) : undefined;
  const line = lines.shift() ?? "";
  const index = line.startsWith("index ") ? parseSize(line.slice("index ".length)) : undefined;
  if (index === undefined) malformed("a line has the index, a number without leading zeros");
  if (lines.length > PATH_MAX) malformed("the path is longer than any tree is high");
  const path = lines.map((one) => {
    const hash = fromBase64(one);
    return hash?.length === HASH_BYTES ? hash : malformed("each line of the path is a hash in canonical base64");
  });
  const checkpoint = text.slice(end + 2);
  parseNote(checkpoint);
  return { ...(extra && { extra }), index, path, checkpoint };
}

function extraOf(encoded: string): Uint8Array {
  const extra = fromBase64(encoded);
  if (!extra || extra.length < 1 || extra.length > EXTRA_BYTES_MAX) {
    malformed(`extra data are 1 to ${EXTRA_BYTES_MAX} bytes in canonical base64`);
  }
  return extra;
}

/**
 * The checkpoint that has the leaf. Throws a `LogError`: `log/inclusion` where the leaf is not there, and whatever
 * `openCosigned` throws for a checkpoint that log and witness quorum did not sign.
 */
export function verifyTlogProof(
  { index, path, checkpoint }: TlogProof,
  leaf: Uint8Array,
  keys: LogKeys,
): CosignedCheckpoint {
  const opened = openCosigned(checkpoint, keys);
  if (!verifyInclusion(index, opened.size, leaf, path, opened.root)) {
    throw new LogError("log/inclusion", `the entry is not at ${index} of the log of ${opened.size}`);
  }
  return opened;
}

function malformed(what: string): never {
  throw new LogError("log/proof-malformed", `no tlog-proof: ${what}`);
}
