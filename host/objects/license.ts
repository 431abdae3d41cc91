/**
 * The license: how much work of which classes one device (or a cohort, offline) may do, until when. It sets the
 * allowance and never adds to it. A CWT (RFC 8392) in COSE_Sign. CDDL and rules: docs/protocol.md.
 */
import { Claim, ObjectType } from "../../firmware/protocol/claims.ts";
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type Signer, verifyQuorum } from "../protocol/cose.ts";
import { objectAad } from "./aad.ts";
import type { Agreement } from "./agreement.ts";
import { Claims, encodeClaims, worksValue } from "./claims.ts";
import { signQuorum } from "./quorum.ts";
import type { WorkByClass } from "./work.ts";

export interface License {
  /** Agreement time in seconds. */
  readonly expirySeconds: number;
  readonly notBeforeSeconds: number;
  /** The challenge of the evidence it answers, 32 bytes; without it the license is offline. */
  readonly nonce?: Uint8Array;
  /** The one device ... */
  readonly ueid?: Uint8Array;
  /** ... or the 1 to 32 of an offline license. */
  readonly cohort?: readonly Uint8Array[];
  readonly agreementDigest: Uint8Array;
  readonly epoch: number;
  readonly sequence: bigint;
  readonly budget: WorkByClass;
  /** Work per tick, at least 1; a class that is not named runs at the agreement's rate. */
  readonly rate?: ReadonlyMap<EngineClass, bigint>;
  readonly ticksMax: bigint;
  readonly drain?: WorkByClass;
  readonly svnLeast: number;
}

const AAD = objectAad(ObjectType.LICENSE);

export function encodeLicense(license: License): Uint8Array {
  return encodeClaims(
    [
      [Claim.EXPIRY, license.expirySeconds],
      [Claim.NOT_BEFORE, license.notBeforeSeconds],
      [Claim.NONCE, license.nonce],
      [Claim.UEID, license.ueid],
      [Claim.AGREEMENT, license.agreementDigest],
      [Claim.EPOCH, license.epoch],
      [Claim.SEQUENCE, license.sequence],
      [Claim.BUDGET, worksValue(license.budget)],
      [Claim.RATE, license.rate],
      [Claim.TICKS_MAX, license.ticksMax],
      [Claim.DRAIN, license.drain && worksValue(license.drain)],
      [Claim.SVN_LEAST, license.svnLeast],
      [Claim.COHORT, license.cohort],
    ],
    decodeLicense,
  );
}

/** Throws a `Refusal` (`LICENSE_CLAIM`). */
export function decodeLicense(payload: Uint8Array): License {
  const claims = Claims.ofPayload(payload, ErrorCode.LICENSE_CLAIM, "license");
  const license: License = {
    expirySeconds: claims.seconds(Claim.EXPIRY),
    notBeforeSeconds: claims.seconds(Claim.NOT_BEFORE),
    nonce: claims.optional(Claim.NONCE, (label) => claims.bytes(label, Limit.NONCE_BYTES)),
    ueid: claims.optional(Claim.UEID, (label) => claims.ueid(label)),
    agreementDigest: claims.digest(Claim.AGREEMENT),
    epoch: claims.u32(Claim.EPOCH),
    sequence: claims.u64(Claim.SEQUENCE),
    budget: claims.works(Claim.BUDGET),
    rate: claims.optional(Claim.RATE, (label) =>
      claims.byClass(label, (rates, engineClass) => {
        const rate = rates.u64(engineClass);
        return rate > 0n ? rate : claims.refuse("a rate of 0 is no rate: leave the class out of the budget");
      }),
    ),
    ticksMax: claims.u64(Claim.TICKS_MAX),
    drain: claims.optional(Claim.DRAIN, (label) => claims.works64(label)),
    svnLeast: claims.u32(Claim.SVN_LEAST),
    cohort: claims.optional(Claim.COHORT, (label) =>
      claims.list(label, 1, Limit.COHORT_MAX, (items, index) => items.ueid(index)),
    ),
  };
  claims.end();
  if ((license.ueid === undefined) === (license.cohort === undefined)) {
    claims.refuse("it names neither one device nor a cohort, or both");
  }
  if (license.cohort && license.nonce) claims.refuse("a license for a cohort cannot answer one device's challenge");
  return license;
}

/** Signed by each of `signers`, who must be the license quorum, neither more nor fewer. */
export function signLicense(license: License, signers: readonly Signer[]): Uint8Array {
  return signQuorum(encodeLicense(license), signers, AAD);
}

/** Throws a `Refusal` unless exactly the license quorum signed. */
export function verifyLicense(bytes: Uint8Array, agreement: Agreement): License {
  return decodeLicense(verifyQuorum(bytes, agreement.parties, agreement.quorums.license, AAD).payload);
}
