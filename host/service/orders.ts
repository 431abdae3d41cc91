/** The ceremony of orders over the store: drafts, approvals by parties here, drafts from other verifiers, deliveries. */
import type { Selectable, Transaction } from "kysely";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { addSignatureAsync } from "../keys/signer.ts";
import { objectAad } from "../objects/aad.ts";
import { decodeOrder, orderDigest } from "../objects/order.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { StoreError } from "../store/errors.ts";
import type { Tables } from "../store/store.ts";
import type { DraftsTable } from "../store/tables.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { approved, checkApproval, draftOrder, importDraft, isActive, type OrderDraft } from "../verifier/draft.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { OrderRequest, StoredOrder } from "../verifier/order-book.ts";
import { sealed, unsealed } from "./bytes-io.ts";
import type { ServiceContext } from "./context.ts";
import type { Delivery, DraftView, OrderView } from "./service.ts";

const DRAFTS_SHOWN_MAX = 100;
const BEHIND_SHOWN_MAX = 100;

/** A draft with its row. */
type StoredDraft = OrderDraft & { readonly id: number };

export class Orders {
  readonly #context: ServiceContext;
  readonly #onActive: (order: OrderView) => void;

  /** `onActive` is told of each order when it is durable. */
  constructor(context: ServiceContext, onActive: (order: OrderView) => void) {
    this.#context = context;
    this.#onActive = onActive;
  }

