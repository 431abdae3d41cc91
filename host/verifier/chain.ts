/**
 * The chain of a device's usage reports: each names the one before by its digest, none is missing, nothing goes back, and
 * the intervals add up to what the totals grew by.
 */
import { decodeIntervals, intervalTree } from "../objects/intervals.ts";
import { reportDigest, type UsageReport } from "../objects/usage-report.ts";
import { type AllWork, workBetween } from "../objects/work.ts";
import { sameBytes } from "./bytes.ts";
import { VerifierError } from "./errors.ts";
import { readSigned } from "./signed.ts";
import type { Chain, DeviceRecord, StoredReport } from "./storage.ts";

export interface ChainContext {
  readonly device: DeviceRecord;
  /** Public key that the report is signed by: one of the device's. */
  readonly attester: Uint8Array;
  /** Report of the same sequence that is here already. */
  readonly stored: StoredReport | undefined;
  readonly isKnownAgreement: (digest: Uint8Array) => boolean;
}

/** What a report changes: nothing for one that was here already, byte for byte. */
export type ChainStep = { readonly repeated: true } | { readonly repeated: false; readonly chain: Chain };

/** Judges a report whose signature was verified. Throws the `VerifierError` of the first check that fails. */
export function followChain(
  bytes: Uint8Array,
  report: UsageReport,
  intervals: Uint8Array | undefined,
  { device, attester, stored, isKnownAgreement }: ChainContext,
): ChainStep {
  const { chain } = device;
  const { sequence } = report;
  if (sequence <= chain.head.sequence) {
    if (stored && sameBytes(stored.bytes, bytes)) return { repeated: true };
    throw new VerifierError("report/forked", `report ${sequence}`);
  }
  if (sequence > chain.head.sequence + 1n) {
    throw new VerifierError("report/gap", `${chain.head.sequence + 1n} to ${sequence - 1n}`);
  }
  if (!sameBytes(report.previous, chain.head.digest)) throw new VerifierError("report/forked", `before ${sequence}`);
  if (!isKnownAgreement(report.agreementDigest)) throw new VerifierError("report/agreement");
  checkAttester(attester, device);
  checkOrder(report, device);
  checkIntervals(report, intervals, chain.totals);
  const { totals, bootCount, toTick, licenseSequence } = report;
  return {
    repeated: false,
    chain: { head: { sequence, digest: reportDigest(bytes) }, totals, bootCount, toTick, licenseSequence, attester },
  };
}

/** Once a later image has reported, the key of an earlier one, which may have leaked, says nothing more. */
function checkAttester(attester: Uint8Array, { certificates, chain }: DeviceRecord): void {
  const ageOf = (key: Uint8Array | undefined) =>
    certificates.findIndex(({ attestationPublicKey }) => key && sameBytes(attestationPublicKey, key));
  if (ageOf(attester) < ageOf(chain.attester)) throw new VerifierError("report/key-regressed");
}

/** Nothing runs backward. */
function checkOrder(report: UsageReport, { chain, sequenceIssued }: DeviceRecord): void {
  if (report.bootCount < chain.bootCount) throw new VerifierError("report/boot-regressed");
  const isSameBoot = report.bootCount === chain.bootCount;
  if (report.fromTick > report.toTick || (isSameBoot && report.fromTick < chain.toTick)) {
    throw new VerifierError("report/ticks-regressed", `${report.fromTick} to ${report.toTick}`);
  }
  if (report.licenseSequence < chain.licenseSequence) throw new VerifierError("report/license-regressed");
  // A recovery may go on from a license that was issued elsewhere.
  const newest = sequenceIssued > chain.licenseSequence ? sequenceIssued : chain.licenseSequence;
  if (report.licenseSequence > newest) throw new VerifierError("report/license-unknown");
  const regressed = workBetween(chain.totals, report.totals).findIndex((work) => work < 0n);
  if (regressed >= 0) throw new VerifierError("report/totals-regressed", `class ${regressed}`);
}

/** Intervals may be withheld here, but those that come must be the report's, and none means no work. */
function checkIntervals(report: UsageReport, bytes: Uint8Array | undefined, before: AllWork): void {
  const grown = workBetween(before, report.totals);
  if (report.intervalCount === 0 && grown.some((work) => work !== 0n)) {
    throw new VerifierError("report/intervals", "work without intervals");
  }
  if (bytes === undefined) return;
  const intervals = readSigned("report/intervals-malformed", "report/intervals-malformed", () =>
    decodeIntervals(bytes),
  );
  const root = intervalTree(intervals);
  if (intervals.length !== report.intervalCount || !sameBytes(root.hash, report.intervalRoot)) {
    throw new VerifierError("report/intervals", "another root");
  }
  if (root.work.some((sum, c) => sum !== grown[c])) throw new VerifierError("report/intervals", "other sums");
}
