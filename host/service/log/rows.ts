/** The log's rows: the committed head, entries by the digest of their message, tiles, subjects. */
import { type Kysely, sql, type Transaction } from "kysely";
import { HASH_BYTES } from "../../log/merkle.ts";
import type { SubjectRow } from "../../log/subject-index.ts";
import type { TileSource } from "../../log/tiles.ts";
import { StoreError } from "../../store/errors.ts";
import { rowPages } from "../../store/pages.ts";
import type { Store, Tables } from "../../store/store.ts";
import { hexOf } from "../../verifier/bytes.ts";

export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** The one row of `log_state`. */
export const LOG_STATE_ID = 1;

/** Keys of one statement. */
const KEYS_MAX = 1000;

export async function readTreeHead(db: Kysely<Tables>): Promise<TreeHead | undefined> {
  return db.selectFrom("log_state").select(["size", "root"]).where("id", "=", LOG_STATE_ID).executeTakeFirst();
}

/** By the digest in hex: which leaf a message is, of those that are in the log. */
export async function readLeaves(db: Kysely<Tables>, digests: readonly Uint8Array[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let at = 0; at < digests.length; at += KEYS_MAX) {
    const rows = await db
      .selectFrom("log_entries")
      .select(["leaf", "digest"])
      .where("digest", "in", digests.slice(at, at + KEYS_MAX))
      .execute();
    for (const { leaf, digest } of rows) found.set(hexOf(digest!), leaf);
  }
  return found;
}

/** Leaves' data, from one leaf up to another one. Throws `StoreError` (`store/corrupt`) where some are missing. */
export async function readEntries(db: Kysely<Tables>, begin: number, end: number): Promise<Uint8Array[]> {
  const rows = await db
    .selectFrom("log_entries")
    .select("entry")
    .where("leaf", ">=", begin)
    .where("leaf", "<", end)
    .orderBy("leaf")
    .execute();
  if (rows.length !== end - begin) throw new StoreError("store/corrupt", `entries ${begin} to ${end} of the log`);
  return rows.map(({ entry }) => entry);
}

export async function readSubjects(db: Kysely<Tables>): Promise<SubjectRow[]> {
  const rows: SubjectRow[] = [];
  for await (const page of rowPages(db, "log_subjects")) rows.push(...(page as unknown as SubjectRow[]));
  return rows;
}

/** Tiles as they stand: of a tile that grew since, its first hashes. */
export function storedTiles(db: Kysely<Tables>): TileSource {
  return {
    tile: async (level, index, width) => {
      const row = await db
        .selectFrom("log_tiles")
        .select("bytes")
        .where("level", "=", level)
        .where("tile", "=", index)
        .executeTakeFirst();
      return row?.bytes.subarray(0, width * HASH_BYTES) ?? new Uint8Array(0);
    },
  };
}

/**
 * Until the transaction ends nobody else appends. An advisory lock: there may be no row yet. It is the last lock that a
 * transaction takes, or two could wait for each other. Where the writer is alone there is nothing to lock.
 */
export async function lockLog({ engine }: Pick<Store, "engine">, tx: Transaction<Tables>): Promise<void> {
  if (engine !== "postgres") return;
  await sql`select pg_advisory_xact_lock(hashtext(current_schema() || '/log'))`.execute(tx);
}
