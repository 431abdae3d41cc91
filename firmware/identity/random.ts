/**
 * Nonces, with the health test that they need: a source that stands still or repeats itself gives none, and without a
 * challenge there is no license and no time proof (SP 800-90B section 4.4.1, repetition count).
 */
import { ticks, trngFill } from "../hal";
import { Limit } from "../protocol/limits";
import { CHALLENGE, session, TIME_NONCE } from "../state";

/** Fills 32 bytes. False, and zeros, if the source is not healthy. */
export function randomFill(out: usize): bool {
  const before = load<u64>(out);
  trngFill(out, Limit.NONCE_BYTES);
  const repeats =
    load<u64>(out) == before || load<u64>(out) == load<u64>(out, 8) || load<u64>(out, 16) == load<u64>(out, 24);
  if (!repeats && load<u64>(out, 8) != load<u64>(out, 16)) return true;
  memory.fill(out, 0, Limit.NONCE_BYTES);
  return false;
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
