/** Waiting that can be cut short: by whoever has something to do, or by the end of everything. */
import { MACHINE_TIME, type Timing } from "../../timing.ts";

export class Sleeper {
  readonly #timing: Timing;
  #isOver = false;
  #wake: (() => void) | undefined;
  readonly #all = new Set<() => void>();

  constructor(timing: Timing = MACHINE_TIME) {
    this.#timing = timing;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves after so long, when it is woken, or at the end. */
  sleep(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        callOff();
        this.#all.delete(done);
        resolve();
      };
      const callOff = this.#timing.after(ms, done);
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
