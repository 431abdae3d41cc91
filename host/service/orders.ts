/** The ceremony of orders over the store: drafts, approvals by parties here, drafts from other verifiers, deliveries. */
import type { Transaction } from "kysely";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { addSignatureAsync } from "../keys/signer.ts";
import { objectAad } from "../objects/aad.ts";
import { decodeOrder, orderDigest } from "../objects/order.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { Tables } from "../store/store.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { approved, checkApproval, draftOrder, importDraft, isActive } from "../verifier/draft.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { OrderRequest, StoredOrder } from "../verifier/order-book.ts";
import type { ServiceContext } from "./context.ts";
import { insertDraft, readDraft, type StoredDraft, storedDraft, writeDraft } from "./draft-rows.ts";
import type { GroupOrders } from "./group-orders.ts";
import type { Delivery, DraftView, OrderView } from "./service.ts";
import type { SharedState } from "./shared.ts";

const DRAFTS_SHOWN_MAX = 100;
const BEHIND_SHOWN_MAX = 100;

export class Orders {
  readonly #context: ServiceContext;
  readonly #groups: GroupOrders;
  readonly #onActive: (order: OrderView) => void;

  /** `onActive` is told of each order when it is durable. */
  constructor(context: ServiceContext, groups: GroupOrders, onActive: (order: OrderView) => void) {
    this.#context = context;
    this.#groups = groups;
    this.#onActive = onActive;
  }

  async after(epoch: number): Promise<readonly OrderView[]> {
    const shared = await this.#context.shared.now();
    await this.#context.log.coverShared(shared);
    return shared.orders.after(epoch).map(orderView);
  }

  propose(request: OrderRequest): Promise<DraftView> {
    return this.#change(async (tx) => {
      const grounds = await this.#context.shared.locked(tx, true);
      return insertDraft(tx, draftOrder(request, grounds, this.#context.clock()), this.#context.clock());
    });
  }

  /** A draft or a whole order of other verifiers' parties. One that is active here already is that one. */
  import(bytes: Uint8Array): Promise<DraftView> {
    return this.#change(async (tx) => {
      const grounds = await this.#context.shared.locked(tx, true);
      const known = grounds.orders.orders.find(({ order }) => sameBytes(orderDigest(order), digestOf(bytes)));
      if (known) return this.#draftOf(tx, known);
      return insertDraft(tx, importDraft(bytes, grounds), this.#context.clock());
    });
  }

  /**
   * By a party whose key is here, or for a group, which signs once enough holders' people have approved. At the quorum's
   * signature the order is active.
   */
  async approve(id: number, name: string): Promise<DraftView> {
    const seat = await this.#groups.seatOf(name);
    if (!seat) return this.#change((tx) => this.#sign(tx, id, name));
    const draft = await this.#groups.approve(id, seat);
    const signature = await this.#groups.signature(seat, draft);
    if (!signature) return draftView(draft);
    return this.#change((tx) => this.#groups.sign(tx, id, seat, signature));
  }

  /** The newest first. */
  async drafts(): Promise<readonly DraftView[]> {
    const rows = await this.#context.store.db
      .selectFrom("drafts")
      .selectAll()
      .orderBy("id", "desc")
      .limit(DRAFTS_SHOWN_MAX)
      .execute();
    return this.#shown(rows.map(storedDraft));
  }

  async draft(id: number): Promise<DraftView> {
    const [view] = await this.#shown([await readDraft(this.#context.store.db, id)]);
    return view!;
  }

  /** One that is active is the order itself: it is shown once it is public. */
  async #shown(drafts: readonly StoredDraft[]): Promise<DraftView[]> {
    const { shared, log } = this.#context;
    // Read after the drafts, it has every order that is among them.
    if (drafts.some(isActive)) await log.coverShared(await shared.now());
    return drafts.map(draftView);
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

  /** One durable change; a whole order becomes active with it, which is told of afterwards, when it is public. */
  async #change(work: (tx: Transaction<Tables>) => Promise<StoredDraft>): Promise<DraftView> {
    const { store, shared, log } = this.#context;
    let before = -1;
    const draft = await store.write(async (tx) => {
      const state = await shared.locked(tx, true);
      before = state.orders.epochNewest;
      const changed = await work(tx);
      if (isActive(changed) && changed.order.epoch > before) await this.#activate(tx, changed, state);
      return changed;
    });
    if (isActive(draft)) await log.coverShared(await shared.now());
    if (isActive(draft) && draft.order.epoch > before) this.#onActive(orderView(draft));
    return draftView(draft);
  }

  async #sign(tx: Transaction<Tables>, id: number, name: string): Promise<StoredDraft> {
    const grounds = await this.#context.shared.locked(tx, true);
    const draft = await readDraft(tx, id);
    const { signer } = this.#context.parties.byName(grounds.agreement, name);
    checkApproval(draft, name, signer.kid, grounds);
    const bytes = await addSignatureAsync(draft.bytes, signer, objectAad(ObjectType.ORDER));
    const next = { ...draft, ...approved(draft, name, bytes, grounds) };
    await writeDraft(tx, next, this.#context.clock());
    return next;
  }

  async #activate(tx: Transaction<Tables>, { order, bytes }: StoredOrder, shared: SharedState): Promise<void> {
    const row = { epoch: order.epoch, digest: orderDigest(order), bytes, active_ms: this.#context.clock() };
    await tx.insertInto("orders").values(row).execute();
    await this.#context.shared.changed(tx);
    await this.#context.log.append(tx, [{ type: ObjectType.ORDER, bytes }], shared);
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
  const { id, order, quorum, approvals, groupApprovals, bytes } = draft;
  const active = isActive(draft);
  const awaiting = active ? [] : groupApprovals.filter((name) => !approvals.includes(name));
  return { id, epoch: order.epoch, action: order.action, quorum, approvals, awaiting, active, bytes };
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
