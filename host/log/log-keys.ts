/** Whose word counts for a log: its own key, its witnesses, and how many of these. */
import type { LogTerms } from "../objects/log-terms.ts";
import { type CheckpointNote, openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { cosignaturesOf, type WitnessCosignature } from "./cosignature.ts";
import { LogError } from "./errors.ts";
import { type NoteKey, NoteType, noteKey } from "./note.ts";

export interface LogKeys {
  /** Type 1; its name is the log's origin. */
  readonly log: NoteKey;
  /** Type 4, no key twice. */
  readonly witnesses: readonly NoteKey[];
  /** 0 to their number; 0 takes the log's own word. */
  readonly witnessQuorum: number;
}

/** A checkpoint with the newest cosignature of each witness that cosigned it. */
export type CosignedCheckpoint = SignedCheckpoint & { readonly cosignatures: readonly WitnessCosignature[] };

/** Throws a `LogError`: `log/key-malformed` for keys of the wrong kind or twice, `log/witness-quorum` for a wrong quorum. */
export function logKeys(log: NoteKey, witnesses: readonly NoteKey[], witnessQuorum: number): LogKeys {
  const isWitness = ({ type }: NoteKey) => type === NoteType.COSIGNATURE;
  if (log.type !== NoteType.ED25519) malformed(`${log.name} is the key of a witness, not of a log (type 1)`);
  const stranger = witnesses.find((key) => !isWitness(key));
  if (stranger) malformed(`${stranger.name} is the key of a log, not of a witness (type 4)`);
  const keys = [log, ...witnesses].map(({ publicKey }) => Buffer.from(publicKey).toString("hex"));
  if (new Set(keys).size < keys.length) malformed("one key stands twice: it would be two voices");
  if (!Number.isInteger(witnessQuorum) || witnessQuorum < 0 || witnessQuorum > witnesses.length) {
    throw new LogError("log/witness-quorum", `a quorum of ${witnessQuorum} of ${witnesses.length} witnesses`);
  }
  return { log, witnesses, witnessQuorum };
}

/** The keys that an agreement names. */
export function keysOfTerms({ log, witnesses, witnessQuorum }: LogTerms): LogKeys {
  return logKeys(
    noteKey(log.name, NoteType.ED25519, log.publicKey),
    witnesses.map(({ name, publicKey }) => noteKey(name, NoteType.COSIGNATURE, publicKey)),
    witnessQuorum,
  );
}

/** A checkpoint that the log signed, however many witnesses did. Throws a `LogError` as `openCheckpoint` does, and `log/cosignature`. */
export function openAny(note: string, keys: LogKeys): CosignedCheckpoint {
  const checkpoint = openCheckpoint(note, keys.log);
  return { ...checkpoint, cosignatures: cosignaturesOf(checkpoint, keys.witnesses) };
}

/** A checkpoint that the log and the witness quorum signed. Throws a `LogError` as `openAny` does, and `log/witness-quorum`. */
export function openCosigned(note: string, keys: LogKeys): CosignedCheckpoint {
  const checkpoint = openAny(note, keys);
  if (!hasQuorum(checkpoint, keys)) {
    const { length } = checkpoint.cosignatures;
    throw new LogError(
      "log/witness-quorum",
      `${length} of ${keys.witnessQuorum} witnesses cosigned ${headOf(checkpoint)}`,
    );
  }
  return checkpoint;
}

export function hasQuorum({ cosignatures }: CosignedCheckpoint, { witnessQuorum }: LogKeys): boolean {
  return cosignatures.length >= witnessQuorum;
}

/** How messages call a head. */
export function headOf({ size }: Pick<CheckpointNote, "size">): string {
  return `the head of ${size}`;
}

function malformed(message: string): never {
  throw new LogError("log/key-malformed", message);
}
