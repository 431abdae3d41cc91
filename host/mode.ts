/**
 * Whether a call waits for its answer or gives a promise of it. The demo runs in simulated time, where nothing may wait;
 * the agent's daemon talks to boards and verifiers over sockets. What serves both takes the mode as a type parameter.
 */
export type Mode = "sync" | "async";

/** What a call gives in this mode. */
export type Answer<M extends Mode, T> = M extends "sync" ? T : Promise<T>;

/** What `next` makes of an answer, in the mode that the answer has. */
export function after<M extends Mode, T, U>(answer: Answer<M, T>, next: (value: T) => U): Answer<M, U> {
  return (answer instanceof Promise ? answer.then(next) : next(answer as T)) as Answer<M, U>;
}
