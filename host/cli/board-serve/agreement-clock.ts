/**
 * The time that simulated boards live in. At speed 1 it is the machine's clock, as it is for verifiers. At another speed
 * it is the clock of a simulation, which verifiers must be told: boards answer nobody in between.
 */
export interface AgreementClock {
  /** Agreement time in ms; never less than before. */
  now(): number;
}

/** The machine's clock; where somebody sets it back, time stands still until it has caught up. */
export function wallClock(wallMs: () => number = Date.now): AgreementClock {
  let newest = wallMs();
  return {
    now: () => {
      newest = Math.max(newest, wallMs());
      return newest;
    },
  };
}

/** `speed` times as fast as the machine's monotonic clock, from `startMs` on. */
export function fastClock(
  startMs: number,
  speed: number,
  monotonicMs: () => number = () => performance.now(),
): AgreementClock {
  const from = monotonicMs();
  return { now: () => startMs + Math.floor((monotonicMs() - from) * speed) };
}
