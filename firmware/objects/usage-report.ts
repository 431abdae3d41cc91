/**
 * Usage reports: signed, chained, never lost (docs/protocol.md). A report's payload is written to a flash slot first, then
 * the journal takes over the report's hash as the head of the chain, and only then it leaves: a cut at any point leaves
 * either the old head or a report that `REPORT_AGAIN` gives once more.
 *
 * Steps: settle → write and sign → payload to its slot → journal → hand out.
 */

import { equalBytes } from "../crypto/equal";
import { sha256 } from "../crypto/sha256";
import { commitOrFail, failClosed } from "../gate/run";
import { deniedRead, flashRead, throttledRead, ticks } from "../hal";
import { writeSector } from "../journal/sector";
import { intervalsReset, intervalsRoot, intervalsToWire } from "../meter/intervals";
import { quantityCopy } from "../meter/quantity";
import { settle } from "../meter/settle";
import { FlashShape } from "../protocol/board";
import { Claim, ObjectType } from "../protocol/claims";
import { EngineClass } from "../protocol/classes";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import {
  ACCOUNT_BYTES,
  AGREEMENT_DIGEST,
  CLASSES,
  head,
  ledger,
  pact,
  REPORT_HEAD,
  reportTotalOf,
  session,
  totalOf,
  transitionAt,
  UEID,
} from "../state";
import {
  KEY_CHANGED,
  payload,
  payloadBegin,
  signPayload,
  writeProfile,
  writer,
  writeTimeBounds,
  writeWorks,
} from "./common";

const CLAIMS: i32 = 16;
/** A slot in flash: length of the payload, length of the intervals, then both. */
const SLOT_HEAD: usize = 8;
const SLOT_PARTS_BYTES: u32 = FlashShape.SECTOR_BYTES - 8;
const root: usize = memory.data(32, 8);
const slot: usize = memory.data(FlashShape.SECTOR_BYTES, 8);
const REPORT_BYTES_MAX: i32 = 2816;
const report: usize = memory.data(2816, 8);

/** The newest report and its intervals, where the mailbox takes them from. */
@unmanaged
@final
export class ReportParts {
  report: usize;
  reportLength: i32;
  intervals: usize;
  intervalsLength: i32;
}
export const reportParts = changetype<ReportParts>(memory.data(offsetof<ReportParts>(), 8));

/** Settles, signs and chains a report; it lies in `reportParts` after OK. The newest one again if nothing is new. */
export function makeReport(): i32 {
  if (pact.version == 0) return ErrorCode.AGREEMENT_MISSING;
  if (session.journalWhole == 0) return ErrorCode.GATE_LOCKED;
  const settled = settle();
  if (settled != ErrorCode.OK) {
    failClosed(settled);
    return settled;
  }
  if (nothingIsNew()) return repeatReport();
  writePayload();
  const length = writer.finish();
  if (length < 0) return ErrorCode.REPORT_STORE;
  const signed = signReport();
  if (signed != ErrorCode.OK) return signed;
  fillSlot(length);
  if (!writeSector(slotSector(ledger.reportSequence + 1), slot)) return ErrorCode.REPORT_STORE;
  ledger.reportSequence += 1;
  sha256(report, reportParts.reportLength, REPORT_HEAD);
  for (let c: u32 = 0; c < CLASSES; c++) quantityCopy(reportTotalOf(c), totalOf(c));
  if (!commitOrFail()) return <i32>head.lastCode;
  intervalsReset();
  session.transitionCount = 0;
  setIntervals();
  return ErrorCode.OK;
}

/** No work, no transition, no slice period since the newest report: another one would only wear the counter. */
function nothingIsNew(): bool {
  if (ledger.reportSequence == 0 || session.transitionCount != 0) return false;
  if (ticks() - session.reportTick >= pact.sliceTicks) return false;
  for (let c: u32 = 0; c < CLASSES; c++) {
    if (equalBytes(reportTotalOf(c), totalOf(c), 16) == 0) return false;
  }
  return true;
}

/** The newest report once more, byte for byte, for a host that lost it: Ed25519 signs the same bytes the same way. */
export function repeatReport(): i32 {
  if (session.journalWhole == 0) return ErrorCode.GATE_LOCKED;
  if (ledger.reportSequence == 0) return ErrorCode.REPORT_NONE;
  flashRead(slotSector(ledger.reportSequence) * FlashShape.SECTOR_BYTES, slot, FlashShape.SECTOR_BYTES);
  const length = load<u32>(slot);
  const intervals = load<u32>(slot, 4);
  if (length > SLOT_PARTS_BYTES || intervals > SLOT_PARTS_BYTES - length) return ErrorCode.REPORT_STORE;
  payloadBegin();
  writer.raw(slot + SLOT_HEAD, <i32>length);
  const signed = signReport();
  if (signed != ErrorCode.OK) return signed;
  sha256(report, reportParts.reportLength, root);
  if (equalBytes(root, REPORT_HEAD, Limit.DIGEST_BYTES) == 0) return ErrorCode.REPORT_STORE;
  setIntervals();
  return ErrorCode.OK;
}

