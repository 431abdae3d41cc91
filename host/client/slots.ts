/** So many at a time, and so many that wait for their turn; more are turned away. */
export class Slots {
  readonly #countMax: number;
  readonly #waitingMax: number;
  readonly #full: () => Error;
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  /** `full` is what the one too many is told. */
  constructor(countMax: number, waitingMax: number, full: () => Error) {
    this.#countMax = countMax;
    this.#waitingMax = waitingMax;
    this.#full = full;
  }

  /** Runs `work` when it is its turn. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#count >= this.#countMax) {
      if (this.#waiting.length >= this.#waitingMax) throw this.#full();
      // Whoever ends hands its slot on, so the count stays.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#count++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#count--;
    }
  }
}
