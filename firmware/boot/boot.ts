/**
 * Boot, in the numbered steps of `BootProgress`. A step that fails leaves the gate locked and its code readable; the
 * board zeroes the State block before.
 */

import { wipe } from "../crypto/wipe";
import { startBuckets } from "../gate/credit";
import { gateIs, moveGate } from "../gate/gate";
import { gateTampered } from "../gate/run";
import { fuseRead, gateClose, tamperRead, ticks } from "../hal";
import { takeIdentity } from "../identity/dice";
import { newChallenge, randomFill } from "../identity/random";
import { journalCommit, journalOpen } from "../journal/journal";
import { startIntervals } from "../meter/intervals";
import { meterStart, settleLost } from "../meter/settle";
import { loadAgreement } from "../objects/agreement";
import { PERMILLE_FULL } from "../objects/order";
import { BootProgress, Firmware, Fuse, Lifecycle } from "../protocol/board";
import { OrderAction } from "../protocol/claims";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { GateEvent, GateState } from "../protocol/states";
import { BOOT_SEED, head, ledger, pact, session } from "../state";
import { selfTest } from "./self-test";

/**
 * Brings the governor up. OK when the gate is ready for a license, else why it is locked. On every way out the hand-off,
 * which gives the device's keys away, is gone: it lies where the host will read answers.
 */
export function bootGovernor(handoff: usize, length: i32): i32 {
  const code = bootSteps(handoff, length);
  wipe(handoff, Limit.MESSAGE_BYTES_MAX);
  return code;
}

function bootSteps(handoff: usize, length: i32): i32 {
  head.format = Firmware.STATE_FORMAT;
  head.bootProgress = BootProgress.RESET;
  head.gateState = GateState.LOCKED;
  gateClose();
  if (tamperRead() != 0 || (fuseRead(Fuse.LIFECYCLE) & Lifecycle.TAMPERED) != 0) {
    gateTampered();
    return ErrorCode.TAMPERED;
  }
  let code = selfTest();
  if (code == ErrorCode.OK) code = startRandom();
  if (code == ErrorCode.OK) code = startIdentity(handoff, length);
  if (code == ErrorCode.OK) code = checkFuses();
  if (code != ErrorCode.OK) return lock(code);
  return startLedger();
}

/** A gate that is locked only because something was missing, and now has it, comes to rest. */
export function leaveLocked(): void {
  if (!gateIs(GateState.LOCKED) || session.journalWhole == 0 || pact.version == 0) return;
  startBuckets();
  moveGate(ledger.action == OrderAction.PAUSE ? GateEvent.BOOTED_PAUSED : GateEvent.BOOTED, ErrorCode.OK);
}

function lock(code: i32): i32 {
  head.gateState = GateState.LOCKED;
  head.lastCode = <u32>code;
  return code;
}

function startRandom(): i32 {
  head.bootProgress = BootProgress.TRNG;
  return randomFill(BOOT_SEED) ? ErrorCode.OK : ErrorCode.BOOT_TRNG;
}

function startIdentity(handoff: usize, length: i32): i32 {
  head.bootProgress = BootProgress.IDENTITY;
  const code = takeIdentity(handoff, length);
  if (code != ErrorCode.OK) return code;
  newChallenge();
  return randomFill(BOOT_SEED) && session.challengeLive != 0 ? ErrorCode.OK : ErrorCode.BOOT_TRNG;
}

function checkFuses(): i32 {
  head.bootProgress = BootProgress.FUSES;
  if ((fuseRead(Fuse.LIFECYCLE) & Lifecycle.MANUFACTURED) == 0) return ErrorCode.BOOT_NOT_PROVISIONED;
  return popcnt<u32>(fuseRead(Fuse.SVN_FLOOR)) > <u32>Firmware.SVN ? ErrorCode.BOOT_SVN : ErrorCode.OK;
}

/** Journal, then agreement: without a whole journal the agreement is still needed, to judge a recovery by. */
function startLedger(): i32 {
  head.bootProgress = BootProgress.JOURNAL;
  const journal = journalOpen();
  head.bootProgress = BootProgress.AGREEMENT;
  const agreement = loadAgreement();
  const started = journal == ErrorCode.OK ? startSession() : journal;
  head.bootProgress = BootProgress.READY;
  if (started != ErrorCode.OK) {
    session.journalWhole = 0;
    return lock(started);
  }
  if (ledger.fault != 0) {
    session.journalWhole = 0;
    return lock(<i32>ledger.fault);
  }
  if (agreement != ErrorCode.OK) return lock(agreement);
  leaveLocked();
  return ErrorCode.OK;
}

/**
 * The first record after every power-up: one boot more, and what was granted before the cut counts as done. Since it
 * comes before anything else, two histories of one counter value never both hold a decision (docs/journal.md).
 */
function startSession(): i32 {
  if (ledger.permille == 0) ledger.permille = <u16>PERMILLE_FULL;
  ledger.bootCount += 1;
  if (!settleLost()) ledger.fault = ErrorCode.METER_SATURATED;
  meterStart();
  startIntervals();
  session.licenseEndTick = ticks() + ledger.licenseTicksLeft;
  return journalCommit();
}
