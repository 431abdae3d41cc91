/** Orders, beacons and time proofs, claim by claim. */
import { Claim, OrderAction } from "../../../firmware/protocol/claims.ts";
import type { Agreement } from "../../objects/agreement.ts";
import type { Order } from "../../objects/order.ts";
import type { TimeStatement } from "../../objects/time.ts";
import { actionName } from "../names.ts";
import { hex } from "../output.ts";
import { ticksRow } from "./license.ts";
import { bytesRow, countRow, optional, type Row, row, timeRow, worksRow } from "./row.ts";

const WHAT: Record<number, string> = {
  [OrderAction.PAUSE]: "pause: drain, then close",
  [OrderAction.SLOW]: "slow: run on at a lower rate",
  [OrderAction.RESUME]: "resume: a license of this epoch may open the gate",
};

export function explainOrder(order: Order, agreement: Agreement | undefined): Row[] {
  return [
    timeRow(Claim.NOT_BEFORE, "not before", order.notBeforeSeconds),
    bytesRow(Claim.AGREEMENT, "agreement", order.agreementDigest),
    row(Claim.EPOCH, "epoch", order.epoch, `${order.epoch}  (licenses of earlier ones never open the gate again)`),
    ...optional(order.drain, (drain) => worksRow(Claim.DRAIN, "drain at most", drain)),
    row(Claim.ACTION, "action", actionName(order.action), WHAT[order.action]!),
    ...(order.scope
      ? [row(Claim.SCOPE, "for devices", order.scope.map(hex), order.scope.map(hex).join("\n"))]
      : [row(Claim.SCOPE, "for devices", null, "all of the agreement")]),
    ...optional(order.drainTicks, (ticks) => ticksRow(Claim.DRAIN_TICKS, "longest drain", ticks, agreement)),
    ...optional(order.permille, (permille) =>
      row(Claim.RATE_PERMILLE, "rate", permille, `${permille / 10} % of the agreement's rates`),
    ),
    orderRow(Claim.PREVIOUS, "order before", order.previousDigest),
  ];
}

export function explainTime(time: TimeStatement): Row[] {
  return [
    timeRow(Claim.ISSUED_AT, "issued at", time.issuedAtSeconds),
    ...optional(time.nonce, (nonce) => bytesRow(Claim.NONCE, "answers nonce", nonce)),
    bytesRow(Claim.AGREEMENT, "agreement", time.agreementDigest),
    countRow(Claim.EPOCH, "epoch", time.epoch),
    orderRow(Claim.ORDER, "newest order", time.orderDigest),
  ];
}

/** An order, by the digest of its payload. */
export function orderRow(label: number, name: string, digest: Uint8Array): Row {
  const none = digest.every((byte) => byte === 0);
  return bytesRow(label, name, digest, none ? "(none so far)" : "");
}
