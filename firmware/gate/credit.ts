/**
 * Credit: a slice at a time goes from a source (the license's budget, its drain allowance, the agreement's baseline) to
 * the accelerator's registers. Reserved in the journal before it is granted, settled from the hardware counters, and
 * what was not used goes back to its source when the gate closes.
 *
 * A slice of a class is its rate times the agreement's slice period. The rate cap is a bucket of that size per class.
 */
import { gateClose, gateGrant, ticks } from "../hal";
import { journalCanGrant, journalCommit } from "../journal/journal";
import { intervalsNextSlice, reportIsDue } from "../meter/intervals";
import { quantityAdd, quantityAsU64, quantityTake } from "../meter/quantity";
import { readCredit, settle, settleLost, settleSince } from "../meter/settle";
import { OrderAction } from "../protocol/claims";
import { ErrorCode } from "../protocol/errors";
import { GateState } from "../protocol/states";
import {
  baselineOf,
  budgetOf,
  CLASSES,
  drainOf,
  head,
  ledger,
  NEVER,
  outstandingOf,
  pact,
  rateMaxOf,
  rateOf,
  session,
  tokensOf,
} from "../state";
import { flowingRefusal, rateIsCapped } from "./conditions";
import { gateFlows, gateIs } from "./gate";

export const enum CreditSource {
  NONE = 0,
  BUDGET = 1,
  DRAIN = 2,
  BASELINE = 3,
}

/** What this refill gives each class. */
const grants: usize = memory.data(12 * 8, 8);

/** Work per tick that license and order let a class do. */
function licensedRate(c: u32): u64 {
  let rate = load<u64>(rateMaxOf(c));
  const licensed = load<u64>(rateOf(c));
  if (licensed != 0 && licensed < rate) rate = licensed;
  if (ledger.action == OrderAction.SLOW) {
    const permille = <u64>ledger.permille;
    const capped = (load<u64>(rateMaxOf(c)) / 1000) * permille + ((load<u64>(rateMaxOf(c)) % 1000) * permille) / 1000;
    if (capped < rate) rate = capped;
  }
  return rate;
}

/** What the registers hold at most. The cap is for licensed work: drain and baseline have their allowance. */
function sliceOf(c: u32): u64 {
  return (session.creditSource == CreditSource.BUDGET ? licensedRate(c) : load<u64>(rateMaxOf(c))) * pact.sliceTicks;
}

/** What is left of a 64-bit source: the license's drain allowance, or the baseline. */
function allowanceOf(c: u32): usize {
  return session.creditSource == CreditSource.DRAIN ? drainOf(c) : baselineOf(c);
}

function sourceLeft(c: u32): u64 {
  if (session.creditSource == CreditSource.NONE) return 0;
  return session.creditSource == CreditSource.BUDGET ? quantityAsU64(budgetOf(c)) : loadSure(allowanceOf(c));
}

function takeFromSource(c: u32, amount: u64): void {
  if (session.creditSource == CreditSource.BUDGET) quantityTake(budgetOf(c), amount);
  else store<u64>(allowanceOf(c), load<u64>(allowanceOf(c)) - amount);
}

function giveBackToSource(c: u32, amount: u64): void {
  if (session.creditSource == CreditSource.BUDGET) quantityAdd(budgetOf(c), amount);
  else store<u64>(allowanceOf(c), load<u64>(allowanceOf(c)) + amount);
}

/**
 * Fills the buckets at the start of a session: with a slice, or with nothing where a cap below the agreement's rate is
 * in force, so that power cuts do not fill them either.
 */
export function startBuckets(): void {
  const capped = rateIsCapped();
  for (let c: u32 = 0; c < CLASSES; c++)
    store<u64>(tokensOf(c), capped ? 0 : load<u64>(rateMaxOf(c)) * pact.sliceTicks);
  session.refillTick = ticks();
}

/** Credit will come from here from now on. The registers must be empty; the buckets hold what time has filled in. */
export function openCredit(source: u32): void {
  session.creditSource = source;
  session.grantTick = NEVER;
  collectTokens();
}

/**
 * Zeroes the registers, settles, and gives what was not used back. True if the Ledger changed. After a fault of the
 * meter nobody can say what was used: then all that was out counts as done, and the next commit locks the gate.
 */
export function closeCredit(): bool {
  readCredit();
  gateClose();
  const code = settleSince();
  if (code != ErrorCode.OK) ledger.fault = <u32>code;
  let changed = ledger.fault != 0;
  if (changed) settleLost();
  for (let c: u32 = 0; c < CLASSES; c++) {
    const unused = min(loadSure(outstandingOf(c)), load<u64>(outstandingOf(c)));
    if (unused == 0) continue;
    giveBackToSource(c, unused);
    if (session.creditSource == CreditSource.BUDGET) store<u64>(tokensOf(c), load<u64>(tokensOf(c)) + unused);
    store<u64>(outstandingOf(c), 0);
    changed = true;
  }
  changed = changed || (session.creditSource != CreditSource.NONE && session.grantTick != NEVER);
  session.creditSource = CreditSource.NONE;
  return changed;
}

