/** Proofs that a message is in the log, for the governor that is to take it (host/objects/log-proof.ts). */
import type { Kysely } from "kysely";
import { decodeEntry } from "../../log/entry.ts";
import type { NoteKey } from "../../log/note.ts";
import { consistencyProof, inclusionProof } from "../../log/tiles.ts";
import type { LogTerms } from "../../objects/agreement.ts";
import { encodeLogProof, type ProofCosignature } from "../../objects/log-proof.ts";
import type { Tables } from "../../store/store.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { VerifierError } from "../../verifier/errors.ts";
import { type Head, newestCosigned } from "./heads.ts";
import { readTreeHead, storedTiles } from "./rows.ts";
import type { Loggable, TermsBook } from "./terms.ts";

/** A message of the log, and where it is. */
export interface LoggedEntry extends Loggable {
  readonly leaf: number;
  /** Where the entry is a commitment. */
  readonly salt: Uint8Array | undefined;
}

/** By the SHA-256 of the message. Throws `log/entry-unknown`. */
export async function readLogged(db: Kysely<Tables>, digest: Uint8Array): Promise<LoggedEntry> {
  const row = await db
    .selectFrom("log_entries")
    .select(["leaf", "entry", "message", "salt"])
    .where("digest", "=", digest)
    .executeTakeFirst();
  if (!row) throw new VerifierError("log/entry-unknown", hexOf(digest));
  const entry = decodeEntry(row.entry);
  if (entry.kind === "index") throw new VerifierError("log/entry-unknown", hexOf(digest));
  const bytes = entry.kind === "plain" ? entry.message : row.message!;
  return { leaf: row.leaf, type: entry.type, bytes, salt: row.salt ?? undefined };
}

/** By which a governor judges the message. Throws `log/not-agreed` unless they name the log of this key. */
export function termsFor(entry: Loggable, book: TermsBook, key: NoteKey): LogTerms {
  const terms = book.of(entry);
  const isThis = terms && terms.log.name === key.name && sameBytes(terms.log.publicKey, key.publicKey);
  if (!isThis) throw new VerifierError("log/not-agreed", terms?.log.name);
  return terms;
}

/** A head that the terms' quorum has cosigned, and what the proof takes of it. */
export interface CosignedHead {
  readonly head: Head;
  /** Exactly the quorum, the newest of them, in the agreement's order. */
  readonly cosignatures: readonly ProofCosignature[];
}

/** The newest; undefined where there is none. */
export async function cosignedHead(
  db: Kysely<Tables>,
  key: NoteKey,
  { witnesses, witnessQuorum }: LogTerms,
): Promise<CosignedHead | undefined> {
  const keys = witnesses.map(({ publicKey }) => publicKey);
  const found = await newestCosigned(db, key, keys, witnessQuorum);
  if (!found) return undefined;
  const placed = found.cosignatures.map(({ witness, seconds, signature }) => {
    return { witness: keys.findIndex((one) => sameBytes(one, witness)), seconds, signature };
  });
  const newest = placed.sort((a, b) => b.seconds - a.seconds).slice(0, witnessQuorum);
  return { head: found.head, cosignatures: newest.sort((a, b) => a.witness - b.witness) };
}

/** When the oldest of its cosignatures was made, Unix seconds. */
export function oldestOf({ cosignatures }: CosignedHead): number {
  return Math.min(...cosignatures.map(({ seconds }) => seconds));
}

/**
 * For a governor that holds the head of `from` entries, 0 for none. Throws `log/head-ahead` where this log has no such
 * head, `log/not-cosigned` where the cosigned one is behind it.
 */
export async function encodeProof(
  db: Kysely<Tables>,
  { leaf, salt }: LoggedEntry,
  { head, cosignatures }: CosignedHead,
  terms: LogTerms,
  from: number,
): Promise<Uint8Array> {
  const { size, root, receipt, signature } = head;
  const tree = await readTreeHead(db);
  if (from > (tree?.size ?? 0)) throw new VerifierError("log/head-ahead", `${from} of ${tree?.size ?? 0}`);
  if (from > size || leaf >= size) throw new VerifierError("log/not-cosigned", `${size} entries are`);
  const tiles = storedTiles(db);
  return encodeLogProof({
    kid: terms.log.kid,
    index: leaf,
    size,
    path: await inclusionProof(tiles, leaf, size),
    receiptSignature: receipt,
    root,
    checkpointSize: size,
    checkpointSignature: signature,
    cosignatures,
    consistency: from > 0 && from < size ? await consistencyProof(tiles, from, size) : [],
    ...(salt && { salt }),
  });
}
