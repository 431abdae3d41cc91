/**
 * The ceremony of an order: drafted, approved by one party after the other, active at the moment the quorum is reached.
 * Lowering the rate takes the pause quorum, raising it the resume quorum; epochs strictly rise.
 */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import type { Agreement } from "../objects/agreement.ts";
import {
  encodeOrder,
  NO_ORDER,
  type Order,
  orderDigest,
  orderQuorum,
  PERMILLE_FULL,
  permilleOf,
  verifyOrder,
} from "../objects/order.ts";
import { draftSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sameBytes } from "./bytes.ts";
import { VerifierError } from "./errors.ts";
import type { Party } from "./party.ts";
import type { Storage, StoredOrder } from "./storage.ts";

export interface OrderRequest {
  readonly action: OrderAction;
  /** With slow, and only with it: 1 to 999 thousandths of the agreement's rates. */
  readonly permille?: number;
  /** Absent: every device. */
  readonly scope?: readonly Uint8Array[];
  /** May narrow the drain that licenses leave. */
  readonly drain?: Order["drain"];
  readonly drainTicks?: bigint;
  /** Agreement time in seconds; default now. */
  readonly notBeforeSeconds?: number;
}

/** How far a draft has come. */
export interface DraftStatus {
  readonly id: number;
  readonly order: Order;
  /** Signatures it needs, exactly. */
  readonly quorum: number;
  /** Names of the parties that have signed, in order. */
  readonly approvals: readonly string[];
  readonly active: boolean;
  /** Set when active: what devices are to be given. */
  readonly bytes?: Uint8Array;
}

interface Draft {
  readonly id: number;
  readonly order: Order;
  readonly quorum: number;
  readonly approvals: string[];
  bytes: Uint8Array;
}

/** The order in force for a device that has taken every order so far. */
export interface InForce {
  readonly action: OrderAction;
  readonly permille?: number;
}

/** What beacons and time proofs say beside the time. */
export interface Confirmed {
  readonly epoch: number;
  readonly orderDigest: Uint8Array;
}

const RESUMED: InForce = { action: OrderAction.RESUME };

export class Ceremony {
  readonly #storage: Storage;
  readonly #agreement: () => { agreement: Agreement; digest: Uint8Array };
  readonly #drafts = new Map<number, Draft>();

  constructor(storage: Storage, agreement: () => { agreement: Agreement; digest: Uint8Array }) {
    this.#storage = storage;
    this.#agreement = agreement;
  }

