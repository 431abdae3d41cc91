/**
 * A bad object costs its sender: after a few, a back-off that doubles and a new challenge. Each failure that counts is
 * journaled, so a power cut forgives none; and while the back-off lasts none counts, so garbage cannot wear the counter
 * out faster than the back-off allows.
 */
import { ticks } from "../hal";
import { newChallenge } from "../identity/random";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { ledger, pact, session } from "../state";
import { commitOrFail } from "./run";

export function backOffIsOn(): bool {
  return ledger.backOffLevel != 0 && ticks() < session.backOffEndTick;
}

export function backOffTicksLeft(): u64 {
  return backOffIsOn() ? session.backOffEndTick - ticks() : 0;
}

/** At boot, and at each new level: the whole back-off from now on. */
export function backOffStart(): void {
  if (ledger.backOffLevel == 0) return;
  const seconds = (<u64>Limit.BACK_OFF_SECONDS) << (ledger.backOffLevel - 1);
  session.backOffEndTick = ticks() + seconds * <u64>pact.tickHz;
}

/** Counts a refusal, unless it is one that an honest sender meets too. */
export function countFailure(code: i32): void {
  if (!isFault(code) || session.journalWhole == 0 || pact.version == 0 || backOffIsOn()) return;
  if (ledger.failures < u32.MAX_VALUE) ledger.failures += 1;
  if (ledger.failures >= <u32>Limit.FAILURES_MAX) {
    if (ledger.backOffLevel <= <u32>Limit.BACK_OFF_DOUBLINGS_MAX) ledger.backOffLevel += 1;
    backOffStart();
    newChallenge();
  }
  commitOrFail();
}

function isFault(code: i32): bool {
  return (
    code != ErrorCode.OK &&
    code != ErrorCode.LICENSE_BACK_OFF &&
    code != ErrorCode.LICENSE_EPOCH &&
    code != ErrorCode.LICENSE_PAUSED &&
    code != ErrorCode.ORDER_PREVIOUS &&
    code != ErrorCode.ORDER_AGREEMENT &&
    code != ErrorCode.GATE_LOCKED &&
    code != ErrorCode.ORDER_NOT_YET &&
    code != ErrorCode.ORDER_EPOCH_OLD &&
    code != ErrorCode.LOG_ROLLED_BACK &&
    code != ErrorCode.LOG_FORKED &&
    code != ErrorCode.LOG_STALE &&
    code != ErrorCode.TIME_UNKNOWN &&
    code != ErrorCode.LICENSE_TIME_UNKNOWN &&
    code != ErrorCode.AGREEMENT_MISSING &&
    code != ErrorCode.AGREEMENT_BUSY &&
    code != ErrorCode.RECOVERY_NOT_NEEDED
  );
}

/** A license was installed. */
export function failuresForgiven(): void {
  ledger.failures = 0;
  ledger.backOffLevel = 0;
}
