/** Heads that were signed, with the cosignatures on them: rows, and the notes that they are written as. */
import type { Kysely, Selectable, Transaction } from "kysely";
import { checkpointBody } from "../../log/checkpoint.ts";
import { encodeCosignature } from "../../log/cosignature.ts";
import { formatNote, type NoteKey, NoteType, noteKey } from "../../log/note.ts";
import { putRows } from "../../store/bulk.ts";
import type { Tables } from "../../store/store.ts";
import type { LogCosignaturesTable, LogHeadsTable } from "../../store/tables.ts";
import { sameBytes } from "../../verifier/bytes.ts";

export type Head = Selectable<LogHeadsTable>;
export type HeadCosignature = Selectable<LogCosignaturesTable>;

type Reader = Pick<Kysely<Tables>, "selectFrom">;

/** The newest, whichever key of the log signed it. */
export async function newestHead(db: Reader): Promise<Head | undefined> {
  return db.selectFrom("log_heads").selectAll().orderBy("size", "desc").limit(1).executeTakeFirst();
}

export async function cosignaturesOn(db: Reader, size: number): Promise<HeadCosignature[]> {
  return db.selectFrom("log_cosignatures").selectAll().where("size", "=", size).orderBy("witness").execute();
}

/** Whether this key of this log signed it: a log that is called otherwise, or has another key, is another one. */
export function isOf({ origin, public_key }: Pick<Head, "origin" | "public_key">, key: NoteKey): boolean {
  return origin === key.name && sameBytes(public_key, key.publicKey);
}

/** The newest of this log's that so many of these witnesses have cosigned, with their cosignatures. */
export async function newestCosigned(
  db: Reader,
  key: NoteKey,
  witnesses: readonly Uint8Array[],
  quorum: number,
): Promise<{ head: Head; cosignatures: HeadCosignature[] } | undefined> {
  if (witnesses.length === 0) return undefined;
  const row = await db
    .selectFrom("log_cosignatures")
    .innerJoin("log_heads", "log_heads.size", "log_cosignatures.size")
    .select("log_cosignatures.size")
    .where("witness", "in", witnesses)
    .where("origin", "=", key.name)
    .where("public_key", "=", key.publicKey)
    .groupBy("log_cosignatures.size")
    .having((eb) => eb(eb.fn.countAll(), ">=", quorum))
    .orderBy("log_cosignatures.size", "desc")
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const head = await db.selectFrom("log_heads").selectAll().where("size", "=", row.size).executeTakeFirstOrThrow();
  const all = await cosignaturesOn(db, row.size);
  return { head, cosignatures: all.filter(({ witness }) => witnesses.some((one) => sameBytes(one, witness))) };
}

/** One of each size; what another key signed of the same tree gives way, and with it what was cosigned of that. */
export async function writeHead(tx: Transaction<Tables>, head: Head): Promise<void> {
  const there = await tx.selectFrom("log_heads").selectAll().where("size", "=", head.size).executeTakeFirst();
  if (there?.origin === head.origin && sameBytes(there.public_key, head.public_key)) return;
  if (there) await tx.deleteFrom("log_cosignatures").where("size", "=", head.size).execute();
  await putRows(tx, "log_heads", [head]);
}

/** The newest of each witness stays. */
export function writeCosignature(tx: Transaction<Tables>, cosignature: HeadCosignature): Promise<void> {
  return putRows(tx, "log_cosignatures", [cosignature]);
}

/** As it is served: the log's own signature first (C2SP tlog-checkpoint). */
export function noteOf(head: Head, cosignatures: readonly HeadCosignature[]): string {
  const { name, id } = noteKey(head.origin, NoteType.ED25519, head.public_key);
  const others = cosignatures.map((one) => {
    const witness = noteKey(one.name, NoteType.COSIGNATURE, one.witness);
    return { name: witness.name, id: witness.id, signature: encodeCosignature(one) };
  });
  return formatNote(checkpointBody(head), [{ name, id, signature: head.signature }, ...others]);
}
