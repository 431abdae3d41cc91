/**
 * The journal: records one after another over the sectors of the flash, each the whole Ledger, each bound to the next
 * value of the monotonic counter (docs/journal.md). Order of every spending: record, read back, step, and only then
 * whatever the record allows.
 *
 * At boot the newest record equals the counter, or is one ahead (a cut came between record and step: the step is made
 * up). Anything else is an older flash.
 */
import {
  counterLife,
  counterRead,
  counterStep,
  flashErase,
  flashProgram,
  flashRead,
  flashSectors,
  ticks,
} from "../hal";
import { FlashShape } from "../protocol/board";
import { ErrorCode } from "../protocol/errors";
import { ledger, pact, session } from "../state";
import {
  buildRecord,
  claimedSequence,
  loadRecord,
  RECORD_HEAD_BYTES,
  recordIn,
  recordIsAuthentic,
  recordOut,
} from "./record";
import { flashHolds, isBlank } from "./sector";

const FIRST_SECTOR: u32 = FlashShape.JOURNAL_SECTOR;
const RECORDS_PER_SECTOR: u32 = FlashShape.RECORDS_PER_SECTOR;
const RECORD_BYTES: u32 = FlashShape.RECORD_BYTES;
const SECTOR_BYTES: u32 = FlashShape.SECTOR_BYTES;
const PAGE_BYTES: u32 = FlashShape.PAGE_BYTES;
/** Steps of the counter kept back from grants, so that a pause or a report can be recorded to the very end. */
const COUNTER_KEPT_BACK: u32 = 256;
/** Erases that a sector is good for: serial NOR, Winbond W25Q64JV, "more than 100,000 erase/program cycles". */
const SECTOR_ERASES_MAX: u64 = 100000;
/** `session.journalSlot` of a journal without records: the next slot is the first. */
const NO_SLOT: u32 = u32.MAX_VALUE;

function slotCount(): u32 {
  const sectors = flashSectors();
  return sectors > FIRST_SECTOR ? (sectors - FIRST_SECTOR) * RECORDS_PER_SECTOR : 0;
}

function slotSector(slot: u32): u32 {
  return FIRST_SECTOR + slot / RECORDS_PER_SECTOR;
}

function slotAddress(slot: u32): u32 {
  return slotSector(slot) * SECTOR_BYTES + (slot % RECORDS_PER_SECTOR) * RECORD_BYTES;
}

/**
 * Finds the record that fits the counter and loads it. A device whose counter never stepped starts with an empty
 * Ledger. OK, or the reason why the gate stays locked until the license quorum signs a recovery.
 */
export function journalOpen(): i32 {
  const counter = <u64>counterRead();
  session.journalWhole = 0;
  session.journalSlot = NO_SLOT;
  const ahead = findRecord(counter + 1);
  if (ahead != NO_SLOT) {
    if (!recordIsAuthentic(counter + 1)) return ErrorCode.JOURNAL_ROLLBACK;
    loadRecord();
    session.journalSlot = ahead;
    counterStep();
    if (<u64>counterRead() != counter + 1) return ErrorCode.JOURNAL_COUNTER;
  } else if (counter > 0) {
    const level = findRecord(counter);
    if (level == NO_SLOT) return anyRecord() ? ErrorCode.JOURNAL_ROLLBACK : ErrorCode.JOURNAL_MISSING;
    if (!recordIsAuthentic(counter)) return ErrorCode.JOURNAL_ROLLBACK;
    loadRecord();
    session.journalSlot = level;
  }
  session.journalWhole = 1;
  return ErrorCode.OK;
}

/** The slot of the authentic record of this sequence, left in `recordIn`. */
function findRecord(sequence: u64): u32 {
  const slots = slotCount();
  for (let slot: u32 = 0; slot < slots; slot++) {
    const address = slotAddress(slot);
    flashRead(address, recordIn, RECORD_HEAD_BYTES);
    if (claimedSequence() != sequence) continue;
    flashRead(address, recordIn, RECORD_BYTES);
    if (recordIsAuthentic(sequence)) return slot;
  }
  return NO_SLOT;
}

function anyRecord(): bool {
  const slots = slotCount();
  for (let slot: u32 = 0; slot < slots; slot++) {
    flashRead(slotAddress(slot), recordIn, RECORD_HEAD_BYTES);
    if (claimedSequence() != u64.MAX_VALUE) return true;
  }
  return false;
}

/** Whether the counter still has steps for grants. */
export function journalCanGrant(): bool {
  const life = counterLife();
  return session.journalWhole != 0 && life > COUNTER_KEPT_BACK && counterRead() < life - COUNTER_KEPT_BACK;
}

/**
 * Writes the Ledger under the next value of the counter and steps the counter. Only after OK may anything happen that
 * the record stands for. Until then the record of before is whole and in force.
 */
export function journalCommit(): i32 {
  if (session.journalWhole == 0) return ErrorCode.JOURNAL_MISSING;
  const counter = counterRead();
  if (counter >= counterLife()) return ErrorCode.JOURNAL_COUNTER_WORN;
  ledger.sequence = <u64>counter + 1;
  reserveTicks();
  if (!writeRecord()) return ErrorCode.JOURNAL_WRITE;
  counterStep();
  session.commitTick = ticks();
  return counterRead() == counter + 1 ? ErrorCode.OK : ErrorCode.JOURNAL_COUNTER;
}

/** The license's ticks are spent like work: the record holds what is left less one slice period, so a cut gains none. */
function reserveTicks(): void {
  const spent = ticks() + pact.sliceTicks;
  ledger.licenseTicksLeft = session.licenseEndTick > spent ? session.licenseEndTick - spent : 0;
}

/** Tries the slots after the newest record, up to one sector further: that one may be erased, the newest never is. */
function writeRecord(): bool {
  const slots = slotCount();
  if (slots < 2 * RECORDS_PER_SECTOR) return false;
  let slot = session.journalSlot;
  let erased = false;
  for (let tries: u32 = 0; tries < 2 * RECORDS_PER_SECTOR; tries++) {
    slot = slot + 1 >= slots ? 0 : slot + 1;
    if (slot % RECORDS_PER_SECTOR == 0) {
      if (erased) return false;
      erased = true;
      flashErase(slotSector(slot));
      ledger.erases += 1;
    }
    // After the erase, which the Ledger counts.
    const bytes = buildRecord();
    if (programRecord(slotAddress(slot), bytes)) {
      session.journalSlot = slot;
      return true;
    }
  }
  return false;
}

/** Programs the record's pages, if they are blank, and reads them back: whether all of it is there. */
function programRecord(address: u32, bytes: u32): bool {
  if (!isBlank(address, bytes, recordIn)) return false;
  for (let at: u32 = 0; at < bytes; at += PAGE_BYTES) flashProgram(address + at, recordOut + <usize>at, PAGE_BYTES);
  return flashHolds(address, recordOut, bytes, recordIn);
}

/** After a rollback or a loss was found: the quorum's word makes an empty journal whole. */
export function journalRestart(): void {
  session.journalWhole = 1;
}

/** Share of the counter's life that is used, in thousandths. */
export function counterWearPermille(): u32 {
  return <u32>((<u64>counterRead() * 1000) / <u64>counterLife());
}

/** Share of the journal sectors' erases that is used, in thousandths; they wear evenly, one after another. */
export function flashWearPermille(): u32 {
  const sectors = <u64>(slotCount() / RECORDS_PER_SECTOR);
  return sectors == 0 ? 1000 : <u32>((<u64>ledger.erases * 1000) / (sectors * SECTOR_ERASES_MAX));
}