/**
 * Tops the registers up to one slice, at most once in half a slice period: settle, reserve, grant. OK also when there
 * is nothing to do; anything else is a fault, and the caller fails closed.
 */
export function refill(): i32 {
  const code = settle();
  if (code != ErrorCode.OK) return code;
  if (session.grantTick != NEVER && ticks() - session.grantTick < pact.sliceTicks >> 1) return ErrorCode.OK;
  if (!journalCanGrant()) return ErrorCode.JOURNAL_COUNTER_WORN;
  collectTokens();
  // Without a grant the license's ticks are still spent, and a record says so once in a slice period.
  const overdue = ticks() - session.commitTick >= pact.sliceTicks - (pact.sliceTicks >> 3);
  // Asked again by whoever grants, since one fault may spoil one answer.
  if (!sourceMayFlow()) return ErrorCode.OK;
  if (!planGrants()) return overdue ? journalCommit() : ErrorCode.OK;
  const written = journalCommit();
  if (written != ErrorCode.OK) {
    takeBackPlan();
    return written;
  }
  intervalsNextSlice();
  session.grantTick = ticks();
  for (let c: u32 = 0; c < CLASSES; c++) {
    const planned = grants + ((<usize>c) << 3);
    // Never more than the record holds as outstanding, and once, should the loop stay at this class.
    const grant = min(loadSure(planned), load<u64>(outstandingOf(c)));
    store<u64>(planned, 0);
    if (grant != 0) gateGrant(c, grant);
  }
  return ErrorCode.OK;
}

/** Whether the gate stands where this source may give credit. */
function sourceMayFlow(): bool {
  if (session.creditSource == CreditSource.BUDGET) return gateFlows() && flowingRefusal() == ErrorCode.OK;
  if (session.creditSource == CreditSource.DRAIN) return gateIs(GateState.DRAINING) && ticks() < session.drainEndTick;
  return gateIs(GateState.IDLE) || gateIs(GateState.PAUSED);
}

/** An amount that a fault may read wrongly, read in two ways: it is never more than what is there. */
function loadSure(at: usize): u64 {
  return load<u64>(at) & (((<u64>load<u32>(at, 4)) << 32) | <u64>load<u32>(at));
}

/** What the rate has let in since the last time; a bucket holds one slice. */
function collectTokens(): void {
  const now = ticks();
  const counted = min(now - session.refillTick, pact.sliceTicks);
  session.refillTick = now;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const rate = licensedRate(c);
    store<u64>(tokensOf(c), min(load<u64>(tokensOf(c)) + rate * counted, rate * pact.sliceTicks));
  }
}

/** What the rate cap lets be granted now. */
function tokensLeft(c: u32): u64 {
  return session.creditSource == CreditSource.BUDGET ? load<u64>(tokensOf(c)) : u64.MAX_VALUE;
}

/** Decides and books what each class gets. False if no class needs any. */
function planGrants(): bool {
  let needed = false;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const slice = sliceOf(c);
    const outstanding = load<u64>(outstandingOf(c));
    let grant: u64 = 0;
    if (outstanding < slice) {
      grant = min(min(slice - outstanding, sourceLeft(c)), tokensLeft(c));
      if (reportIsDue(c, outstanding + grant)) {
        grant = 0;
        head.lastCode = ErrorCode.GATE_REPORT_DUE;
      }
    }
    store<u64>(grants + ((<usize>c) << 3), grant);
    if (grant != 0 && outstanding <= slice >> 1) needed = true;
  }
  if (!needed) return false;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const grant = load<u64>(grants + ((<usize>c) << 3));
    if (grant == 0) continue;
    if (grant > sourceLeft(c)) return false;
    takeFromSource(c, grant);
    store<u64>(outstandingOf(c), load<u64>(outstandingOf(c)) + grant);
    if (session.creditSource == CreditSource.BUDGET) store<u64>(tokensOf(c), load<u64>(tokensOf(c)) - grant);
  }
  return true;
}

/** What was booked and will not be granted, since it could not be recorded, is not out. */
function takeBackPlan(): void {
  for (let c: u32 = 0; c < CLASSES; c++) {
    const grant = load<u64>(grants + ((<usize>c) << 3));
    store<u64>(outstandingOf(c), load<u64>(outstandingOf(c)) - grant);
    giveBackToSource(c, grant);
  }
}

/** Whether neither source nor registers hold anything more. */
export function creditIsUsedUp(): bool {
  for (let c: u32 = 0; c < CLASSES; c++) {
    if (load<u64>(outstandingOf(c)) != 0 || sourceLeft(c) != 0) return false;
  }
  return true;
}
