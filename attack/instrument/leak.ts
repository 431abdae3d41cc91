/** Looks for what an operation lets out of its secrets: the first place at which two runs of it part. */
import { readTrace, type Site, type Trace, traced } from "./trace.ts";

/** Runs the operation on a secret in an instance of this (instrumented) module, and returns how its globals are read. */
export type Operation<Secret> = (bytes: Uint8Array, secret: Secret) => (global: string) => bigint;

export type Leak = {
  /** Name of the function, and the instruction in it. */
  where: string;
  /** How many events were alike before. */
  before: bigint;
};

export type Verdict = {
  /** Undefined if all runs were alike. */
  leak: Leak | undefined;
  /** What was compared in each run. */
  events: bigint;
};

/** `names`: of the module's functions, by index. */
export function lookForLeak<Secret>(
  bytes: Uint8Array,
  names: readonly string[],
  secrets: readonly Secret[],
  operation: Operation<Secret>,
): Verdict {
  const look = ({ bytes }: { bytes: Uint8Array }, secret: Secret) => readTrace(operation(bytes, secret));
  const whole = traced(bytes);
  const [first, ...others] = secrets;
  const expected = look(whole, first!);
  const other = others.find((secret) => !alike(look(whole, secret), expected));
  if (other === undefined) return { leak: undefined, events: expected.events };

  // The two runs are alike for so many events, but not for so many: the leak is found when they are neighbors.
  let [low, high] = [0n, expected.events + 1n];
  let site = expected.site;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    const part = traced(bytes, { eventsMax: middle });
    const one = look(part, first!);
    if (alike(one, look(part, other))) low = middle;
    else [high, site] = [middle, one.site];
  }
  return { leak: { where: placeOf(whole.sites[Number(site)]!, names), before: low }, events: expected.events };
}

/** Whether two runs can be told apart. */
export function alike(a: Trace, b: Trace): boolean {
  return a.hash === b.hash && a.events === b.events;
}

function placeOf({ functionIndex, op, at }: Site, names: readonly string[]): string {
  return `${names[functionIndex] ?? `function ${functionIndex}`}, instruction 0x${op.toString(16)} at byte ${at} of it`;
}
