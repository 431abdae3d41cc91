/** Waiting that can be cut short: by whoever has something to do, or by the end of everything. */
export class Sleeper {
  #isOver = false;
  #wake: (() => void) | undefined;
  readonly #all = new Set<() => void>();

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves after so long, when it is woken, or at the end. */
  sleep(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#all.delete(done);
        resolve();
      };
      // The longest that a timer takes.
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      this.#all.add(done);
      this.#wake = done;
    });
  }

  /** Ends the sleep that began last. */
  wake(): void {
    this.#wake?.();
  }

  stop(): void {
    this.#isOver = true;
    for (const done of [...this.#all]) done();
  }
}
