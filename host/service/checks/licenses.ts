/** Licenses and recoveries: signed, for their device, as their columns and the device's state say, and none is missing. */
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import type { Agreement } from "../../objects/agreement.ts";
import { decodeLicense, type License } from "../../objects/license.ts";
import { decodeRecovery, recoveryQuorum } from "../../objects/recovery.ts";
import { allWork } from "../../objects/work.ts";
import { parseSign } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { type Answered, AnswerKind, type IssuedLicense } from "../device-state.ts";
import { checkSignatures } from "../drawn-up.ts";
import { signatureCount } from "../parties.ts";
import { readAgreements } from "./agreements.ts";
import { readOf, sameWork } from "./read.ts";
import { ByDevice, type CheckedDevice, checkedDevices, type Found, found, type RowOf } from "./rows.ts";
import { verdictFaults } from "./verdicts.ts";

type LicenseRow = RowOf<"licenses">;

const NO_BYTES = new Uint8Array(0);

export const licenses: Check = {
  name: "licenses",
  async *run({ db }) {
    const known = await readAgreements(db);
    const rows = ByDevice.licenses(db);
    for await (const device of checkedDevices(db)) yield* judgeAnswers(device, rows.of(device.id), known);
  },
};

async function* judgeAnswers(
  device: CheckedDevice,
  rows: AsyncIterable<LicenseRow>,
  known: ReadonlyMap<string, Agreement>,
): AsyncGenerator<Found> {
  const { id, state } = device;
  const { answered, offline } = state;
  const uninstalled = new Set(offline.map(({ sequence }) => sequence));
  let isAnswered = answered === undefined;
  let isIssued = state.issued === undefined;
  let issued = 0;
  let recovered = 0n;
  for await (const row of rows) {
    if (row.kind === AnswerKind.LICENSE || row.kind === AnswerKind.COMPLETED) {
      issued += 1;
      uninstalled.delete(row.sequence);
      isIssued ||= isNewestIssued(row, state.issued!);
      for (const message of licenseFaults(row, device, known)) yield found("licenses", row, message);
      if (isNewest(row, answered)) yield* epochFaults(device, row);
    } else if (row.kind === AnswerKind.RECOVERY || row.kind === AnswerKind.RECOVERED) {
      recovered += 1n;
      if (row.sequence !== recovered) yield found("licenses", row, `recovery ${recovered} does not come before it`);
      for (const message of recoveryFaults(row, device, known)) yield found("licenses", row, message);
    } else {
      yield found("licenses", row, `there is no answer of kind ${row.kind}`);
    }
    isAnswered ||= isNewest(row, answered);
  }
  if (issued !== state.licenses) yield found("devices", { id }, `${issued} of ${state.licenses} licenses are there`);
  if (recovered !== BigInt(state.recoveries)) {
    yield found("devices", { id }, `${recovered} of ${state.recoveries} recoveries are there`);
  }
  if (!isAnswered) yield found("devices", { id }, "the answer to its newest evidence is not there");
  if (!isIssued) yield found("devices", { id }, "its newest license is not there as its state says");
  for (const sequence of uninstalled) yield found("devices", { id }, `its offline license ${sequence} is not there`);
}

function isNewest({ kind, sequence, evidence_digest }: LicenseRow, answered: Answered | undefined): boolean {
  return (
    kind === answered?.kind &&
    sequence === answered.sequence &&
    evidence_digest !== null &&
    sameBytes(evidence_digest, answered.evidenceDigest)
  );
}

/** The newest good evidence is not older than the one that the newest license answers. */
function* epochFaults({ row }: CheckedDevice, { bytes }: LicenseRow): Generator<Found> {
  const license = readOf(() => decodeLicense(parseSign(bytes).payload));
  if ("value" in license && license.value.epoch > row.epoch) {
    yield found("devices", row, `epoch ${row.epoch}, and a license of epoch ${license.value.epoch}`);
  }
}

