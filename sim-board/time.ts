/** Simulated time: whole nanoseconds, exact over decades, and never read from the machine. */
import { BoardError } from "./errors.ts";

export const NS_PER_SECOND = 1_000_000_000n;

/** Nearest whole nanosecond. */
export function nsOf(seconds: number): bigint {
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new BoardError("board/option", `${seconds} is not a span of time in seconds`);
  }
  const whole = Math.trunc(seconds);
  return BigInt(whole) * NS_PER_SECOND + BigInt(Math.round((seconds - whole) * 1e9));
}

export function secondsOf(ns: bigint): number {
  return Number(ns / NS_PER_SECOND) + Number(ns % NS_PER_SECOND) / 1e9;
}
