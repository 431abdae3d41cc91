/** The random number generator: seeded here, so that runs replay. Its fault is the worst one: it sticks. */
import type { Random } from "../random.ts";

export type TrngSnapshot = { random: readonly number[]; stuckAt: number | undefined };

export class Trng {
  readonly #random: Random;
  /** Fault: every byte comes out as this one. */
  stuckAt: number | undefined = undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  fill(destination: Uint8Array): void {
    if (this.stuckAt === undefined) this.#random.fill(destination);
    else destination.fill(this.stuckAt);
  }

  /** What is random about it comes from here from now on. */
  reseed(random: Random): void {
    this.#random.restore(random.snapshot());
  }

  snapshot(): TrngSnapshot {
    return { random: this.#random.snapshot(), stuckAt: this.stuckAt };
  }

  restore(snapshot: TrngSnapshot): void {
    this.#random.restore(snapshot.random);
    this.stuckAt = snapshot.stuckAt;
  }
}
