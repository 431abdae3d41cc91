/** The ceremony of orders in memory: a book of the active ones, and drafts on their way. */
import type { Agreement } from "../objects/agreement.ts";
import { approved, checkApproval, draftOrder, isActive, type OrderDraft } from "./draft.ts";
import { VerifierError } from "./errors.ts";
import { OrderBook, type OrderRequest } from "./order-book.ts";
import type { Party } from "./party.ts";
import type { Storage } from "./storage.ts";

/** How far a draft has come. */
export interface DraftStatus extends Omit<OrderDraft, "bytes"> {
  readonly id: number;
  readonly active: boolean;
  /** Set when active: what devices are to be given. */
  readonly bytes?: Uint8Array;
}

export class Ceremony {
  readonly #storage: Storage;
  readonly #agreement: () => { agreement: Agreement; digest: Uint8Array };
  readonly #drafts = new Map<number, OrderDraft>();
  #book: OrderBook;

  constructor(storage: Storage, agreement: () => { agreement: Agreement; digest: Uint8Array }) {
    this.#storage = storage;
    this.#agreement = agreement;
    this.#book = new OrderBook(storage.orders());
  }

  get book(): OrderBook {
    return this.#book;
  }

  /** Drafts an order of the next epoch. Nothing is in force yet. */
  propose(request: OrderRequest, nowMs: number): DraftStatus {
    const id = this.#drafts.size + 1;
    this.#drafts.set(id, draftOrder(request, this.#grounds(), nowMs));
    return this.status(id);
  }

  /** A party signs a draft. At the quorum's signature the order is active. */
  approve(id: number, party: Party): DraftStatus {
    const grounds = this.#grounds();
    const draft = this.#draft(id);
    checkApproval(draft, party.name, party.member.kid, grounds);
    const next = approved(draft, party.name, party.signOrder(draft.bytes), grounds);
    this.#drafts.set(id, next);
    if (isActive(next)) {
      this.#storage.putOrder(next);
      this.#book = this.#book.with(next);
    }
    return this.status(id);
  }

  status(id: number): DraftStatus {
    const draft = this.#draft(id);
    const active = isActive(draft);
    return { ...draft, id, active, bytes: active ? draft.bytes : undefined };
  }

  #grounds() {
    const { agreement, digest } = this.#agreement();
    return { agreement, agreementDigest: digest, orders: this.#book };
  }

  #draft(id: number): OrderDraft {
    const draft = this.#drafts.get(id);
    if (!draft) throw new VerifierError("order/unknown", `${id}`);
    return draft;
  }
}
