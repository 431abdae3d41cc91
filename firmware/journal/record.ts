/**
 * One journal record: head, the Ledger as it stands, tag. 1,280 bytes are its place in flash, five pages.
 *
 *      0  magic     u32
 *      4  format    u32, of the journal, apart from the firmware's version
 *      8  sequence  u64, value of the monotonic counter that goes with it (again in the Ledger)
 *     16  Ledger    LEDGER_BYTES
 *      +  tag       HMAC-SHA-256 over all before, under the sealing key
 */
import { equalBytes } from "../crypto/equal";
import { hmacSha256 } from "../crypto/hmac";
import { Firmware, FlashShape } from "../protocol/board";
import { Limit } from "../protocol/limits";
import { LEDGER, LEDGER_BYTES, ledger, SEALING_KEY } from "../state";

const MAGIC: u32 = 0x31304a51; // "QJ01"
const BODY: usize = 16;
const TAG: usize = BODY + LEDGER_BYTES;
export const RECORD_USED_BYTES: usize = TAG + Limit.DIGEST_BYTES;
export const RECORD_HEAD_BYTES: usize = BODY;

/** Where a record is built, and where one is read back to. */
export const recordOut: usize = memory.data(FlashShape.RECORD_BYTES, 8);
export const recordIn: usize = memory.data(FlashShape.RECORD_BYTES, 8);
const tag: usize = memory.data(32, 8);

/** Builds the record of the Ledger at `recordOut`. */
export function buildRecord(): void {
  store<u32>(recordOut, MAGIC);
  store<u32>(recordOut, Firmware.JOURNAL_FORMAT, 4);
  store<u64>(recordOut, ledger.sequence, 8);
  memory.copy(recordOut + BODY, LEDGER, LEDGER_BYTES);
  hmacSha256(SEALING_KEY, 32, recordOut, <i32>TAG, recordOut + TAG);
  memory.fill(recordOut + RECORD_USED_BYTES, 0xff, <usize>FlashShape.RECORD_BYTES - RECORD_USED_BYTES);
}

/** The sequence that the head at `recordIn` claims, or `u64.MAX_VALUE` if it is no record. */
export function claimedSequence(): u64 {
  if (load<u32>(recordIn) != MAGIC || load<u32>(recordIn, 4) != Firmware.JOURNAL_FORMAT) return u64.MAX_VALUE;
  return load<u64>(recordIn, 8);
}

/** Whether the record at `recordIn` is ours, whole, and of this sequence. */
export function recordIsAuthentic(sequence: u64): bool {
  hmacSha256(SEALING_KEY, 32, recordIn, <i32>TAG, tag);
  return equalBytes(tag, recordIn + TAG, Limit.DIGEST_BYTES) != 0 && load<u64>(recordIn + BODY) == sequence;
}

/** Takes the Ledger from `recordIn`. */
export function loadRecord(): void {
  memory.copy(LEDGER, recordIn + BODY, LEDGER_BYTES);
}
