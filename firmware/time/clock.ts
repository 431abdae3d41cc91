/**
 * The governor's clock: ticks since power-up, and from a time proof on a lower and an upper bound of the agreement time.
 * The oscillator is off by at most the agreement's `driftPpm`, so the bounds part as ticks go by: with f = hz·(1 ± d),
 * the true time is between nominal/(1 + d) and nominal/(1 - d).
 */
import { ticks } from "../hal";
import { pact, session } from "../state";

const PPM: u64 = 1000000;

/** Milliseconds that `count` ticks last at the nominal rate. */
export function nominalMs(count: u64): u64 {
  const hz = <u64>pact.tickHz;
  return (count / hz) * 1000 + ((count % hz) * 1000) / hz;
}

function ticksSince(tick: u64): u64 {
  const now = ticks();
  return now > tick ? now - tick : 0;
}

/** The agreement time is no earlier than this, in ms. Meaningless before a time proof. */
export function timeLowerBound(): u64 {
  const nominal = nominalMs(ticksSince(session.timeLowerTick));
  return session.timeLower + (nominal * PPM) / (PPM + <u64>pact.driftPpm);
}

/** The agreement time is no later than this, in ms. Meaningless before a time proof. */
export function timeUpperBound(): u64 {
  return session.timeUpper + widened(ticksSince(session.timeUpperTick));
}

/** The longest time in ms that `count` ticks can have lasted, rounded up. */
export function widened(count: u64): u64 {
  return ((nominalMs(count) + 1) * PPM) / (PPM - <u64>pact.driftPpm) + 1;
}

/** A time authority said `time` (ms) just now or earlier: it is no earlier than that. */
export function raiseTimeLower(time: u64): void {
  if (session.timeKnown != 0 && timeLowerBound() >= time) return;
  session.timeLower = time;
  session.timeLowerTick = ticks();
}

/** It is no later than `time` (ms) now. */
export function setTimeUpper(time: u64): void {
  session.timeUpper = time;
  session.timeUpperTick = ticks();
}

/** Nothing is known of the time until the next proof on a new nonce. */
export function forgetTime(): void {
  session.timeKnown = 0;
  session.timeNonceLive = 0;
  session.leaseIssuedAt = 0;
}

/** Whether the freshest beacon is younger than one lease, whatever the drift. */
export function leaseIsFresh(): bool {
  if (session.timeKnown == 0) return false;
  return timeUpperBound() < session.leaseIssuedAt + <u64>pact.leaseSeconds * 1000;
}
