/**
 * A step of the agent, written once for both modes: a generator that yields each call to a board or a verifier and is
 * given what came of it. `runSync` makes the calls at once; `runAsync` waits for each.
 */
import type { Answer, Mode } from "../mode.ts";

/** Yields calls; ends with what the step gives. */
export type Step<T> = Generator<() => unknown, T, unknown>;

/** Runs a step to its end in its own mode. */
export type Run<M extends Mode> = <T>(step: Step<T>) => Answer<M, T>;

/** Within a step: makes the call, and gives or throws what came of it. */
export function* ask<M extends Mode, T>(call: () => Answer<M, T>): Step<T> {
  return (yield call) as T;
}

/** Throws what the step throws, and a `TypeError` where an answer is a promise. */
export function runSync<T>(step: Step<T>): T {
  let turn = step.next();
  while (!turn.done) {
    const call = turn.value;
    let answer: unknown;
    try {
      answer = call();
    } catch (error) {
      turn = step.throw(error);
      continue;
    }
    if (answer instanceof Promise) {
      // Nobody will look at it any more.
      answer.catch(() => {});
      throw new TypeError("a call gave a promise where nothing waits");
    }
    turn = step.next(answer);
  }
  return turn.value;
}

/** Rejects with what the step throws. */
export async function runAsync<T>(step: Step<T>): Promise<T> {
  let turn = step.next();
  while (!turn.done) {
    const call = turn.value;
    let answer: unknown;
    try {
      answer = await call();
    } catch (error) {
      turn = step.throw(error);
      continue;
    }
    turn = step.next(answer);
  }
  return turn.value;
}
