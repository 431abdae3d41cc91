/**
 * When and how long to wait before the next try: exponential back-off with full jitter, and whatever the other end asks
 * for in Retry-After (RFC 9110 section 10.2.3).
 */
import { MACHINE_TIME, type Timing } from "../timing.ts";
import { ClientError } from "./errors.ts";

const FIRST_MS = 200;
const LONGEST_MS = 5_000;
/** A client waits so long itself; beyond, it tells its caller. */
const RETRY_AFTER_MS_MAX = 30_000;

/** Before the try after the `count`-th failure. `random` gives 0 to 1. */
export function backOffMs(count: number, random: () => number, firstMs = FIRST_MS, longestMs = LONGEST_MS): number {
  return Math.floor(random() * Math.min(longestMs, firstMs * 2 ** Math.min(count - 1, 30)));
}

/** How long to wait after this failure; undefined where another try is of no use, or not worth the wait. */
export function retryDelayMs(error: unknown, count: number, random: () => number): number | undefined {
  if (!(error instanceof ClientError) || error.class !== "network" || error.code === "client/tls") return undefined;
  const asked = error.retryAfterMs ?? 0;
  return asked > RETRY_AFTER_MS_MAX ? undefined : asked + backOffMs(count, random);
}

/** Of the header, in ms from now: seconds or a date. Undefined where it is neither. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(value)) return Number(value) * 1000;
  const atMs = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** Waits, unless the signal ends it. Rejects with the signal's reason. */
export function wait(ms: number, signal: AbortSignal, timing: Timing = MACHINE_TIME): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const callOff = timing.after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    function onAbort(): void {
      callOff();
      reject(signal.reason);
    }
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
