/**
 * Evidence: what a governor says of itself, for a verifier to judge (RFC 9334). An EAT (RFC 9711) in COSE_Sign1, under
 * the attestation key. CDDL: docs/protocol.md.
 */
import { Claim, ObjectType } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { GateState } from "../../firmware/protocol/states.ts";
import type { CborValue } from "../protocol/cbor.ts";
import { type Signer, signSign1, type VerificationKey, verifySign1 } from "../protocol/cose.ts";
import { objectAad } from "./aad.ts";
import { allWorksValue, type ClaimEntries, Claims, encodeClaims } from "./claims.ts";
import {
  EAT_PROFILE,
  type ReportHead,
  readReportHead,
  readTimeBounds,
  type TimeBounds,
  timeBoundsValue,
} from "./eat.ts";
import { type HardwareModel, hardwareEntries, readHardware } from "./endorsement.ts";
import { measurementValue, readMeasurement } from "./measurement.ts";
import type { AllWork } from "./work.ts";

/** What `INFO` answers, and evidence says over its nonce. */
export interface Info extends HardwareModel {
  readonly ueid: Uint8Array;
  readonly uptimeSeconds: number;
  readonly bootCount: number;
  /** SHA-256 of the governor image. */
  readonly measurement: Uint8Array;
  readonly agreementDigest: Uint8Array;
  readonly epoch: number;
  readonly gateState: GateState;
  /** Latched sensors, one bit each. */
  readonly tamper: number;
  readonly totals: AllWork;
  readonly budgetLeft: AllWork;
  readonly reportHead: ReportHead;
  readonly licenseSequence: bigint;
  /** What the next license or recovery must carry as its nonce, 32 bytes. */
  readonly challenge: Uint8Array;
  /** Null before a time proof. */
  readonly timeBounds: TimeBounds | null;
  /** Of the monotonic counter's life and of the flash's. */
  readonly counterPermille: number;
  readonly flashPermille: number;
  /** Refused objects since the last license, and ticks of back-off still to go. */
  readonly failures: number;
  readonly backOffTicks: bigint;
  readonly svn: number;
  readonly agreementVersion: number;
  readonly lastCode: number;
  /** Of the newest order that the governor accepted; zeros before the first. */
  readonly orderDigest: Uint8Array;
  /** The log's tree that the newest accepted proof showed, where the agreement has a log; size 0: none yet. */
  readonly logHead?: LogHead;
}

/** A tree of the log by its number of leaves and its root, zeros for no tree. */
export interface LogHead {
  readonly size: bigint;
  readonly root: Uint8Array;
}

export interface Evidence extends Info {
  /** The verifier's, 8 to 64 bytes. */
  readonly nonce: Uint8Array;
  /** New at every power-up, 32 bytes. */
  readonly bootSeed: Uint8Array;
}

/** Disabled since manufacture, and for good: RFC 9711 section 4.2.9. */
const DEBUG_DISABLED_PERMANENTLY = 3;
const BOOT_SEED_BYTES = 32;

const AAD = objectAad(ObjectType.EVIDENCE);

export function encodeEvidence(evidence: Evidence): Uint8Array {
  return encodeClaims(
    [[Claim.NONCE, evidence.nonce], [Claim.BOOT_SEED, evidence.bootSeed], ...infoEntries(evidence)],
    decodeEvidence,
  );
}

/** Throws a `Refusal` (`CBOR_TYPE`): no governor reads evidence, so it has no code of its own. */
export function decodeEvidence(payload: Uint8Array): Evidence {
  const claims = Claims.ofPayload(payload, ErrorCode.CBOR_TYPE, "evidence");
  const evidence: Evidence = {
    nonce: claims.bytes(Claim.NONCE, Limit.NONCE_BYTES_MIN, Limit.NONCE_BYTES_MAX),
    bootSeed: claims.bytes(Claim.BOOT_SEED, BOOT_SEED_BYTES),
    ...readInfo(claims),
  };
  claims.end();
  return evidence;
}

