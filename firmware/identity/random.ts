/**
 * Nonces, with the health test that they need: a source that stands still or repeats itself gives none, and without a
 * challenge there is no license and no time proof (SP 800-90B section 4.4.1, repetition count).
 */
import { hmacSha256Under } from "../crypto/hmac";
import { counterRead, ticks, trngFill } from "../hal";
import { Limit } from "../protocol/limits";
import { CHALLENGE, SEALING_KEY, session, TIME_NONCE } from "../state";

const MIXED_BYTES: i32 = 48;
const mixed: usize = memory.data(48, 8);

/** Fills 32 bytes. False, and zeros, if the source is not healthy. */
export function randomFill(out: usize): bool {
  trngFill(out, Limit.NONCE_BYTES);
  const repeats =
    load<u64>(out) == session.lastDraw ||
    load<u64>(out) == load<u64>(out, 8) ||
    load<u64>(out, 16) == load<u64>(out, 24);
  if (repeats || load<u64>(out, 8) == load<u64>(out, 16)) {
    memory.fill(out, 0, Limit.NONCE_BYTES);
    return false;
  }
  session.lastDraw = load<u64>(out);
  mix(out);
  return true;
}

/** A source that gives the same sequence at every power-up must not give the same nonces: counter and ticks go in. */
function mix(out: usize): void {
  memory.copy(mixed, out, 32);
  store<u64>(mixed, <u64>counterRead(), 32);
  store<u64>(mixed, ticks(), 40);
  hmacSha256Under(SEALING_KEY, mixed, MIXED_BYTES, out);
}

/** The challenge that the next license or recovery answers. */
export function newChallenge(): void {
  session.challengeLive = randomFill(CHALLENGE) ? 1 : 0;
}

/** The nonce that the next time proof answers; good once. */
export function newTimeNonce(): bool {
  session.timeNonceLive = randomFill(TIME_NONCE) ? 1 : 0;
  session.timeNonceTick = ticks();
  return session.timeNonceLive != 0;
}
