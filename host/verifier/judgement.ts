/**
 * What the verifier decides on evidence and reports, as functions of what is known: the device's record, and the grounds
 * that all devices share. Nothing here reads or writes a store, asks a clock or signs.
 */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import type { Agreement } from "../objects/agreement.ts";
import { decodeEvidence, type Evidence, verifyEvidence } from "../objects/evidence.ts";
import type { License } from "../objects/license.ts";
import type { Recovery } from "../objects/recovery.ts";
import { decodeUsageReport, type UsageReport, verifyUsageReport } from "../objects/usage-report.ts";
import { type AllWork, mostWork, noWork, workBetween } from "../objects/work.ts";
import { parseSign1, type VerificationKey, verificationKey } from "../protocol/cose.ts";
import { type Appraisal, appraise, type Purpose } from "./appraisal.ts";
import {
  type Installed,
  type LicenseTerms,
  overrunOf,
  recoverBooks,
  settleBooks,
  withAll,
  worstCase,
} from "./books.ts";
import { sameBytes } from "./bytes.ts";
import { type ChainStep, followChain } from "./chain.ts";
import { VerifierError } from "./errors.ts";
import { drawUpLicense, type LicenseRequest } from "./licensing.ts";
import { checkUnused, type JudgedNonce } from "./nonces.ts";
import type { OrderBook } from "./order-book.ts";
import type { ReferenceValues } from "./registry.ts";
import { readSigned } from "./signed.ts";
import type { DeviceRecord, StoredReport } from "./storage.ts";

/** What is the same for all devices at one time. */
export interface Grounds {
  readonly agreement: Agreement;
  readonly agreementDigest: Uint8Array;
  readonly isKnownAgreement: (digest: Uint8Array) => boolean;
  readonly references: ReferenceValues;
  readonly orders: OrderBook;
}

/** A license of the device by its sequence, as far as it was issued here. */
export type LicenseOf = (sequence: bigint) => LicenseTerms | undefined;

/** Evidence with the attestation key of the device that it is signed by. */
export interface AttestedEvidence {
  readonly evidence: Evidence;
  /** Public key. */
  readonly attester: Uint8Array;
}

/** Evidence that one of the device's attestation keys signed. Throws `evidence/malformed` and `evidence/signature`. */
export function readEvidence(bytes: Uint8Array, deviceOf: (ueid: Uint8Array) => DeviceRecord) {
  return readSigned("evidence/malformed", "evidence/signature", () => {
    const { payload, kid } = parseSign1(bytes);
    const device = deviceOf(decodeEvidence(payload).ueid);
    const key = keyOf(device, kid);
    if (!key) throw new VerifierError("evidence/signature", "an unknown key");
    return { evidence: verifyEvidence(bytes, key), attester: key.publicKey, device };
  });
}

/** A report that one of the device's attestation keys signed. Throws `report/malformed` and `report/signature`. */
export function readReport(bytes: Uint8Array, deviceOf: (ueid: Uint8Array) => DeviceRecord) {
  return readSigned("report/malformed", "report/signature", () => {
    const message = parseSign1(bytes);
    const device = deviceOf(decodeUsageReport(message.payload).ueid);
    const key = keyOf(device, message.kid);
    if (!key) throw new VerifierError("report/signature", "an unknown key");
    return { report: verifyUsageReport(bytes, key), attester: key.publicKey, device };
  });
}

function keyOf({ certificates }: DeviceRecord, kid: Uint8Array | undefined): VerificationKey | undefined {
  const keys = certificates.map(({ attestationPublicKey }) => verificationKey(attestationPublicKey));
  return keys.find((key) => kid && sameBytes(key.kid, kid));
}

export interface Judgement {
  readonly appraisal: Appraisal;
  /** The record as of this evidence, its nonce used up; with purpose license, the books are settled. */
  readonly device: DeviceRecord;
}

/** Judges evidence whose signature was verified. Throws the `VerifierError` of the first step that fails. */
export function judgeEvidence(
  { evidence, attester }: AttestedEvidence,
  purpose: Purpose,
  before: DeviceRecord,
  nonce: JudgedNonce,
  grounds: Grounds,
  licenseOf: LicenseOf,
  nowMs: number,
): Judgement {
  checkUnused(nonce.serial, before.nonceUsed);
  const device = { ...withRecovery(before, evidence), nonceUsed: nonce.serial };
  const appraisal = appraise(evidence, purpose, {
    device,
    attester,
    references: grounds.references,
    agreement: grounds.agreement,
    agreementDigest: grounds.agreementDigest,
    epochNow: grounds.orders.confirmed(nowMs).epoch,
    epochNewest: grounds.orders.epochNewest,
    orderDigestAt: (epoch) => grounds.orders.digestAt(epoch),
    nonceGivenMs: nonce.givenMs,
    nowMs,
  });
  return { appraisal, device: purpose === "license" ? settle(device, evidence, licenseOf, grounds.agreement) : device };
}

/** The license that answers good evidence. Throws `license/paused` and what `drawUpLicense` throws. */
export function decideLicense(
  { appraisal, device }: Judgement,
  request: LicenseRequest,
  { orders, agreement }: Grounds,
  nowMs: number,
): License {
  checkNotPaused(appraisal.evidence, orders);
  return drawUpLicense(request, appraisal, agreement, device.sequenceIssued, nowMs);
}

/** Of a device that has taken all orders up to this epoch. */
export function checkNotPaused({ ueid, epoch }: Pick<Evidence, "ueid" | "epoch">, orders: OrderBook): void {
  if (orders.inForce(ueid, epoch).action === OrderAction.PAUSE) throw new VerifierError("license/paused");
}

