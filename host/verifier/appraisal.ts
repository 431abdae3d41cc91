/**
 * Appraisal of evidence (RFC 9334 section 8.4): a list of named steps, each of which holds or refuses with its own code.
 * What was concluded is an attestation result; it names the steps, so that a reader sees what was judged.
 */
import { GateState } from "../../firmware/protocol/states.ts";
import type { Agreement } from "../objects/agreement.ts";
import type { Evidence } from "../objects/evidence.ts";
import { RECOVERABLE } from "../objects/recovery.ts";
import { workBetween } from "../objects/work.ts";
import { sameBytes } from "./bytes.ts";
import { VerifierError } from "./errors.ts";
import { type ReferenceValues, referenceOf } from "./registry.ts";
import type { DeviceRecord } from "./storage.ts";

/** What the evidence is for: a license, or the recovery of a board whose journal is gone. */
export type Purpose = "license" | "recovery";

export interface Appraisal {
  readonly evidence: Evidence;
  readonly purpose: Purpose;
  /** Names of the steps that held, in order. */
  readonly steps: readonly string[];
}

/** What evidence is judged against. */
export interface AppraisalContext {
  readonly device: DeviceRecord;
  /** Public key that the evidence is signed by: one of the device's. */
  readonly attester: Uint8Array;
  readonly references: ReferenceValues;
  readonly agreement: Agreement;
  readonly agreementDigest: Uint8Array;
  /** Epoch that a device must know by now, and the newest that it may know. */
  readonly epochNow: number;
  readonly epochNewest: number;
  /** Digest of the newest order up to an epoch. */
  readonly orderDigestAt: (epoch: number) => Uint8Array;
  /** When the nonce was given, and now, in ms of agreement time. */
  readonly nonceGivenMs: number;
  readonly nowMs: number;
}

type Step = readonly [name: string, check: (evidence: Evidence, context: AppraisalContext) => void];

const IDENTITY_STEPS: readonly Step[] = [
  ["hardware is what was endorsed", checkHardware],
  ["governor image is certified and a reference value", checkMeasurement],
  ["security version is high enough", checkSvn],
  ["agreement is in force", checkAgreement],
  ["no tamper sensor fired", checkTamper],
];

const LICENSE_STEPS: readonly Step[] = [
  ...IDENTITY_STEPS,
  ["gate is not locked", checkNotLocked],
  ["one device in one boot", checkBoot],
  ["every order has arrived", checkOrders],
  ["clock is true", checkTime],
  ["nothing goes back", checkContinuity],
  ["every report is here", checkChain],
];

const RECOVERY_STEPS: readonly Step[] = [...IDENTITY_STEPS, ["journal is lost or meter in doubt", checkRecoverable]];

/** Names of the steps of each purpose, in order: what an attestation result says that held (docs/rats.md). */
export const STEP_NAMES: Readonly<Record<Purpose, readonly string[]>> = {
  license: LICENSE_STEPS.map(([name]) => name),
  recovery: RECOVERY_STEPS.map(([name]) => name),
};

/** Judges evidence whose signature and nonce were verified. Throws the `VerifierError` of the first step that fails. */
export function appraise(evidence: Evidence, purpose: Purpose, context: AppraisalContext): Appraisal {
  const steps = purpose === "license" ? LICENSE_STEPS : RECOVERY_STEPS;
  for (const [, check] of steps) check(evidence, context);
  return { evidence, purpose, steps: STEP_NAMES[purpose] };
}

function checkHardware(evidence: Evidence, { device }: AppraisalContext): void {
  const { oemId, hardwareModel, hardwareVersion } = device.endorsement;
  const isEndorsed =
    sameBytes(evidence.oemId, oemId) &&
    sameBytes(evidence.hardwareModel, hardwareModel) &&
    evidence.hardwareVersion === hardwareVersion;
  if (!isEndorsed) throw new VerifierError("evidence/hardware");
}

/** A key speaks for the image that it was certified with: that of an image which is withdrawn gets nothing any more. */
function checkMeasurement(evidence: Evidence, { device, attester, references }: AppraisalContext): void {
  const certificate = device.certificates.find(({ attestationPublicKey }) => sameBytes(attestationPublicKey, attester));
  if (!certificate || !sameBytes(evidence.measurement, certificate.measurement))
    throw new VerifierError("evidence/measurement");
  if (!referenceOf(references, evidence.measurement)) throw new VerifierError("evidence/measurement-withdrawn");
}