  /** Drafts an order of the next epoch. Nothing is in force yet. */
  propose(request: OrderRequest, nowMs: number): DraftStatus {
    const { agreement, digest } = this.#agreement();
    const order: Order = {
      notBeforeSeconds: request.notBeforeSeconds ?? Math.floor(nowMs / 1000),
      agreementDigest: digest,
      epoch: this.epochNewest() + 1,
      drain: request.drain,
      action: request.action,
      scope: request.scope,
      drainTicks: request.drainTicks,
      permille: request.permille,
      previousDigest: this.orderDigestAt(this.epochNewest()),
    };
    // A pause may always come first; what would let work flow must not pass over an order that is still to come.
    const newest = this.currentOrder()?.order.notBeforeSeconds ?? 0;
    if (order.action !== OrderAction.PAUSE && order.notBeforeSeconds < newest)
      throw new VerifierError("order/out-of-turn", `${newest} s`);
    let bytes: Uint8Array;
    try {
      bytes = draftSign(encodeOrder(order));
    } catch (error) {
      if (error instanceof Refusal) throw new VerifierError("order/malformed", error.message, { cause: error });
      throw error;
    }
    const id = this.#drafts.size + 1;
    const draft: Draft = { id, order, quorum: this.#quorumFor(order, agreement), approvals: [], bytes };
    this.#drafts.set(id, draft);
    return this.status(id);
  }

  /** A party signs a draft. At the quorum's signature the order is active. */
  approve(id: number, party: Party): DraftStatus {
    const draft = this.#draft(id);
    const { agreement, digest } = this.#agreement();
    if (!agreement.parties.some(({ kid }) => sameBytes(kid, party.member.kid))) {
      throw new VerifierError("order/not-a-party", party.name);
    }
    if (draft.approvals.length === draft.quorum) throw new VerifierError("order/active");
    if (draft.order.epoch !== this.epochNewest() + 1 || !sameBytes(draft.order.agreementDigest, digest)) {
      throw new VerifierError("order/stale");
    }
    if (draft.approvals.includes(party.name)) throw new VerifierError("order/signed-already", party.name);
    draft.bytes = party.signOrder(draft.bytes);
    draft.approvals.push(party.name);
    if (draft.approvals.length === draft.quorum) {
      verifyOrder(draft.bytes, agreement, draft.quorum);
      this.#storage.putOrder({ order: draft.order, bytes: draft.bytes });
    }
    return this.status(id);
  }

  status(id: number): DraftStatus {
    const { order, quorum, approvals, bytes } = this.#draft(id);
    const active = approvals.length === quorum;
    return { id, order, quorum, approvals: [...approvals], active, bytes: active ? bytes : undefined };
  }

  /** The newest order that is active. A device that missed earlier ones needs those first: see `ordersAfter`. */
  currentOrder(): StoredOrder | undefined {
    return this.#storage.orders().at(-1);
  }

  /**
   * The active orders after an epoch, oldest first. A device must be given all of them in turn: which quorum it asks an
   * order for depends on what is in force on it.
   */
  ordersAfter(epoch: number): readonly StoredOrder[] {
    return this.#storage.orders().filter(({ order }) => order.epoch > epoch);
  }

  /** What the time authorities confirm: epoch and order that every device must know by now. */
  confirmed(nowMs: number): Confirmed {
    const due = this.#storage.orders().filter(({ order }) => order.notBeforeSeconds * 1000 <= nowMs);
    const epoch = due.at(-1)?.order.epoch ?? 0;
    return { epoch, orderDigest: this.orderDigestAt(epoch) };
  }

  /** Digest of the newest order up to this epoch. */
  orderDigestAt(epoch: number): Uint8Array {
    const order = this.#storage.orders().findLast((stored) => stored.order.epoch <= epoch)?.order;
    return order ? orderDigest(order) : NO_ORDER;
  }

  /** Epoch of the newest active order, due or not. */
  epochNewest(): number {
    return this.currentOrder()?.order.epoch ?? 0;
  }

  /** What is in force for a device that has taken all orders up to this epoch. */
  inForce(ueid: Uint8Array, epoch: number): InForce {
    const mine = this.#storage.orders().filter(({ order }) => order.epoch <= epoch && inScope(order, ueid));
    const newest = mine.at(-1)?.order;
    return newest ? { action: newest.action, permille: newest.permille } : RESUMED;
  }

  #draft(id: number): Draft {
    const draft = this.#drafts.get(id);
    if (!draft) throw new VerifierError("order/unknown", `${id}`);
    return draft;
  }

  /** The same for every device in scope, and for one that enrols later: a signature too many refuses an order. */
  #quorumFor(order: Order, agreement: Agreement): number {
    const before = new Set<number>();
    const enrolled = [...this.#storage.devices()].map(({ ueid }) => ueid).filter((ueid) => inScope(order, ueid));
    for (const ueid of order.scope ?? enrolled) before.add(permilleOf(this.inForce(ueid, order.epoch)));
    if (before.size === 0) before.add(this.#permilleOfAll());
    const quorums = new Set([...before].map((permille) => orderQuorum(agreement, order, permille)));
    // Where it raises some and lowers others, a resume quorum that is the larger serves both.
    if (quorums.size > 1 && agreement.quorums.resume < agreement.quorums.pause) throw new VerifierError("order/mixed");
    return Math.max(...quorums);
  }

  /** What is in force where no order of a scope applies. */
  #permilleOfAll(): number {
    const newest = this.#storage
      .orders()
      .filter(({ order }) => order.scope === undefined)
      .at(-1)?.order;
    return newest ? permilleOf(newest) : PERMILLE_FULL;
  }
}

function inScope(order: Order, ueid: Uint8Array): boolean {
  return order.scope === undefined || order.scope.some((one) => sameBytes(one, ueid));
}
