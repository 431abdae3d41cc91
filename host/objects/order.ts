/** The order: pause, slow or resume, by the quorum that its direction asks for. CDDL and rules: docs/protocol.md. */
import { Claim, ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type Signer, verifyQuorum } from "../protocol/cose.ts";
import { sha256 } from "../protocol/sha256.ts";
import { objectAad } from "./aad.ts";
import type { Agreement } from "./agreement.ts";
import { Claims, encodeClaims, worksValue } from "./claims.ts";
import { signQuorum } from "./quorum.ts";
import type { WorkByClass } from "./work.ts";

export interface Order {
  /** Agreement time in seconds. */
  readonly notBeforeSeconds: number;
  readonly agreementDigest: Uint8Array;
  /** Above that of every order before. */
  readonly epoch: number;
  readonly action: OrderAction;
  /** With pause: narrows what the license leaves for the drain, never widens it. */
  readonly drain?: WorkByClass;
  /** 1 to 32 UEIDs; absent: every device of the agreement. */
  readonly scope?: readonly Uint8Array[];
  /** With pause, and only with it: how long the drain may last, at most the agreement's. */
  readonly drainTicks?: bigint;
  /** 1 to 999 thousandths of the agreement's rates; with slow, and only with it. */
  readonly permille?: number;
  /** `orderDigest` of the order before; `NO_ORDER` for the first. */
  readonly previousDigest: Uint8Array;
}

export const PERMILLE_FULL = 1000;

/** What beacons and evidence name an order by: SHA-256 of its payload, whoever signed it. */
export function orderDigest(order: Order): Uint8Array {
  return sha256(encodeOrder(order));
}

/** In place of a digest before the first order. */
export const NO_ORDER = new Uint8Array(Limit.DIGEST_BYTES);

const ORDER_AAD = objectAad(ObjectType.ORDER);

export function encodeOrder(order: Order): Uint8Array {
  return encodeClaims(
    [
      [Claim.NOT_BEFORE, order.notBeforeSeconds],
      [Claim.AGREEMENT, order.agreementDigest],
      [Claim.EPOCH, order.epoch],
      [Claim.DRAIN, order.drain && worksValue(order.drain)],
      [Claim.ACTION, order.action],
      [Claim.SCOPE, order.scope],
      [Claim.DRAIN_TICKS, order.drainTicks],
      [Claim.RATE_PERMILLE, order.permille],
      [Claim.PREVIOUS, order.previousDigest],
    ],
    decodeOrder,
  );
}

/** Throws a `Refusal` (`ORDER_CLAIM`). */
export function decodeOrder(payload: Uint8Array): Order {
  const claims = Claims.ofPayload(payload, ErrorCode.ORDER_CLAIM, "order");
  const order: Order = {
    notBeforeSeconds: claims.seconds(Claim.NOT_BEFORE),
    agreementDigest: claims.digest(Claim.AGREEMENT),
    epoch: claims.u32(Claim.EPOCH),
    drain: claims.optional(Claim.DRAIN, (label) => claims.works64(label)),
    action: readAction(claims),
    scope: claims.optional(Claim.SCOPE, (label) =>
      claims.list(label, 1, Limit.COHORT_MAX, (items, index) => items.ueid(index)),
    ),
    drainTicks: claims.optional(Claim.DRAIN_TICKS, (label) => claims.u64(label)),
    permille: claims.optional(Claim.RATE_PERMILLE, (label) => claims.u32(label)),
    previousDigest: claims.digest(Claim.PREVIOUS),
  };
  claims.end();
  checkPermille(order, claims);
  if (order.action !== OrderAction.PAUSE && (order.drain !== undefined || order.drainTicks !== undefined)) {
    claims.refuse("a drain goes with pause, and only with it");
  }
  return order;
}

export function readAction(claims: Claims): OrderAction {
  const action = claims.u32(Claim.ACTION);
  if (action < OrderAction.PAUSE || action > OrderAction.RESUME) claims.refuse(`there is no action ${action}`);
  return action;
}

/** A rate goes with slow, and only with it. */
export function checkPermille({ action, permille }: { action: OrderAction; permille?: number }, claims: Claims): void {
  if ((action === OrderAction.SLOW) !== (permille !== undefined)) {
    claims.refuse("a rate goes with slow, and only with it");
  }
  if (permille !== undefined && (permille < 1 || permille >= PERMILLE_FULL)) {
    claims.refuse(`${permille} is not 1 to 999 thousandths`);
  }
}

/** Thousandths of the agreement's rates that an order leaves: 0 for a pause, 1,000 for resume. */
export function permilleOf({ action, permille }: { action: OrderAction; permille?: number }): number {
  if (action === OrderAction.PAUSE) return 0;
  return action === OrderAction.SLOW ? permille! : PERMILLE_FULL;
}

/** Whether it pauses this very device: what an agreement may let come before its log proof. */
export function isPauseOf({ action, scope }: Order, ueid: Uint8Array): boolean {
  return action === OrderAction.PAUSE && (!scope || scope.some((one) => Buffer.compare(one, ueid) === 0));
}

export function signOrder(order: Order, signers: readonly Signer[]): Uint8Array {
  return signQuorum(encodeOrder(order), signers, ORDER_AAD);
}

/** How many signatures an order needs that takes the rate from `permilleBefore` to its own. A resume always raises. */
export function orderQuorum(agreement: Agreement, order: Order, permilleBefore: number): number {
  const raises = order.action === OrderAction.RESUME || permilleOf(order) > permilleBefore;
  return raises ? agreement.quorums.resume : agreement.quorums.pause;
}

/** Throws a `Refusal` unless exactly the quorum signed that the order's direction asks for. */
export function verifyOrder(bytes: Uint8Array, agreement: Agreement, quorum: number): Order {
  return decodeOrder(verifyQuorum(bytes, agreement.parties, quorum, ORDER_AAD).payload);
}
