/**
 * How bad it is in one run. Each seed draws which faults there are and how often (swarm testing: Groce et al., ISSTA 2012):
 * where everything fails all the time, nothing gets far enough to fail in an interesting way.
 */
import type { Random } from "../../sim-board/random.ts";

/** What goes wrong at some moment; all else goes wrong with each message. */
export const BLOWS = [
  "power-cut",
  "torn-operation",
  "agent-crash",
  "verifier-crash",
  "commit-crash",
  "partition",
  "old-flash",
] as const;
export type Blow = (typeof BLOWS)[number];

export interface Weather {
  readonly boards: number;
  /** How long faults go on. */
  readonly stormMs: number;
  /** Of each message, one way. */
  readonly lostPermille: number;
  readonly twicePermille: number;
  readonly delayMs: number;
  /** Messages that take many times as long. */
  readonly slowPermille: number;
  /** Those that there are in this run. */
  readonly blows: readonly Blow[];
  /** Between two of them, on average. */
  readonly blowMs: number;
  /** Between two orders of the parties, on average. */
  readonly orderMs: number;
}

const MINUTE_MS = 60_000;
/** One in so many kinds of fault is left out of a run. */
const LEFT_OUT = 4;
/** One in so many runs has none of a kind of trouble with messages. */
const CALM = 4;

export function drawWeather(random: Random): Weather {
  const some = (most: number) => (random.below(CALM) === 0 ? 0 : random.below(most) + 1);
  return {
    boards: 1 + random.below(3),
    stormMs: (3 + random.below(8)) * MINUTE_MS,
    lostPermille: some(80),
    twicePermille: some(80),
    delayMs: 5 + random.below(400),
    slowPermille: some(60),
    blows: BLOWS.filter(() => random.below(LEFT_OUT) > 0),
    blowMs: (10 + random.below(50)) * 1000,
    orderMs: (1 + random.below(4)) * MINUTE_MS,
  };
}

/** Gaps of a Poisson process, so that what comes seldom also comes twice at once. */
export function gapMs(random: Random, meanMs: number): number {
  return -Math.log((random.u32() + 1) / 2 ** 32) * meanMs;
}