/** The claims of an `INFO` answer: evidence without nonce and boot seed, which nobody signed. */
export function decodeInfo(value: CborValue): Info {
  const claims = new Claims(value, ErrorCode.CBOR_TYPE, "info");
  const info = readInfo(claims);
  claims.end();
  return info;
}

export function signEvidence(evidence: Evidence, attester: Signer): Uint8Array {
  return signSign1(encodeEvidence(evidence), attester, AAD);
}

export function verifyEvidence(bytes: Uint8Array, attestationKey: VerificationKey): Evidence {
  return decodeEvidence(verifySign1(bytes, attestationKey, AAD).payload);
}

function infoEntries(info: Info): ClaimEntries {
  return [
    [Claim.UEID, info.ueid],
    ...hardwareEntries(info),
    [Claim.UPTIME, info.uptimeSeconds],
    [Claim.DEBUG_STATUS, DEBUG_DISABLED_PERMANENTLY],
    [Claim.PROFILE, EAT_PROFILE],
    [Claim.BOOT_COUNT, info.bootCount],
    [Claim.MEASUREMENTS, measurementValue(info.measurement)],
    [Claim.AGREEMENT, info.agreementDigest],
    [Claim.EPOCH, info.epoch],
    [Claim.GATE_STATE, info.gateState],
    [Claim.TAMPER, info.tamper],
    [Claim.TOTALS, allWorksValue(info.totals)],
    [Claim.BUDGET_LEFT, allWorksValue(info.budgetLeft)],
    [Claim.REPORT_HEAD, [info.reportHead.sequence, info.reportHead.digest]],
    [Claim.LICENSE_SEQUENCE, info.licenseSequence],
    [Claim.CHALLENGE, info.challenge],
    [Claim.TIME_BOUNDS, timeBoundsValue(info.timeBounds)],
    [Claim.WEAR, [info.counterPermille, info.flashPermille]],
    [Claim.FAILURES, [info.failures, info.backOffTicks]],
    [Claim.SVN, info.svn],
    [Claim.AGREEMENT_VERSION, info.agreementVersion],
    [Claim.LAST_CODE, info.lastCode],
    [Claim.ORDER, info.orderDigest],
    [Claim.LOG_HEAD, info.logHead && [info.logHead.size, info.logHead.root]],
  ];
}

function readInfo(claims: Claims): Info {
  claims.constant(Claim.DEBUG_STATUS, DEBUG_DISABLED_PERMANENTLY);
  claims.constant(Claim.PROFILE, EAT_PROFILE);
  const wear = claims.array(Claim.WEAR, 2);
  const failures = claims.array(Claim.FAILURES, 2);
  return {
    ueid: claims.ueid(Claim.UEID),
    ...readHardware(claims),
    uptimeSeconds: claims.seconds(Claim.UPTIME),
    bootCount: claims.u32(Claim.BOOT_COUNT),
    measurement: readMeasurement(claims),
    agreementDigest: claims.digest(Claim.AGREEMENT),
    epoch: claims.u32(Claim.EPOCH),
    gateState: claims.u32(Claim.GATE_STATE),
    tamper: claims.u32(Claim.TAMPER),
    totals: claims.allWorks(Claim.TOTALS),
    budgetLeft: claims.allWorks(Claim.BUDGET_LEFT),
    reportHead: readReportHead(claims),
    licenseSequence: claims.u64(Claim.LICENSE_SEQUENCE),
    challenge: claims.bytes(Claim.CHALLENGE, Limit.NONCE_BYTES),
    timeBounds: readTimeBounds(claims),
    counterPermille: wear.u32(0),
    flashPermille: wear.u32(1),
    failures: failures.u32(0),
    backOffTicks: failures.u64(1),
    svn: claims.u32(Claim.SVN),
    agreementVersion: claims.u32(Claim.AGREEMENT_VERSION),
    lastCode: claims.u32(Claim.LAST_CODE),
    orderDigest: claims.digest(Claim.ORDER),
    logHead: claims.optional(Claim.LOG_HEAD, (label) => {
      const head = claims.array(label, 2);
      return { size: head.u64(0), root: head.digest(1) };
    }),
  };
}
