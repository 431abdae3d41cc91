/** Keys and notes for tests of the log: always the same ones. */
import { type Checkpoint, checkpointBody } from "../../../host/log/checkpoint.ts";
import { formatNote, type NoteKey, type NoteSignature, NoteType, noteKey, signNote } from "../../../host/log/note.ts";
import { ed25519Signer, type Signer } from "../../../host/protocol/cose-key.ts";

export type KeyPair = { readonly key: NoteKey; readonly signer: Signer };

/** The key of a log, which signs notes. */
export function logPair(name: string, seed = 1): KeyPair {
  const signer = ed25519Signer(new Uint8Array(32).fill(seed));
  return { key: noteKey(name, NoteType.ED25519, signer.publicKey), signer };
}

/** The key of a witness, which cosigns. */
export function witnessPair(name: string, seed = 101): KeyPair {
  const signer = ed25519Signer(new Uint8Array(32).fill(seed));
  return { key: noteKey(name, NoteType.COSIGNATURE, signer.publicKey), signer };
}

/** A checkpoint that the log signed, with further signatures. */
export async function signedCheckpoint(
  { key, signer }: KeyPair,
  checkpoint: Omit<Checkpoint, "origin">,
  further: readonly NoteSignature[] = [],
): Promise<string> {
  const body = checkpointBody({ origin: key.name, ...checkpoint });
  return formatNote(body, [await signNote(body, key, signer), ...further]);
}

/** The code that the work is refused with. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
  return "taken";
}
