/**
 * Reads the governor's journal out of the flash, as a technician with a clip on the chip can: its content is
 * authenticated, not secret. Layout: firmware/journal/record.ts and the Ledger of firmware/state.ts, little-endian.
 */
import { FlashShape } from "../../firmware/protocol/board.ts";
import type { Flash } from "../../sim-board/parts/flash.ts";

export type JournalRecord = {
  /** Flash address in bytes. */
  address: number;
  /** Length, tag included. */
  bytes: number;
  /** Value of the monotonic counter that goes with it. */
  sequence: bigint;
  bootCount: number;
  epoch: number;
  /** `OrderAction` in force; 0 before the first. */
  action: number;
  licenseSequence: bigint;
  licenseEpoch: number;
  /** Ticks that the license would have left after a power cut now. */
  licenseTicksLeft: bigint;
  reportSequence: bigint;
  failures: number;
  /** Sector erases so far. */
  erases: number;
};

/** "QJ01". */
const MAGIC = 0x31304a51;
const LEDGER = 8;
/** The Ledger's scalars and digests; then a word with a bit for each class whose account follows. */
const LEDGER_HEAD_BYTES = 188;
const ACCOUNT_BYTES = 80;
const TAG_BYTES = 32;

/** All records in the flash that look like one, oldest first. Whether they are authentic only the governor can tell. */
export function readJournal(flash: Flash): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (let sector = FlashShape.JOURNAL_SECTOR as number; sector < flash.sectors; sector++) {
    for (let slot = 0; slot < FlashShape.RECORDS_PER_SECTOR; slot++) {
      const record = readRecord(flash, sector * FlashShape.SECTOR_BYTES + slot * FlashShape.RECORD_BYTES);
      if (record) records.push(record);
    }
  }
  return records.sort((a, b) => Number(a.sequence - b.sequence));
}

function readRecord(flash: Flash, address: number): JournalRecord | undefined {
  const bytes = new Uint8Array(FlashShape.RECORD_BYTES);
  flash.read(address, bytes);
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const u64 = (offset: number) => view.getBigUint64(LEDGER + offset, true);
  const u32 = (offset: number) => view.getUint32(LEDGER + offset, true);
  const accounts = u32(LEDGER_HEAD_BYTES).toString(2).replaceAll("0", "").length;
  return {
    address,
    bytes: LEDGER + LEDGER_HEAD_BYTES + 4 + accounts * ACCOUNT_BYTES + TAG_BYTES,
    sequence: u64(0),
    licenseSequence: u64(8),
    licenseTicksLeft: u64(32),
    reportSequence: u64(40),
    licenseEpoch: u32(56),
    bootCount: u32(64),
    epoch: u32(68),
    action: view.getUint8(LEDGER + 90),
    failures: u32(72),
    erases: u32(76),
  };
}
