/**
 * The usage report: what a device did since the one before, whose digest it carries. An EAT (RFC 9711) in COSE_Sign1,
 * under the attestation key. CDDL: docs/protocol.md.
 */
import { Claim, ObjectType } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { GateState } from "../../firmware/protocol/states.ts";
import { type Signer, signSign1, type VerificationKey, verifySign1 } from "../protocol/cose.ts";
import { sha256 } from "../protocol/sha256.ts";
import { objectAad } from "./aad.ts";
import { allCountsValue, allWorksValue, Claims, encodeClaims } from "./claims.ts";
import { EAT_PROFILE, readTimeBounds, type TimeBounds, timeBoundsValue } from "./eat.ts";
import type { AllWork } from "./work.ts";

export interface Transition {
  readonly tick: bigint;
  readonly from: GateState;
  readonly to: GateState;
  /** Why: of `firmware/protocol/errors.ts`. */
  readonly code: number;
}

export interface UsageReport {
  readonly ueid: Uint8Array;
  readonly bootCount: number;
  readonly agreementDigest: Uint8Array;
  readonly epoch: number;
  readonly sequence: bigint;
  readonly gateState: GateState;
  readonly totals: AllWork;
  readonly licenseSequence: bigint;
  readonly timeBounds: TimeBounds | null;
  /** SHA-256 of the whole report before; 32 zero bytes for the first. */
  readonly previous: Uint8Array;
  readonly fromTick: bigint;
  readonly toTick: bigint;
  /** Requests for work of each class that were denied, and that had to wait. */
  readonly denied: readonly bigint[];
  readonly throttled: readonly bigint[];
  /** How often the gate moved; the first 8 moves follow. */
  readonly transitionCount: number;
  readonly transitions: readonly Transition[];
  /** Leaves of the Merkle-sum tree over the intervals, and its root's hash. */
  readonly intervalCount: number;
  readonly intervalRoot: Uint8Array;
}

const AAD = objectAad(ObjectType.USAGE_REPORT);

export function encodeUsageReport(report: UsageReport): Uint8Array {
  const transitions = report.transitions.map(({ tick, from, to, code }) => [tick, from, to, code]);
  return encodeClaims(
    [
      [Claim.UEID, report.ueid],
      [Claim.PROFILE, EAT_PROFILE],
      [Claim.BOOT_COUNT, report.bootCount],
      [Claim.AGREEMENT, report.agreementDigest],
      [Claim.EPOCH, report.epoch],
      [Claim.SEQUENCE, report.sequence],
      [Claim.GATE_STATE, report.gateState],
      [Claim.TOTALS, allWorksValue(report.totals)],
      [Claim.LICENSE_SEQUENCE, report.licenseSequence],
      [Claim.TIME_BOUNDS, timeBoundsValue(report.timeBounds)],
      [Claim.PREVIOUS, report.previous],
      [Claim.INTERVAL, [report.fromTick, report.toTick]],
      [Claim.DENIED, allCountsValue(report.denied)],
      [Claim.THROTTLED, allCountsValue(report.throttled)],
      [Claim.TRANSITIONS, [report.transitionCount, transitions]],
      [Claim.INTERVAL_ROOT, [report.intervalCount, report.intervalRoot]],
    ],
    decodeUsageReport,
  );
}

/** Throws a `Refusal` (`CBOR_TYPE`): no governor reads reports, so they have no code of their own. */
export function decodeUsageReport(payload: Uint8Array): UsageReport {
  const claims = Claims.ofPayload(payload, ErrorCode.CBOR_TYPE, "usage report");
  claims.constant(Claim.PROFILE, EAT_PROFILE);
  const interval = claims.array(Claim.INTERVAL, 2);
  const transitions = claims.array(Claim.TRANSITIONS, 2);
  const tree = claims.array(Claim.INTERVAL_ROOT, 2);
  const report: UsageReport = {
    ueid: claims.ueid(Claim.UEID),
    bootCount: claims.u32(Claim.BOOT_COUNT),
    agreementDigest: claims.digest(Claim.AGREEMENT),
    epoch: claims.u32(Claim.EPOCH),
    sequence: claims.u64(Claim.SEQUENCE),
    gateState: claims.u32(Claim.GATE_STATE),
    totals: claims.allWorks(Claim.TOTALS),
    licenseSequence: claims.u64(Claim.LICENSE_SEQUENCE),
    timeBounds: readTimeBounds(claims),
    previous: claims.digest(Claim.PREVIOUS),
    fromTick: interval.u64(0),
    toTick: interval.u64(1),
    denied: claims.allCounts(Claim.DENIED),
    throttled: claims.allCounts(Claim.THROTTLED),
    transitionCount: transitions.u32(0),
    transitions: transitions.list(1, 0, Limit.TRANSITIONS_MAX, (items, index) => {
      const move = items.array(index, 4);
      return { tick: move.u64(0), from: move.u32(1), to: move.u32(2), code: move.u32(3) };
    }),
    intervalCount: tree.u32(0, Limit.INTERVALS_MAX),
    intervalRoot: tree.digest(1),
  };
  claims.end();
  return report;
}

export function signUsageReport(report: UsageReport, attester: Signer): Uint8Array {
  return signSign1(encodeUsageReport(report), attester, AAD);
}

export function verifyUsageReport(bytes: Uint8Array, attestationKey: VerificationKey): UsageReport {
  return decodeUsageReport(verifySign1(bytes, attestationKey, AAD).payload);
}

/** What the next report carries as `previous`, and evidence as its report head. */
export function reportDigest(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}
