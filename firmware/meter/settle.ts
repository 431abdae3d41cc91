/** Settling: what the accelerator really did, by its own counters, becomes the total. What a host declares never does. */
import { creditRead, workRead } from "../hal";
import { ErrorCode } from "../protocol/errors";
import { CLASSES, outstandingOf, totalOf, workSeenOf } from "../state";
import { intervalsAdd } from "./intervals";
import { quantityAdd } from "./quantity";

/** The credit registers as they were before the counters were read. */
const creditLeft: usize = memory.data(12 * 8, 8);

/** Takes the hardware counters as they stand, without counting: after power-up they start anew. */
export function meterStart(): void {
  for (let c: u32 = 0; c < CLASSES; c++) store<u64>(workSeenOf(c), workRead(c));
}

/**
 * Moves what was done since the last time from outstanding credit to the totals. Counters that run backward or stand
 * still while credit is used up, work beyond the credit and a total at its end are faults: the caller fails closed.
 */
export function settle(): i32 {
  readCredit();
  return settleSince();
}

/** Looks at the credit registers: before the counters, and before the gate is closed, which zeroes them. */
export function readCredit(): void {
  for (let c: u32 = 0; c < CLASSES; c++) store<u64>(creditLeft + ((<usize>c) << 3), creditRead(c));
}

/** Settles against what `readCredit` saw: work done since then makes that look larger than it is, never smaller. */
export function settleSince(): i32 {
  let code: i32 = ErrorCode.OK;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const counter = workRead(c);
    const seen = load<u64>(workSeenOf(c));
    // The counter wraps at 2^64; a slice is less than 2^63, so more than that is a counter that ran backward.
    const done = counter - seen;
    if (done >> 63 != 0) {
      code = ErrorCode.METER_REGRESSED;
      continue;
    }
    const outstanding = load<u64>(outstandingOf(c));
    // The second measure: what was used up of the credit must have been counted.
    const uncounted = outstanding > done && load<u64>(creditLeft + ((<usize>c) << 3)) < outstanding - done;
    if (uncounted && code == ErrorCode.OK) code = ErrorCode.METER_UNCOUNTED;
    if (done == 0) continue;
    store<u64>(workSeenOf(c), counter);
    intervalsAdd(c, done);
    if (!quantityAdd(totalOf(c), done)) code = ErrorCode.METER_SATURATED;
    store<u64>(outstandingOf(c), done < outstanding ? outstanding - done : 0);
    if (done > outstanding) code = ErrorCode.METER_OVERRUN;
  }
  return code;
}

/** Whether a code says that the meter can't be believed. */
export function isMeterFault(code: i32): bool {
  return (
    code == ErrorCode.METER_REGRESSED ||
    code == ErrorCode.METER_OVERRUN ||
    code == ErrorCode.METER_UNCOUNTED ||
    code == ErrorCode.METER_SATURATED
  );
}

/** After a power cut or a fault: credit that was out counts as done, since nobody can say that it was not. */
export function settleLost(): bool {
  let whole = true;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const lost = load<u64>(outstandingOf(c));
    if (lost == 0) continue;
    whole = quantityAdd(totalOf(c), lost) && whole;
    store<u64>(outstandingOf(c), 0);
  }
  return whole;
}
