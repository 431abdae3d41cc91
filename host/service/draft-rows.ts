/** Drafts of orders with their rows. */
import type { Selectable, Transaction } from "kysely";
import { decodeOrder, orderDigest } from "../objects/order.ts";
import { parseSign } from "../protocol/cose.ts";
import { StoreError } from "../store/errors.ts";
import type { Tables } from "../store/store.ts";
import type { DraftsTable } from "../store/tables.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { isActive, type OrderDraft } from "../verifier/draft.ts";
import { VerifierError } from "../verifier/errors.ts";
import { sealed, unsealed } from "./bytes-io.ts";

export interface StoredDraft extends OrderDraft {
  readonly id: number;
  /** Names of the groups for which people approved it here, whether the group has signed or not. */
  readonly groupApprovals: readonly string[];
  /** Names of the groups whose share that is here was given for it. */
  readonly groupShares: readonly string[];
}

type Reader = Pick<Transaction<Tables>, "selectFrom">;

/** Throws `StoreError` (`store/corrupt`): nobody is asked to sign what is not as it was drawn up. */
export function storedDraft(row: Selectable<DraftsTable>): StoredDraft {
  const { id, quorum } = row;
  try {
    const bytes = unsealed(row.bytes);
    return {
      id,
      order: decodeOrder(parseSign(bytes).payload),
      quorum,
      approvals: JSON.parse(row.approvals),
      bytes,
      groupApprovals: JSON.parse(row.group_approvals),
      groupShares: JSON.parse(row.group_shares),
    };
  } catch (cause) {
    throw new StoreError("store/corrupt", `draft ${id}: ${(cause as Error).message}`, { cause });
  }
}

/** Throws `order/unknown`. */
export async function readDraft(db: Reader, id: number): Promise<StoredDraft> {
  const row = Number.isSafeInteger(id)
    ? await db.selectFrom("drafts").selectAll().where("id", "=", id).executeTakeFirst()
    : undefined;
  if (!row) throw new VerifierError("order/unknown", `${id}`);
  return storedDraft(row);
}

/** The oldest first; one order may stand in several, which came with other signatures. */
export async function readDraftsOf(db: Reader, epoch: number): Promise<StoredDraft[]> {
  const rows = await db.selectFrom("drafts").selectAll().where("epoch", "=", epoch).orderBy("id").execute();
  return rows.map(storedDraft);
}

export async function insertDraft(tx: Transaction<Tables>, draft: OrderDraft, nowMs: number): Promise<StoredDraft> {
  const { id } = await tx
    .insertInto("drafts")
    .values({
      epoch: draft.order.epoch,
      quorum: draft.quorum,
      approvals: JSON.stringify(draft.approvals),
      bytes: sealed(draft.bytes),
      created_ms: nowMs,
      active_ms: isActive(draft) ? nowMs : null,
      group_approvals: "[]",
      group_shares: "[]",
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return { ...draft, id, groupApprovals: [], groupShares: [] };
}

/** Of one that was not active before. */
export async function writeDraft(tx: Transaction<Tables>, draft: StoredDraft, nowMs: number): Promise<void> {
  await tx
    .updateTable("drafts")
    .set({
      approvals: JSON.stringify(draft.approvals),
      bytes: sealed(draft.bytes),
      active_ms: isActive(draft) ? nowMs : null,
      group_approvals: JSON.stringify(draft.groupApprovals),
      group_shares: JSON.stringify(draft.groupShares),
    })
    .where("id", "=", draft.id)
    .execute();
}

export function isSameOrder(a: OrderDraft, b: OrderDraft): boolean {
  return sameBytes(orderDigest(a.order), orderDigest(b.order));
}
