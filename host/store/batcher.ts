/**
 * Group commit: requests that arrive together, or while others are being served, share one run, and so one wait for the
 * disk. Nothing waits while nothing is under way: a run starts when the event loop has handed over what had arrived.
 */
import { StoreError } from "./errors.ts";

export type Result<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: unknown };

export interface BatcherOptions<Q, A> {
  /** Most items of one run. */
  readonly itemsMax: number;
  /** Runs that may be under way at once. */
  readonly lanes: number;
  /** Most items that wait for a run; one more is refused. */
  readonly queueMax: number;
  /** One result for each item, in their order. What it throws, all of them are told. */
  readonly run: (items: readonly Q[]) => Promise<readonly Result<A>[]>;
  /** Told of each run that ended well: how long it took, and how many items it was for. */
  readonly observe?: ((seconds: number, items: number) => void) | undefined;
}

interface Asked<Q, A> {
  readonly item: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher<Q, A> {
  readonly #options: BatcherOptions<Q, A>;
  #waiting: Asked<Q, A>[] = [];
  #running = 0;
  #isStarting = false;

  constructor(options: BatcherOptions<Q, A>) {
    this.#options = options;
  }

  /** Throws `StoreError` (`store/busy`), and what the run has for this item. */
  ask(item: Q): Promise<A> {
    if (this.#waiting.length >= this.#options.queueMax) return Promise.reject(new StoreError("store/busy"));
    const answer = new Promise<A>((resolve, reject) => this.#waiting.push({ item, resolve, reject }));
    this.#startSoon();
    return answer;
  }

  /** After the callbacks of this turn of the event loop, in which others may ask too. */
  #startSoon(): void {
    if (this.#isStarting || this.#running >= this.#options.lanes) return;
    this.#isStarting = true;
    setImmediate(() => {
      this.#isStarting = false;
      while (this.#running < this.#options.lanes && this.#waiting.length > 0) this.#start();
    });
  }

  #start(): void {
    const asked = this.#waiting.splice(0, this.#options.itemsMax);
    this.#running += 1;
    void this.#serve(asked).then(() => {
      this.#running -= 1;
      if (this.#waiting.length > 0) this.#startSoon();
    });
  }

  async #serve(asked: readonly Asked<Q, A>[]): Promise<void> {
    const begun = performance.now();
    try {
      const results = await this.#options.run(asked.map(({ item }) => item));
      this.#options.observe?.((performance.now() - begun) / 1000, asked.length);
      if (results.length !== asked.length) throw new Error(`${results.length} results for ${asked.length} items`);
      for (const [index, { resolve, reject }] of asked.entries()) {
        const result = results[index]!;
        if (result.ok) resolve(result.value);
        else reject(result.error);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