  async after(epoch: number): Promise<readonly OrderView[]> {
    return (await this.#context.shared.now()).orders.after(epoch).map(orderView);
  }

  propose(request: OrderRequest): Promise<DraftView> {
    return this.#change(async (tx) => {
      const grounds = await this.#context.shared.locked(tx, true);
      return this.#insert(tx, draftOrder(request, grounds, this.#context.clock()));
    });
  }

  /** A draft or a whole order of other verifiers' parties. One that is active here already is that one. */
  import(bytes: Uint8Array): Promise<DraftView> {
    return this.#change(async (tx) => {
      const grounds = await this.#context.shared.locked(tx, true);
      const known = grounds.orders.orders.find(({ order }) => sameBytes(orderDigest(order), digestOf(bytes)));
      if (known) return { ...(await this.#draftOf(tx, known)) };
      return this.#insert(tx, importDraft(bytes, grounds));
    });
  }

  /** By a party whose key is here. At the quorum's signature the order is active. */
  approve(id: number, name: string): Promise<DraftView> {
    return this.#change(async (tx) => {
      const grounds = await this.#context.shared.locked(tx, true);
      const draft = await this.#read(tx, id);
      const { signer } = this.#context.parties.byName(grounds.agreement, name);
      checkApproval(draft, name, signer.kid, grounds);
      const bytes = await addSignatureAsync(draft.bytes, signer, objectAad(ObjectType.ORDER));
      const next = { ...approved(draft, name, bytes, grounds), id };
      const active = isActive(next);
      await tx
        .updateTable("drafts")
        .set({
          approvals: JSON.stringify(next.approvals),
          bytes: sealed(bytes),
          active_ms: active ? this.#context.clock() : null,
        })
        .where("id", "=", id)
        .execute();
      if (active) await this.#activate(tx, next);
      return next;
    });
  }

  /** The newest first. */
  async drafts(): Promise<readonly DraftView[]> {
    const rows = await this.#context.store.db
      .selectFrom("drafts")
      .selectAll()
      .orderBy("id", "desc")
      .limit(DRAFTS_SHOWN_MAX)
      .execute();
    return rows.map((row) => draftView(storedDraft(row)));
  }

  async draft(id: number): Promise<DraftView> {
    return draftView(await this.#read(this.#context.store.db, id));
  }

  /** By what the newest good evidence of each device said. */
  async delivery(epoch: number): Promise<Delivery> {
    const { db } = this.#context.store;
    const counted = await db
      .selectFrom("devices")
      .select((eb) => [
        eb.fn.countAll<number | bigint>().as("all"),
        eb.fn.sum<number | bigint | null>(eb.case().when("epoch", "<", epoch).then(1).else(0).end()).as("missing"),
      ])
      .where("status", "!=", "retired")
      .executeTakeFirstOrThrow();
    const behind = await db
      .selectFrom("devices")
      .select("ueid")
      .where("epoch", "<", epoch)
      .where("status", "!=", "retired")
      .orderBy("epoch")
      .limit(BEHIND_SHOWN_MAX)
      .execute();
    const missing = Number(counted.missing ?? 0);
    return { epoch, delivered: Number(counted.all) - missing, missing, behind: behind.map(({ ueid }) => ueid) };
  }

  /** One durable change; an order that it made active is told of afterwards. */
  async #change(work: (tx: Transaction<Tables>) => Promise<StoredDraft>): Promise<DraftView> {
    let before = -1;
    const draft = await this.#context.store.write(async (tx) => {
      before = (await this.#context.shared.locked(tx, true)).orders.epochNewest;
      return work(tx);
    });
    if (isActive(draft) && draft.order.epoch > before) this.#onActive(orderView(draft));
    return draftView(draft);
  }

  async #insert(tx: Transaction<Tables>, draft: OrderDraft): Promise<StoredDraft> {
    const nowMs = this.#context.clock();
    const { id } = await tx
      .insertInto("drafts")
      .values({
        epoch: draft.order.epoch,
        quorum: draft.quorum,
        approvals: JSON.stringify(draft.approvals),
        bytes: sealed(draft.bytes),
        created_ms: nowMs,
        active_ms: isActive(draft) ? nowMs : null,
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    if (isActive(draft)) await this.#activate(tx, draft);
    return { ...draft, id };
  }

  async #activate(tx: Transaction<Tables>, { order, bytes }: StoredOrder): Promise<void> {
    const row = { epoch: order.epoch, digest: orderDigest(order), bytes, active_ms: this.#context.clock() };
    await tx.insertInto("orders").values(row).execute();
    await this.#context.shared.changed(tx);
  }

  async #read(db: Pick<Transaction<Tables>, "selectFrom">, id: number): Promise<StoredDraft> {
    const row = Number.isSafeInteger(id)
      ? await db.selectFrom("drafts").selectAll().where("id", "=", id).executeTakeFirst()
      : undefined;
    if (!row) throw new VerifierError("order/unknown", `${id}`);
    return storedDraft(row);
  }

  async #draftOf(tx: Transaction<Tables>, { order }: StoredOrder): Promise<StoredDraft> {
    const row = await tx
      .selectFrom("drafts")
      .selectAll()
      .where("epoch", "=", order.epoch)
      .where("active_ms", "is not", null)
      .executeTakeFirstOrThrow();
    return storedDraft(row);
  }
}

export function orderView({ order, bytes }: StoredOrder): OrderView {
  const { epoch, action, notBeforeSeconds, scope } = order;
  return { epoch, action, notBeforeSeconds, scope, digest: orderDigest(order), bytes };
}

function draftView(draft: StoredDraft): DraftView {
  const { id, order, quorum, approvals, bytes } = draft;
  return { id, epoch: order.epoch, action: order.action, quorum, approvals, active: isActive(draft), bytes };
}

/** Throws `StoreError` (`store/corrupt`): nobody is asked to sign what is not as it was drawn up. */
function storedDraft({ id, quorum, approvals, bytes: stored }: Selectable<DraftsTable>): StoredDraft {
  try {
    const bytes = unsealed(stored);
    return { id, order: decodeOrder(parseSign(bytes).payload), quorum, approvals: JSON.parse(approvals), bytes };
  } catch (cause) {
    throw new StoreError("store/corrupt", `draft ${id}: ${(cause as Error).message}`, { cause });
  }
}

/** Throws `order/malformed`. */
function digestOf(bytes: Uint8Array): Uint8Array {
  try {
    return orderDigest(decodeOrder(parseSign(bytes).payload));
  } catch (error) {
    if (error instanceof Refusal) throw new VerifierError("order/malformed", error.message, { cause: error });
    throw error;
  }
}
