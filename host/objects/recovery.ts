/** The recovery: after a rollback was found, the license quorum says from what totals and chain head to go on. */
import { Claim, ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { parseSign, type Signer, verifyQuorum } from "../protocol/cose.ts";
import { objectAad } from "./aad.ts";
import type { Agreement } from "./agreement.ts";
import { allWorksValue, Claims, encodeClaims } from "./claims.ts";
import { type ReportHead, readReportHead } from "./eat.ts";
import { checkPermille, readAction } from "./order.ts";
import { signQuorum } from "./quorum.ts";
import type { AllWork } from "./work.ts";

/** Why a gate locks itself until a recovery: its journal does not fit the counter, or its meter can't be believed. */
export const RECOVERABLE: readonly number[] = [
  ErrorCode.JOURNAL_ROLLBACK,
  ErrorCode.JOURNAL_MISSING,
  ErrorCode.METER_REGRESSED,
  ErrorCode.METER_OVERRUN,
  ErrorCode.METER_UNCOUNTED,
  ErrorCode.METER_SATURATED,
];

export interface Recovery {
  /** The challenge of the evidence it answers, 32 bytes. */
  readonly nonce: Uint8Array;
  readonly ueid: Uint8Array;
  readonly agreementDigest: Uint8Array;
  readonly epoch: number;
  /** License sequence to go on from: no license up to it is taken. */
  readonly sequence: bigint;
  /** The order in force. */
  readonly action: OrderAction;
  readonly permille?: number;
  readonly totals: AllWork;
  readonly reportHead: ReportHead;
  /** Of the order in force; zeros before the first. */
  readonly orderDigest: Uint8Array;
}

const AAD = objectAad(ObjectType.RECOVERY);
/** Licenses after a recovery still have room to rise. */
const SEQUENCE_RECOVERED_MAX = 2n ** 63n - 1n;

export function encodeRecovery(recovery: Recovery): Uint8Array {
  return encodeClaims(
    [
      [Claim.NONCE, recovery.nonce],
      [Claim.UEID, recovery.ueid],
      [Claim.AGREEMENT, recovery.agreementDigest],
      [Claim.EPOCH, recovery.epoch],
      [Claim.SEQUENCE, recovery.sequence],
      [Claim.ACTION, recovery.action],
      [Claim.RATE_PERMILLE, recovery.permille],
      [Claim.TOTALS, allWorksValue(recovery.totals)],
      [Claim.REPORT_HEAD, [recovery.reportHead.sequence, recovery.reportHead.digest]],
      [Claim.ORDER, recovery.orderDigest],
    ],
    decodeRecovery,
  );
}

/** Throws a `Refusal` (`RECOVERY_CLAIM`). */
export function decodeRecovery(payload: Uint8Array): Recovery {
  const claims = Claims.ofPayload(payload, ErrorCode.RECOVERY_CLAIM, "recovery");
  const recovery: Recovery = {
    nonce: claims.bytes(Claim.NONCE, Limit.NONCE_BYTES),
    ueid: claims.ueid(Claim.UEID),
    agreementDigest: claims.digest(Claim.AGREEMENT),
    epoch: claims.u32(Claim.EPOCH, Limit.EPOCH_RECOVERED_MAX),
    sequence: claims.u64(Claim.SEQUENCE, SEQUENCE_RECOVERED_MAX),
    action: readAction(claims),
    permille: claims.optional(Claim.RATE_PERMILLE, (label) => claims.u32(label)),
    totals: claims.allWorks(Claim.TOTALS),
    reportHead: readReportHead(claims),
    orderDigest: claims.digest(Claim.ORDER),
  };
  claims.end();
  checkPermille(recovery, claims);
  return recovery;
}

export function signRecovery(recovery: Recovery, signers: readonly Signer[]): Uint8Array {
  return signQuorum(encodeRecovery(recovery), signers, AAD);
}

/** How many signatures a recovery takes: to say that no pause is in force, as many as could lift one. */
export function recoveryQuorum({ quorums }: Agreement, { action }: Recovery): number {
  return action === OrderAction.PAUSE ? quorums.license : Math.max(quorums.license, quorums.resume);
}

/** Throws a `Refusal` unless exactly its quorum signed. */
export function verifyRecovery(bytes: Uint8Array, agreement: Agreement): Recovery {
  const recovery = decodeRecovery(parseSign(bytes).payload);
  verifyQuorum(bytes, agreement.parties, recoveryQuorum(agreement, recovery), AAD);
  return recovery;
}
