/** Signals that end a program, held back until what it started is cleaned up. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A signal came: the story ends here. */
class Interrupted extends Error {
  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.name = "Interrupted";
  }
}

export class Interrupts {
  #came: NodeJS.Signals | undefined;
  readonly #note = (signal: NodeJS.Signals) => {
    this.#came ??= signal;
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#note);
  }

  /** Throws if a signal came. Seen after a turn of the event loop only. */
  check(): void {
    if (this.#came) throw new Interrupted(this.#came);
  }

  /** From here on signals do what they ever did; one that came meanwhile does it now. */
  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#note);
    if (this.#came) process.kill(process.pid, this.#came);
  }
}
