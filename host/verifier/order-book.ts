/**
 * The orders that are active, oldest first, and what follows from them: what the time authorities confirm, what is in
 * force for a device, and how many signatures the next order takes. Immutable; a new order makes a new book.
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
} from "../objects/order.ts";
import { Refusal } from "../protocol/refusal.ts";
import { hexOf, sameBytes } from "./bytes.ts";
import { VerifierError } from "./errors.ts";

export interface StoredOrder {
  readonly order: Order;
  readonly bytes: Uint8Array;
}

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

export class OrderBook {
  readonly orders: readonly StoredOrder[];
  readonly #digests: readonly Uint8Array[];

  /** By rising epoch. */
  constructor(orders: readonly StoredOrder[] = []) {
    this.orders = [...orders];
    this.#digests = orders.map(({ order }) => orderDigest(order));
  }

  with(order: StoredOrder): OrderBook {
    return new OrderBook([...this.orders, order]);
  }

  /** The newest order that is active, due or not. A device that missed earlier ones needs those first. */
  get newest(): StoredOrder | undefined {
    return this.orders.at(-1);
  }

  get epochNewest(): number {
    return this.newest?.order.epoch ?? 0;
  }

  /**
   * The active orders after an epoch, oldest first. A device must be given all of them in turn: which quorum it asks an
   * order for depends on what is in force on it.
   */
  after(epoch: number): readonly StoredOrder[] {
    return this.orders.filter(({ order }) => order.epoch > epoch);
  }

  /** What the time authorities confirm: epoch and order that every device must know by now. */
  confirmed(nowMs: number): Confirmed {
    const due = this.orders.findLast(({ order }) => order.notBeforeSeconds * 1000 <= nowMs);
    const epoch = due?.order.epoch ?? 0;
    return { epoch, orderDigest: this.digestAt(epoch) };
  }

  /** Digest of the newest order up to this epoch. */
  digestAt(epoch: number): Uint8Array {
    return this.#digests[this.orders.findLastIndex(({ order }) => order.epoch <= epoch)] ?? NO_ORDER;
  }

  /** What is in force for a device that has taken all orders up to this epoch. */
  inForce(ueid: Uint8Array, epoch: number): InForce {
    const newest = this.orders.findLast(({ order }) => order.epoch <= epoch && inScope(order, ueid))?.order;
    return newest ? { action: newest.action, permille: newest.permille } : RESUMED;
  }

  /** An order of the next epoch that names the newest. Throws `order/out-of-turn` and `order/malformed`. */
  draw(request: OrderRequest, agreementDigest: Uint8Array, nowMs: number): Order {
    const order: Order = {
      notBeforeSeconds: request.notBeforeSeconds ?? Math.floor(nowMs / 1000),
      agreementDigest,
      epoch: this.epochNewest + 1,
      drain: request.drain,
      action: request.action,
      scope: request.scope,
      drainTicks: request.drainTicks,
      permille: request.permille,
      previousDigest: this.digestAt(this.epochNewest),
    };
    try {
      encodeOrder(order);
    } catch (error) {
      if (error instanceof Refusal) throw new VerifierError("order/malformed", error.message, { cause: error });
      throw error;
    }
    this.checkNext(order, agreementDigest);
    return order;
  }

  /** Throws unless the order may be the next: `order/stale`, `order/out-of-turn`. */
  checkNext(order: Order, agreementDigest: Uint8Array): void {
    const follows =
      order.epoch === this.epochNewest + 1 &&
      sameBytes(order.previousDigest, this.digestAt(this.epochNewest)) &&
      sameBytes(order.agreementDigest, agreementDigest);
    if (!follows) throw new VerifierError("order/stale");
    // A pause may always come first; what would let work flow must not pass over an order that is still to come.
    const newestSeconds = this.newest?.order.notBeforeSeconds ?? 0;
    if (order.action !== OrderAction.PAUSE && order.notBeforeSeconds < newestSeconds) {
      throw new VerifierError("order/out-of-turn", `${newestSeconds} s`);
    }
  }

  /** The same for every device in scope, and for one that enrols later: a signature too many refuses an order. */
  quorumFor(order: Order, agreement: Agreement): number {
    const before = new Set((order.scope ?? this.#named()).map((ueid) => permilleOf(this.inForce(ueid, order.epoch))));
    if (order.scope === undefined) before.add(this.#permilleOfOthers());
    const quorums = new Set([...before].map((permille) => orderQuorum(agreement, order, permille)));
    // Where it raises some and lowers others, a resume quorum that is the larger serves both.
    if (quorums.size > 1 && agreement.quorums.resume < agreement.quorums.pause) throw new VerifierError("order/mixed");
    return Math.max(...quorums);
  }

  /** Devices that some scope names: for all others the orders without a scope are what counts. */
  #named(): Uint8Array[] {
    const named = this.orders.flatMap(({ order }) => order.scope ?? []);
    return [...new Map(named.map((ueid) => [hexOf(ueid), ueid])).values()];
  }

  #permilleOfOthers(): number {
    const newest = this.orders.findLast(({ order }) => order.scope === undefined)?.order;
    return newest ? permilleOf(newest) : PERMILLE_FULL;
  }
}

function inScope(order: Order, ueid: Uint8Array): boolean {
  return order.scope === undefined || order.scope.some((one) => sameBytes(one, ueid));
}
