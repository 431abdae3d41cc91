/**
 * How time passes for a program that waits: the machine's own time, or that of a simulation, in which hours of an agent's
 * life take seconds and one seed gives one run.
 */
export interface Timing {
  /** In ms; never goes back. Where it begins says nothing. */
  readonly nowMs: () => number;
  /** In ms since 1970: for what people are shown. */
  readonly wallMs: () => number;
  /** Calls `act` after so long; gives what calls it off. */
  readonly after: (ms: number, act: () => void) => () => void;
}

/** The longest that a timer of Node takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const MACHINE_TIME: Timing = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, act) {
    const timer = setTimeout(act, Math.min(ms, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};
