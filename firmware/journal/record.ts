/**
 * One journal record: all that the Ledger holds, and a tag. An engine class whose account is empty takes no room, so a
 * record is as long as the device's work is varied; 1,280 bytes are its place in flash, five pages, of which it takes
 * the first ones.
 *
 *      0  magic     u32
 *      4  format    u32, of the journal, apart from the firmware's version
 *      8  Ledger    LEDGER_HEAD_BYTES as they stand; `sequence`, value of the monotonic counter that goes with it, first
 *      +  classes   u32, one bit a class whose account follows
 *      +  accounts  ACCOUNT_BYTES for each bit, lowest class first
 *      +  tag       HMAC-SHA-256 over all before, under the sealing key
 *      +  0xff      to the end of the page
 */
import { equalBytes } from "../crypto/equal";
import { hmacSha256Under } from "../crypto/hmac";
import { Firmware, FlashShape } from "../protocol/board";
import { Limit } from "../protocol/limits";
import {
  ACCOUNT_BYTES,
  accountOf,
  CLASSES,
  LEDGER,
  LEDGER_BYTES,
  LEDGER_HEAD_BYTES,
  Ledger,
  SEALING_KEY,
} from "../state";

const MAGIC: u32 = 0x31304a51; // "QJ01"
const BODY: usize = 8;
const CLASS_BITS: usize = BODY + LEDGER_HEAD_BYTES;
const ACCOUNTS: usize = CLASS_BITS + 4;
const PAGE_BYTES: usize = FlashShape.PAGE_BYTES;
/** As much of a place as tells whether a record is in it, and which. */
export const RECORD_HEAD_BYTES: u32 = 16;

/** Where a record is built, and where one is read back to. */
export const recordOut: usize = memory.data(FlashShape.RECORD_BYTES, 8);
export const recordIn: usize = memory.data(FlashShape.RECORD_BYTES, 8);
const tag: usize = memory.data(32, 8);

/** Builds the record of the Ledger at `recordOut`; the bytes of the pages that it fills. */
export function buildRecord(): u32 {
  store<u32>(recordOut, MAGIC);
  store<u32>(recordOut, Firmware.JOURNAL_FORMAT, 4);
  memory.copy(recordOut + BODY, LEDGER, LEDGER_HEAD_BYTES);
  let classes: u32 = 0;
  let to = recordOut + ACCOUNTS;
  for (let c: u32 = 0; c < CLASSES; c++) {
    if (accountIsEmpty(c)) continue;
    classes |= 1 << c;
    memory.copy(to, accountOf(c), ACCOUNT_BYTES);
    to += ACCOUNT_BYTES;
  }
  store<u32>(recordOut + CLASS_BITS, classes);
  hmacSha256Under(SEALING_KEY, recordOut, <i32>(to - recordOut), to);
  const used = to + Limit.DIGEST_BYTES - recordOut;
  const pages = (used + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  memory.fill(recordOut + used, 0xff, pages - used);
  return <u32>pages;
}

function accountIsEmpty(c: u32): bool {
  let any: u64 = 0;
  for (let at: usize = 0; at < ACCOUNT_BYTES; at += 8) any |= load<u64>(accountOf(c) + at);
  return any == 0;
}

/** The sequence that the head at `recordIn` claims, or `u64.MAX_VALUE` if it is no record. */
export function claimedSequence(): u64 {
  if (load<u32>(recordIn) != MAGIC || load<u32>(recordIn, 4) != Firmware.JOURNAL_FORMAT) return u64.MAX_VALUE;
  return load<u64>(recordIn + BODY, offsetof<Ledger>("sequence"));
}

/** Whether the record at `recordIn` is ours, whole, and of this sequence. */
export function recordIsAuthentic(sequence: u64): bool {
  const classes = load<u32>(recordIn + CLASS_BITS);
  // More classes than there are could put the tag outside of the place.
  if (classes >> CLASSES != 0) return false;
  const end = ACCOUNTS + <usize>popcnt<u32>(classes) * ACCOUNT_BYTES;
  hmacSha256Under(SEALING_KEY, recordIn, <i32>end, tag);
  return equalBytes(tag, recordIn + end, Limit.DIGEST_BYTES) != 0 && claimedSequence() == sequence;
}

/** Takes the Ledger from `recordIn`; what the record leaves out is empty. */
export function loadRecord(): void {
  memory.fill(LEDGER, 0, LEDGER_BYTES);
  memory.copy(LEDGER, recordIn + BODY, LEDGER_HEAD_BYTES);
  const classes = load<u32>(recordIn + CLASS_BITS);
  let from = recordIn + ACCOUNTS;
  for (let c: u32 = 0; c < CLASSES; c++) {
    if (((classes >> c) & 1) == 0) continue;
    memory.copy(accountOf(c), from, ACCOUNT_BYTES);
    from += ACCOUNT_BYTES;
  }
}
