/** Heads that were shown here, in the store: within one transaction. */
import type { Kysely, Selectable, Transaction } from "kysely";
import { HEADS_KEPT, type HeadShelf, type HeadSplit, type KnownHead, SPLITS_KEPT } from "../../log/heads.ts";
import { HASH_BYTES } from "../../log/merkle.ts";
import { putRows } from "../../store/bulk.ts";
import type { Tables } from "../../store/store.ts";
import type { KnownHeadsTable, SplitViewsTable } from "../../store/tables.ts";

type Reader = Pick<Kysely<Tables>, "selectFrom">;

export class SqlHeads implements HeadShelf {
  readonly #tx: Transaction<Tables>;
  readonly #nowMs: number;

  constructor(tx: Transaction<Tables>, nowMs: number) {
    this.#tx = tx;
    this.#nowMs = nowMs;
  }

  head(log: string, size: number): Promise<KnownHead | undefined> {
    return knownHead(this.#tx, log, size);
  }

  newest(log: string): Promise<KnownHead | undefined> {
    return newestKnown(this.#tx, log);
  }

  async put({ log, size, root, note, isLinked }: KnownHead): Promise<void> {
    if (!isLinked && !(await this.#hasRoom(log, size))) return;
    const row = { log, size, root, note, is_linked: Number(isLinked), seen_ms: this.#nowMs };
    await putRows(this.#tx, "known_heads", [row]);
    if (!isLinked) return;
    const last = await this.#tx
      .selectFrom("known_heads")
      .select("size")
      .where("log", "=", log)
      .where("is_linked", "=", 1)
      .orderBy("size", "desc")
      .offset(HEADS_KEPT.linked - 1)
      .limit(1)
      .executeTakeFirst();
    if (!last) return;
    await this.#tx
      .deleteFrom("known_heads")
      .where("log", "=", log)
      .where("is_linked", "=", 1)
      .where("size", "<", last.size)
      .execute();
  }

  /** For one of this size that is not linked. */
  async #hasRoom(log: string, size: number): Promise<boolean> {
    const { count } = await this.#tx
      .selectFrom("known_heads")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("log", "=", log)
      .where("is_linked", "=", 0)
      .where("size", "!=", size)
      .executeTakeFirstOrThrow();
    return Number(count) < HEADS_KEPT.unlinked;
  }

  async putSplit({ log, size, root, note, otherSize, otherRoot, otherNote, proof }: HeadSplit): Promise<void> {
    const { count } = await this.#tx
      .selectFrom("split_views")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("log", "=", log)
      .executeTakeFirstOrThrow();
    if (Number(count) >= SPLITS_KEPT) return;
    await this.#tx
      .insertInto("split_views")
      .values({
        log,
        size,
        root,
        note,
        other_size: otherSize,
        other_root: otherRoot,
        other_note: otherNote,
        proof: new Uint8Array(Buffer.concat(proof ?? [])),
        found_ms: this.#nowMs,
      })
      .onConflict((on) => on.columns(["log", "size", "root", "other_size", "other_root"]).doNothing())
      .execute();
  }
}

export async function knownHead(db: Reader, log: string, size: number): Promise<KnownHead | undefined> {
  const row = await db
    .selectFrom("known_heads")
    .selectAll()
    .where("log", "=", log)
    .where("size", "=", size)
    .executeTakeFirst();
  return row && headOf(row);
}

export async function newestKnown(db: Reader, log: string): Promise<KnownHead | undefined> {
  const row = await db
    .selectFrom("known_heads")
    .selectAll()
    .where("log", "=", log)
    .where("is_linked", "=", 1)
    .orderBy("size", "desc")
    .limit(1)
    .executeTakeFirst();
  return row && headOf(row);
}

/** Those that no path leads to yet. */
export async function unlinkedHeads(db: Reader, log: string): Promise<KnownHead[]> {
  const rows = await db
    .selectFrom("known_heads")
    .selectAll()
    .where("log", "=", log)
    .where("is_linked", "=", 0)
    .orderBy("size")
    .limit(HEADS_KEPT.unlinked)
    .execute();
  return rows.map(headOf);
}

/** Of all logs, the first that were found first. */
export async function splitViews(db: Reader): Promise<(HeadSplit & { readonly foundMs: number })[]> {
  const rows = await db.selectFrom("split_views").selectAll().orderBy("id").execute();
  return rows.map(splitOf);
}

function headOf({ log, size, root, note, is_linked }: Selectable<KnownHeadsTable>): KnownHead {
  return { log, size, root, note, isLinked: is_linked === 1 };
}

export function splitOf(row: Selectable<SplitViewsTable>): HeadSplit & { readonly foundMs: number } {
  const proof: Uint8Array[] = [];
  for (let at = 0; at < row.proof.length; at += HASH_BYTES) proof.push(row.proof.slice(at, at + HASH_BYTES));
  return {
    log: row.log,
    size: row.size,
    root: row.root,
    note: row.note,
    otherSize: row.other_size,
    otherRoot: row.other_root,
    otherNote: row.other_note,
    proof: proof.length > 0 ? proof : undefined,
    foundMs: row.found_ms,
  };
}