/** The recovery of a board that lost its journal: whatever it may have done by now counts as done. */
export function decideRecovery(
  { appraisal, device }: Judgement,
  { orders, agreement, agreementDigest }: Grounds,
  licenseOf: LicenseOf,
  nowMs: number,
): Recovery {
  const { evidence } = appraisal;
  const confirmed = orders.confirmed(nowMs);
  return {
    nonce: evidence.challenge,
    ueid: evidence.ueid,
    agreementDigest,
    ...confirmed,
    sequence: newestSequence(device),
    ...orders.inForce(evidence.ueid, confirmed.epoch),
    // A lost journal says nothing of the totals; one that is whole (a faulty meter) may say more than the books.
    totals: mostWork(worstOf(device, licenseOf, agreement), evidence.totals),
    reportHead: device.chain.head,
  };
}

/** A report with the attestation key of the device that it is signed by. */
export interface AttestedReport {
  readonly report: UsageReport;
  /** Public key. */
  readonly attester: Uint8Array;
}

/** Judges a report whose signature was verified: what it changes, and the record after it. */
export function judgeReport(
  bytes: Uint8Array,
  { report, attester }: AttestedReport,
  intervals: Uint8Array | undefined,
  before: DeviceRecord,
  stored: StoredReport | undefined,
  { isKnownAgreement }: Pick<Grounds, "isKnownAgreement">,
): { readonly step: ChainStep; readonly device: DeviceRecord; readonly work: AllWork } {
  const device = withRecovery(before, report);
  const step = followChain(bytes, report, intervals, { device, attester, stored, isKnownAgreement });
  if (step.repeated) return { step, device: before, work: noWork() };
  return {
    step,
    device: { ...device, chain: step.chain },
    work: workBetween(device.chain.totals, report.totals),
  };
}

/** What a device says of itself, in evidence and in reports. */
type Shown = Pick<Evidence, "totals" | "licenseSequence">;

/** The record after good evidence. Throws `evidence/license-unknown` and `evidence/overrun`. */
function settle(device: DeviceRecord, evidence: Evidence, licenseOf: LicenseOf, agreement: Agreement): DeviceRecord {
  const { licenseSequence } = evidence;
  const installed = installedSince(device.books.licenseSequence, licenseSequence, licenseOf);
  const books = settleBooks(device.books, evidence, installed, device.sequenceIssued, agreement);
  const overrun = overrunOf(books).findIndex((work) => work > 0n);
  if (overrun >= 0) throw new VerifierError("evidence/overrun", `class ${overrun}`);
  const { bootCount, bootSeed, totals } = evidence;
  // One that a later license was installed without answers a challenge that is over.
  const isVoid = device.recovery && licenseSequence > device.recovery.sequence;
  const recovery = isVoid ? undefined : device.recovery;
  return { ...device, recovery, books, lastSeen: { bootCount, bootSeed, totals, licenseSequence } };
}

/** Undefined where it is the license of the books still. Throws `evidence/license-unknown`. */
function installedSince(before: bigint, now: bigint, licenseOf: LicenseOf): Installed | undefined {
  if (now === before) return undefined;
  const license = licenseOf(now);
  if (!license) throw new VerifierError("evidence/license-unknown", `${now}`);
  return { license, between: licensesOf(before + 1n, now - 1n, licenseOf) };
}

/** Sequences of licenses not installed yet are within `SEQUENCE_STEP_MAX`. */
function licensesOf(first: bigint, last: bigint, licenseOf: LicenseOf): LicenseTerms[] {
  const found: LicenseTerms[] = [];
  for (let sequence = first; sequence <= last; sequence += 1n) {
    const license = licenseOf(sequence);
    if (license) found.push(license);
  }
  return found;
}

function worstOf(device: DeviceRecord, licenseOf: LicenseOf, agreement: Agreement): bigint[] {
  const { books, chain, recovery, sequenceIssued } = device;
  const pending = licensesOf(books.licenseSequence + 1n, sequenceIssued, licenseOf);
  const worst = mostWork(worstCase(books, pending, agreement), chain.totals);
  if (!recovery) return worst;
  // It may be at work already, with what was issued after it.
  const after = licensesOf(recovery.sequence + 1n, sequenceIssued, licenseOf);
  return mostWork(worst, withAll(recovery.totals, after, agreement));
}

/** No license up to this is taken by the device any more, or will be once its recovery is at work. */
export function newestSequence({ sequenceIssued, books, recovery }: DeviceRecord): bigint {
  return [books.licenseSequence, recovery?.sequence ?? 0n].reduce(
    (most, sequence) => (sequence > most ? sequence : most),
    sequenceIssued,
  );
}

/**
 * The record, after a recovery if the device shows that it was installed: chain and books go on from its totals. A
 * verifier that others did without may lack reports from before it: those come first.
 */
function withRecovery(device: DeviceRecord, { totals, licenseSequence }: Shown): DeviceRecord {
  const { recovery, chain, books } = device;
  if (!recovery || workBetween(recovery.totals, totals).some((work) => work < 0n)) return device;
  if (licenseSequence < recovery.sequence || chain.head.sequence < recovery.reportHead.sequence) return device;
  return {
    ...device,
    recovery: undefined,
    lastSeen: undefined,
    chain: { ...chain, totals: recovery.totals, bootCount: 0, toTick: 0n, licenseSequence: recovery.sequence },
    books: recoverBooks(books, recovery.totals, recovery.sequence),
  };
}
