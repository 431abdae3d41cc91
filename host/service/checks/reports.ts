/** Usage reports: each device's are one chain, signed, whole, never going back, and end where the device's state says. */
import { NO_REPORT } from "../../objects/eat.ts";
import { decodeIntervals, intervalTree } from "../../objects/intervals.ts";
import { decodeRecovery, type Recovery } from "../../objects/recovery.ts";
import { reportDigest, type UsageReport, verifyUsageReport } from "../../objects/usage-report.ts";
import { type AllWork, noWork, workBetween } from "../../objects/work.ts";
import { parseSign, parseSign1, type VerificationKey, verificationKey } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import { RECOVERIES_ALONE } from "../../store/structure.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import type { Chain } from "../../verifier/storage.ts";
import { decodeTotals } from "../report-rows.ts";
import { readAgreements } from "./agreements.ts";
import { readOf, sameWork } from "./read.ts";
import { ByDevice, type CheckedDevice, checkedDevices, type Found, found, type RowOf, rowsOf } from "./rows.ts";

type ReportRow = RowOf<"reports">;

export const reports: Check = {
  name: "reports",
  async *run({ db }) {
    const agreements = await readAgreements(db);
    const rows = new ByDevice(rowsOf(db, "reports", ["device_id", "sequence"]));
    const certificates = new ByDevice(rowsOf(db, "certificates", ["device_id", "kid"]));
    const recoveries = ByDevice.licenses(db, RECOVERIES_ALONE);
    for await (const device of checkedDevices(db)) {
      const keys: VerificationKey[] = [];
      for await (const { public_key } of certificates.of(device.id)) {
        const key = readOf(() => verificationKey(public_key));
        if ("value" in key) keys.push(key.value);
      }
      const recovered: Recovery[] = [];
      for await (const { bytes } of recoveries.of(device.id)) {
        const recovery = readOf(() => decodeRecovery(parseSign(bytes).payload));
        if ("value" in recovery) recovered.push(recovery.value);
      }
      yield* judgeChain(device, rows.of(device.id), { agreements, keys, recovered });
    }
  },
};

/** What a device's reports are judged by. */
interface Grounds {
  readonly agreements: ReadonlyMap<string, unknown>;
  readonly keys: readonly VerificationKey[];
  /** In between, totals may be raised to those of a recovery. */
  readonly recovered: readonly Recovery[];
}

/** The report before: what of it could be read. */
interface Before {
  readonly digest: Uint8Array;
  readonly report?: UsageReport;
}

async function* judgeChain(
  device: CheckedDevice,
  rows: AsyncIterable<ReportRow>,
  grounds: Grounds,
): AsyncGenerator<Found> {
  let before: Before = { digest: NO_REPORT.digest };
  let totals: AllWork = noWork();
  for await (const row of rows) {
    const read = readReport(row, grounds);
    if ("fault" in read) {
      yield found("reports", row, read.fault);
      before = { digest: reportDigest(row.bytes) };
      continue;
    }
    const report = read.value;
    for (const message of reportFaults(row, report, before, totals, device, grounds)) {
      yield found("reports", row, message);
    }
    before = { digest: reportDigest(row.bytes), report };
    totals = report.totals;
  }
  const { chain } = device.state.record;
  if (!sameBytes(chain.head.digest, before.digest)) yield found("devices", device.row, "its newest report is another");
  if (!isEndOf(chain, before.report, totals, grounds)) {
    yield found("devices", device.row, "its chain of reports ended elsewhere");
  }
}

function readReport({ bytes }: ReportRow, { keys }: Grounds) {
  return readOf(() => {
    const { kid } = parseSign1(bytes);
    const key = keys.find((one) => kid && sameBytes(one.kid, kid));
    if (!key) throw new RangeError("no attestation key of its device signed it");
    return verifyUsageReport(bytes, key);
  });
}

function* reportFaults(
  row: ReportRow,
  report: UsageReport,
  before: Before,
  totals: AllWork,
  { state: { record } }: CheckedDevice,
  { agreements, recovered }: Grounds,
): Generator<string> {
  if (!sameBytes(report.ueid, record.ueid)) yield "it is another device's";
  if (report.sequence !== row.sequence) yield `its sequence is ${report.sequence}`;
  if (!sameBytes(report.previous, before.digest)) yield "it does not follow the report before";
  if (!agreements.has(hexOf(report.agreementDigest))) yield "its agreement is not here";
  const newest = [record.sequenceIssued, ...recovered.map(({ sequence }) => sequence)];
  if (newest.every((sequence) => report.licenseSequence > sequence)) yield `it names license ${report.licenseSequence}`;
  if (workBetween(totals, report.totals).some((work) => work < 0n)) yield "its totals go back";
  // The totals that it was held against when it came.
  const starts = [totals, ...recovered.map((recovery) => recovery.totals)];
  yield* intervalFaults(row, report, before.report || report.sequence === 1n ? starts : undefined);
}

function* intervalFaults(
  row: ReportRow,
  { totals, intervalCount, intervalRoot }: UsageReport,
  starts: readonly AllWork[] | undefined,
): Generator<string> {
  const isOwed = row.intervals === null && intervalCount > 0;
  if ((row.opening_index !== null) !== isOwed) yield "it owes an interval, or none";
  if ((row.totals_before !== null) !== (row.opening_index !== null)) yield "what it owes is not all there";
  if (row.opened_ms !== null && row.opening_index === null) yield "it showed an interval that it did not owe";
  if (row.opening_index !== null && row.opening_index >= intervalCount) yield `it has no interval ${row.opening_index}`;
  const { intervals, totals_before } = row;
  if (intervals !== null) {
    const read = readOf(() => decodeIntervals(intervals));
    if ("fault" in read) yield `its intervals: ${read.fault}`;
    else {
      const tree = intervalTree(read.value);
      const isRoot = read.value.length === intervalCount && sameBytes(tree.hash, intervalRoot);
      if (!isRoot) yield "its intervals have another root";
      const isSum = starts?.some((start) => sameWork(workBetween(start, totals), tree.work)) ?? true;
      if (!isSum) yield "its intervals have other sums";
    }
  }
  if (totals_before !== null) {
    const read = readOf(() => decodeTotals(totals_before));
    if ("fault" in read) yield `the totals before it: ${read.fault}`;
    else if (starts && !starts.some((start) => sameWork(start, read.value))) yield "the totals before it are others";
  }
}

/** As the last report left it, or a recovery after it. */
function isEndOf(chain: Chain, last: UsageReport | undefined, totals: AllWork, { recovered }: Grounds): boolean {
  const ends = recovered.map((recovery) => ({
    totals: recovery.totals,
    bootCount: 0,
    toTick: 0n,
    licenseSequence: recovery.sequence,
  }));
  const end = last ?? { totals, bootCount: 0, toTick: 0n, licenseSequence: 0n };
  return [end, ...ends].some(
    (one) =>
      sameWork(one.totals, chain.totals) &&
      one.bootCount === chain.bootCount &&
      one.toTick === chain.toTick &&
      one.licenseSequence === chain.licenseSequence,
  );
}
