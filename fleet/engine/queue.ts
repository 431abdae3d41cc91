/** What is to happen, in order of time; what is due at the same instant, in the order in which it was put down. */

/** Simulated time in whole milliseconds since the run began. */
export type Ms = number;

export class EventQueue<T> {
  /** A binary heap. */
  readonly #heap: { readonly atMs: Ms; readonly order: number; readonly what: T }[] = [];
  #order = 0;
  /** Events taken so far. */
  taken = 0;

  get size(): number {
    return this.#heap.length;
  }

  put(atMs: Ms, what: T): void {
    const heap = this.#heap;
    const entry = { atMs, order: this.#order++, what };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(entry, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  /** The next; undefined where there is none up to `untilMs`. */
  take(untilMs: Ms): { readonly atMs: Ms; readonly what: T } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (!first || first.atMs > untilMs) return undefined;
    this.taken++;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: { readonly atMs: Ms; readonly order: number; readonly what: T }): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, entry)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = entry;
  }
}

function isBefore(a: { atMs: Ms; order: number }, b: { atMs: Ms; order: number }): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
