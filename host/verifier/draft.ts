/**
 * An order on its way: drafted, approved by one party after the other, active at the moment the quorum is reached.
 * Lowering the rate takes the pause quorum, raising it the resume quorum. Drafts are values; whoever keeps them decides
 * what to do with an active one.
 */
import type { Agreement } from "../objects/agreement.ts";
import { decodeOrder, encodeOrder, type Order, verifyOrder } from "../objects/order.ts";
import { draftSign, parseSign } from "../protocol/cose.ts";
import { sameBytes } from "./bytes.ts";
import { VerifierError } from "./errors.ts";
import type { OrderBook, OrderRequest } from "./order-book.ts";
import { readSigned } from "./signed.ts";

export interface OrderDraft {
  readonly order: Order;
  /** Signatures it needs, exactly. */
  readonly quorum: number;
  /** Names of the parties that have signed, in order. */
  readonly approvals: readonly string[];
  /** With the signatures so far; whole when `approvals` are as many as the quorum. */
  readonly bytes: Uint8Array;
}

/** What a draft is judged against. */
export interface DraftGrounds {
  readonly agreement: Agreement;
  readonly agreementDigest: Uint8Array;
  readonly orders: OrderBook;
}

export function isActive({ approvals, quorum }: OrderDraft): boolean {
  return approvals.length === quorum;
}

export function draftOrder(request: OrderRequest, grounds: DraftGrounds, nowMs: number): OrderDraft {
  const order = grounds.orders.draw(request, grounds.agreementDigest, nowMs);
  const quorum = grounds.orders.quorumFor(order, grounds.agreement);
  return { order, quorum, approvals: [], bytes: draftSign(encodeOrder(order)) };
}

/** Whether a party may sign now. Throws the `VerifierError` that says why not. */
export function checkApproval(draft: OrderDraft, name: string, kid: Uint8Array, grounds: DraftGrounds): void {
  if (!grounds.agreement.parties.some((party) => sameBytes(party.kid, kid))) {
    throw new VerifierError("order/not-a-party", name);
  }
  if (isActive(draft)) throw new VerifierError("order/active");
  grounds.orders.checkNext(draft.order, grounds.agreementDigest);
  if (draft.approvals.includes(name)) throw new VerifierError("order/signed-already", name);
}

/** The draft with the signature that `bytes` have more. The whole one is verified as a device would. */
export function approved(draft: OrderDraft, name: string, bytes: Uint8Array, { agreement }: DraftGrounds): OrderDraft {
  const next = { ...draft, approvals: [...draft.approvals, name], bytes };
  if (isActive(next)) verifyOrder(bytes, agreement, next.quorum);
  return next;
}

/**
 * A draft, or a whole order, that another verifier's parties signed: every signature in it is verified. Throws
 * `order/malformed`, `order/signature`, and what `checkNext` throws.
 */
export function importDraft(bytes: Uint8Array, { agreement, agreementDigest, orders }: DraftGrounds): OrderDraft {
  return readSigned("order/malformed", "order/signature", () => {
    const { payload, signatures } = parseSign(bytes);
    const order = decodeOrder(payload);
    orders.checkNext(order, agreementDigest);
    const quorum = orders.quorumFor(order, agreement);
    // Verified as if the quorum were what is there, so that one that does not hold, or is nobody's, refuses the whole.
    if (signatures.length > 0) verifyOrder(bytes, agreement, Math.min(signatures.length, quorum));
    const approvals = signatures.map(({ kid }) => agreement.parties.find((party) => sameBytes(party.kid, kid!))!.name);
    return { order, quorum, approvals, bytes };
  });
}