function checkSvn(evidence: Evidence, { agreement, references }: AppraisalContext): void {
  const least = Math.max(agreement.svnLeast, referenceOf(references, evidence.measurement)?.svnLeast ?? 0);
  if (evidence.svn < least) throw new VerifierError("evidence/svn", `${evidence.svn}`);
}

function checkAgreement(evidence: Evidence, { agreementDigest }: AppraisalContext): void {
  if (!sameBytes(evidence.agreementDigest, agreementDigest)) {
    throw new VerifierError("evidence/agreement", `version ${evidence.agreementVersion}`);
  }
}

function checkTamper(evidence: Evidence): void {
  if (evidence.tamper !== 0 || evidence.gateState === GateState.TAMPERED) throw new VerifierError("evidence/tampered");
}

function checkNotLocked(evidence: Evidence): void {
  if (evidence.gateState === GateState.LOCKED) {
    throw new VerifierError("evidence/locked", `code 0x${evidence.lastCode.toString(16).padStart(4, "0")}`);
  }
}

function checkRecoverable(evidence: Evidence): void {
  if (evidence.gateState !== GateState.LOCKED || !RECOVERABLE.includes(evidence.lastCode)) {
    throw new VerifierError("recovery/not-needed");
  }
}

function checkBoot(evidence: Evidence, { device }: AppraisalContext): void {
  const { bootCount } = evidence;
  const seen = device.lastSeen;
  const newest = Math.max(seen?.bootCount ?? 0, device.chain.bootCount);
  if (bootCount < newest) throw new VerifierError("evidence/boot-regressed", `${bootCount} after ${newest}`);
  if (seen && bootCount === seen.bootCount && !sameBytes(evidence.bootSeed, seen.bootSeed)) {
    throw new VerifierError("evidence/boot-forked");
  }
}

function checkOrders({ epoch, orderDigest }: Evidence, context: AppraisalContext): void {
  const { epochNow, epochNewest, orderDigestAt } = context;
  if (epoch < epochNow) throw new VerifierError("evidence/epoch-behind", `${epoch} instead of ${epochNow}`);
  if (epoch > epochNewest) throw new VerifierError("evidence/epoch-ahead", `${epoch} instead of ${epochNewest}`);
  if (!sameBytes(orderDigest, orderDigestAt(epoch)))
    throw new VerifierError("evidence/order-unknown", `epoch ${epoch}`);
}

/** Seconds are all that a time proof tells, so a second more or less is no sign of anything. */
const TIME_GRAIN_MS = 1000;

/** The evidence was made between giving the nonce and now; the device's bounds must hold a time between the two. */
function checkTime({ timeBounds }: Evidence, { nonceGivenMs, nowMs }: AppraisalContext): void {
  if (timeBounds === null) throw new VerifierError("evidence/time-unknown");
  const { lowerMs, upperMs } = timeBounds;
  if (lowerMs > nowMs + TIME_GRAIN_MS || upperMs < nonceGivenMs - TIME_GRAIN_MS) {
    throw new VerifierError("evidence/time-off", `[${lowerMs}, ${upperMs}] ms, asked at ${nonceGivenMs}, now ${nowMs}`);
  }
}

function checkContinuity(evidence: Evidence, { device }: AppraisalContext): void {
  const { lastSeen, chain } = device;
  for (const earlier of [chain.totals, lastSeen?.totals ?? chain.totals]) {
    const regressed = workBetween(earlier, evidence.totals).findIndex((work) => work < 0n);
    if (regressed >= 0) throw new VerifierError("evidence/totals-regressed", `class ${regressed}`);
  }
  const { licenseSequence } = evidence;
  if (licenseSequence < (lastSeen?.licenseSequence ?? 0n) || licenseSequence < chain.licenseSequence) {
    throw new VerifierError("evidence/license-regressed", `${licenseSequence}`);
  }
}

/** The closed loop: no next license over a gap in the reports. */
function checkChain({ reportHead }: Evidence, { device }: AppraisalContext): void {
  const { head } = device.chain;
  if (reportHead.sequence > head.sequence) {
    throw new VerifierError("evidence/report-missing", `${head.sequence + 1n} to ${reportHead.sequence}`);
  }
  if (reportHead.sequence < head.sequence) {
    throw new VerifierError("evidence/report-regressed", `${reportHead.sequence} after ${head.sequence}`);
  }
  if (!sameBytes(reportHead.digest, head.digest)) throw new VerifierError("evidence/report-forked");
}
