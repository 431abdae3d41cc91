/** Beacons and time proofs: what time it is, and which epoch, by the time authorities. CDDL: docs/protocol.md. */
import { Claim, ObjectType } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type Signer, signSign1, verifyQuorum, verifySign1 } from "../protocol/cose.ts";
import { objectAad } from "./aad.ts";
import type { Agreement } from "./agreement.ts";
import { Claims, encodeClaims } from "./claims.ts";
import { signQuorum } from "./quorum.ts";

export interface TimeStatement {
  /** Agreement time in seconds. */
  readonly issuedAtSeconds: number;
  /** The governor's, 32 bytes: in a time proof, and only there. */
  readonly nonce?: Uint8Array;
  readonly agreementDigest: Uint8Array;
  readonly epoch: number;
  /** Of the order in force (`orderDigest`); zeros before the first. */
  readonly orderDigest: Uint8Array;
}

export type TimeType = ObjectType.BEACON | ObjectType.TIME_PROOF;

export function encodeTime(type: TimeType, time: TimeStatement): Uint8Array {
  return encodeClaims(
    [
      [Claim.ISSUED_AT, time.issuedAtSeconds],
      [Claim.NONCE, time.nonce],
      [Claim.AGREEMENT, time.agreementDigest],
      [Claim.EPOCH, time.epoch],
      [Claim.ORDER, time.orderDigest],
    ],
    (payload) => decodeTime(type, payload),
  );
}

/** Throws a `Refusal` (`TIME_CLAIM`), also for a beacon with a nonce or a proof without. */
export function decodeTime(type: TimeType, payload: Uint8Array): TimeStatement {
  const claims = Claims.ofPayload(payload, ErrorCode.TIME_CLAIM, nameOf(type));
  const time: TimeStatement = {
    issuedAtSeconds: claims.seconds(Claim.ISSUED_AT),
    nonce: type === ObjectType.TIME_PROOF ? claims.bytes(Claim.NONCE, Limit.NONCE_BYTES) : undefined,
    agreementDigest: claims.digest(Claim.AGREEMENT),
    epoch: claims.u32(Claim.EPOCH),
    orderDigest: claims.digest(Claim.ORDER),
  };
  claims.end();
  return time;
}

/** A COSE_Sign1 for one signer, a COSE_Sign for several. */
export function signTime(type: TimeType, time: TimeStatement, signers: readonly Signer[]): Uint8Array {
  const payload = encodeTime(type, time);
  const aad = objectAad(type);
  return signers.length === 1 ? signSign1(payload, signers[0]!, aad) : signQuorum(payload, signers, aad);
}

/** Throws a `Refusal` unless exactly the time quorum signed. */
export function verifyTime(type: TimeType, bytes: Uint8Array, agreement: Agreement): TimeStatement {
  const keys = agreement.timeAuthorities;
  const aad = objectAad(type);
  const { payload } =
    agreement.timeQuorum === 1
      ? verifySign1(bytes, (kid) => keys.find((key) => kid && Buffer.compare(key.kid, kid) === 0), aad)
      : verifyQuorum(bytes, keys, agreement.timeQuorum, aad);
  return decodeTime(type, payload);
}

function nameOf(type: TimeType): string {
  return type === ObjectType.BEACON ? "beacon" : "time proof";
}