/** Signs what the writer holds, into `report`. */
function signReport(): i32 {
  reportParts.report = report;
  reportParts.reportLength = signPayload(ObjectType.USAGE_REPORT, report, REPORT_BYTES_MAX);
  if (reportParts.reportLength == KEY_CHANGED) return ErrorCode.ATTESTATION_KEY;
  return reportParts.reportLength > 0 ? ErrorCode.OK : ErrorCode.REPORT_STORE;
}

/** The slot holds the payload without its signature: a report that was never journaled can't be read out of the flash. */
function fillSlot(length: i32): void {
  memory.fill(slot, 0xff, FlashShape.SECTOR_BYTES);
  store<u32>(slot, <u32>length);
  memory.copy(slot + SLOT_HEAD, payload, <usize>length);
  store<u32>(slot, <u32>intervalsToWire(slot + SLOT_HEAD + <usize>length), 4);
}

function setIntervals(): void {
  reportParts.intervals = slot + SLOT_HEAD + <usize>load<u32>(slot);
  reportParts.intervalsLength = <i32>load<u32>(slot, 4);
}

/** Two sectors take turns, so that the newest report is whole while the next one is written. */
function slotSector(sequence: u64): u32 {
  return FlashShape.REPORT_SECTOR + (<u32>sequence & 1);
}

function writePayload(): void {
  payloadBegin();
  writer.map(CLAIMS);
  writer.uint(Claim.UEID);
  writer.bytes(UEID, Limit.UEID_BYTES);
  writer.uint(Claim.PROFILE);
  writeProfile();
  writer.uint(Claim.BOOT_COUNT);
  writer.uint(ledger.bootCount);
  writer.int(Claim.AGREEMENT);
  writer.bytes(AGREEMENT_DIGEST, Limit.DIGEST_BYTES);
  writer.int(Claim.EPOCH);
  writer.uint(ledger.epoch);
  writer.int(Claim.SEQUENCE);
  writer.uint(ledger.reportSequence + 1);
  writer.int(Claim.GATE_STATE);
  writer.uint(head.gateState);
  writer.int(Claim.TOTALS);
  writeWorks(totalOf(0), ACCOUNT_BYTES);
  writer.int(Claim.LICENSE_SEQUENCE);
  writer.uint(ledger.licenseSequence);
  writer.int(Claim.TIME_BOUNDS);
  writeTimeBounds();
  writer.int(Claim.PREVIOUS);
  writer.bytes(REPORT_HEAD, Limit.DIGEST_BYTES);
  writer.int(Claim.INTERVAL);
  writer.array(2);
  writer.uint(session.reportTick);
  writer.uint(ticks());
  writeRefusals();
  writeTransitions();
  writer.int(Claim.INTERVAL_ROOT);
  writer.array(2);
  writer.uint(session.intervalCount);
  intervalsRoot(root);
  writer.bytes(root, Limit.DIGEST_BYTES);
}

/** Commands refused by class, and times a class stood still, since power-up. */
function writeRefusals(): void {
  writer.int(Claim.DENIED);
  writer.map(EngineClass.COUNT);
  for (let c: u32 = 0; c < CLASSES; c++) {
    writer.uint(c);
    writer.uint(deniedRead(c));
  }
  writer.int(Claim.THROTTLED);
  writer.map(EngineClass.COUNT);
  for (let c: u32 = 0; c < CLASSES; c++) {
    writer.uint(c);
    writer.uint(throttledRead(c));
  }
}

function writeTransitions(): void {
  writer.int(Claim.TRANSITIONS);
  writer.array(2);
  writer.uint(session.transitionCount);
  const kept = min<u32>(session.transitionCount, Limit.TRANSITIONS_MAX);
  writer.array(kept);
  for (let i: u32 = 0; i < kept; i++) {
    const entry = transitionAt(i);
    writer.array(4);
    writer.uint(load<u64>(entry));
    writer.uint(load<u32>(entry, 8));
    writer.uint(load<u32>(entry, 12));
    writer.uint(load<u32>(entry, 16));
  }
}