function* licenseFaults(
  row: LicenseRow,
  { state: { record } }: CheckedDevice,
  known: ReadonlyMap<string, Agreement>,
): Generator<string> {
  const read = readOf(() => decodeLicense(parseSign(row.bytes).payload));
  if ("fault" in read) {
    yield read.fault;
    return;
  }
  const license = read.value;
  const meant = license.cohort ?? [license.ueid!];
  if (!meant.some((ueid) => sameBytes(ueid, record.ueid))) yield "it is for another device";
  if (license.sequence !== row.sequence) yield `its sequence is ${license.sequence}`;
  if (license.sequence > record.sequenceIssued) yield `license ${record.sequenceIssued} was the newest`;
  if (license.expirySeconds !== row.expiry_seconds) yield `it expires at ${license.expirySeconds}`;
  const isOfOthers = row.kind === AnswerKind.COMPLETED;
  if ((isOfOthers || license.nonce === undefined) !== (row.evidence_digest === null)) {
    yield "it answers evidence, or no evidence";
  }
  yield* signatureFaults(row, license, known, ObjectType.LICENSE, ({ quorums }) => quorums.license);
  const agreement = known.get(hexOf(license.agreementDigest));
  if (isOfOthers && agreement && signatureCount(row.bytes) < agreement.quorums.license) yield "it is not whole";
  yield* answerFaults(row, record.ueid, "license");
}

/** Where others completed another license of that sequence, only one of the two is as the state says. */
function isNewestIssued({ sequence, bytes }: LicenseRow, issued: IssuedLicense): boolean {
  if (sequence !== issued.sequence) return false;
  const read = readOf(() => decodeLicense(parseSign(bytes).payload));
  return "value" in read && isSame(read.value, issued);
}

function isSame(license: License, issued: IssuedLicense): boolean {
  return (
    license.expirySeconds === issued.expirySeconds &&
    sameBytes(license.nonce ?? NO_BYTES, issued.nonce ?? NO_BYTES) &&
    sameWork(allWork(license.budget), allWork(issued.budget)) &&
    sameWork(allWork(license.drain), allWork(issued.drain))
  );
}

function* recoveryFaults(
  row: LicenseRow,
  { state: { record } }: CheckedDevice,
  known: ReadonlyMap<string, Agreement>,
): Generator<string> {
  const read = readOf(() => decodeRecovery(parseSign(row.bytes).payload));
  if ("fault" in read) {
    yield read.fault;
    return;
  }
  const recovery = read.value;
  if (!sameBytes(recovery.ueid, record.ueid)) yield "it is for another device";
  if (row.expiry_seconds !== 0) yield "a recovery does not expire";
  const isOfOthers = row.kind === AnswerKind.RECOVERED;
  if (isOfOthers !== (row.evidence_digest === null)) yield "it answers evidence, or no evidence";
  yield* signatureFaults(row, recovery, known, ObjectType.RECOVERY, (agreement) => recoveryQuorum(agreement, recovery));
  const agreement = known.get(hexOf(recovery.agreementDigest));
  if (isOfOthers && agreement && signatureCount(row.bytes) < recoveryQuorum(agreement, recovery)) {
    yield "it is not whole";
  }
  yield* answerFaults(row, record.ueid, "recovery");
}

/** Under the agreement that it names: what came later changes nothing of it. */
function* signatureFaults(
  { bytes }: LicenseRow,
  { agreementDigest }: { readonly agreementDigest: Uint8Array },
  known: ReadonlyMap<string, Agreement>,
  type: ObjectType,
  quorumBy: (agreement: Agreement) => number,
): Generator<string> {
  const agreement = known.get(hexOf(agreementDigest));
  if (!agreement) {
    yield "its agreement is not here";
    return;
  }
  const signed = readOf(() => checkSignatures(bytes, agreement, quorumBy(agreement), type));
  if ("fault" in signed) yield signed.fault;
}

function* answerFaults(
  { evidence_digest, verdict, issued_ms }: LicenseRow,
  ueid: Uint8Array,
  purpose: "license" | "recovery",
): Generator<string> {
  if ((evidence_digest === null) !== (verdict === null)) yield "evidence and verdict go together";
  if (evidence_digest === null || verdict === null) return;
  yield* verdictFaults(verdict, { evidenceDigest: evidence_digest, ueid, judgedMs: issued_ms, purpose });
}
