/** The mark of a store that was put back from a backup: something newer may have been signed before. */
import type { Kysely } from "kysely";
import { StoreError } from "./errors.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

const KEY = "restored";
/**
 * What `meta` holds under these keys is drawn anew: nonces that were given before are no good any more, since what was
 * answered on them may be forgotten.
 */
const FORGOTTEN = ["nonce-secret"];

export interface RestoreMark {
  readonly backupMs: number;
  readonly restoredMs: number;
}

export function markRestored(store: Store, { backupMs, restoredMs }: RestoreMark): Promise<void> {
  const value = Buffer.from(JSON.stringify({ backupMs, restoredMs }));
  return store.write(async (tx) => {
    await tx.deleteFrom("meta").where("key", "in", FORGOTTEN).execute();
    const insert = tx.insertInto("meta").values({ key: KEY, value });
    await insert.onConflict((conflict) => conflict.column("key").doUpdateSet({ value })).execute();
  });
}

/** Of the last time; undefined where it never was. Throws `StoreError`. */
export async function restoredOf(db: Kysely<Tables>): Promise<RestoreMark | undefined> {
  const row = await db.selectFrom("meta").select("value").where("key", "=", KEY).executeTakeFirst();
  if (!row) return undefined;
  const mark = parsed(Buffer.from(row.value).toString("utf8"));
  const { backupMs, restoredMs } = mark ?? {};
  if (Number.isSafeInteger(backupMs) && Number.isSafeInteger(restoredMs)) return mark as RestoreMark;
  throw new StoreError("store/corrupt", "its mark of a restore");
}

function parsed(text: string): Partial<RestoreMark> | null {
  try {
    return JSON.parse(text) as Partial<RestoreMark> | null;
  } catch {
    return null;
  }
}
