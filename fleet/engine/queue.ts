/** What is to happen, in order of time; what is due at the same instant, in the order in which it was put down. */
import { Earliest } from "./earliest.ts";

/** Simulated time in whole milliseconds since the run began. */
export type Ms = number;

export class EventQueue<T> {
  readonly #events = new Earliest<T>();
  /** Events taken so far. */
  taken = 0;

  get size(): number {
    return this.#events.size;
  }

  put(atMs: Ms, what: T): void {
    this.#events.add(atMs, what);
  }

  /** The next; undefined where there is none up to `untilMs`. */
  take(untilMs: Ms): { readonly atMs: Ms; readonly what: T } | undefined {
    const atMs = this.#events.at;
    if (this.size === 0 || atMs > untilMs) return undefined;
    this.taken++;
    return { atMs, what: this.#events.take()! };
  }
}
