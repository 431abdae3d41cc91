/**
 * A monotonic counter that survives power loss and has a finite life.
 *
 * Microchip ATECC608B, "Counter command": 0 to 2,097,151, an attempt to count beyond is an error, no count is ever lost;
 * "in some power loss conditions, the counter may increment by a value of more than one". At one step a minute its life
 * is 4.0 years.
 */
import { BoardError, PowerCut } from "../errors.ts";
import type { Supply } from "./supply.ts";

export const COUNTER_PART = { name: "Microchip ATECC608B", lifeSteps: 2_097_151 } as const;

export class Counter {
  readonly lifeSteps: number;
  /** Fault: how many steps a step makes that power cuts short. */
  stepsWhenCut: 0 | 1 | 2 = 0;
  readonly #supply: Supply;
  #value = 0;

  constructor(options: { lifeSteps?: number; supply: Supply }) {
    this.lifeSteps = options.lifeSteps ?? COUNTER_PART.lifeSteps;
    if (!Number.isInteger(this.lifeSteps) || this.lifeSteps < 1 || this.lifeSteps > 0xffffffff) {
      throw new BoardError("board/option", `a counter with a life of ${this.lifeSteps} steps`);
    }
    this.#supply = options.supply;
  }

  read(): number {
    return this.#value;
  }

  /** @throws BoardError at the end of life: it never wraps. */
  step(): void {
    if (this.#value >= this.lifeSteps) {
      throw new BoardError("counter/worn-out", `the counter has made all its ${this.lifeSteps} steps`);
    }
    if (this.#supply.failsNow("counter step")) {
      this.#value = Math.min(this.#value + this.stepsWhenCut, this.lifeSteps);
      throw new PowerCut("counter step");
    }
    this.#value++;
  }

  snapshot(): number {
    return this.#value;
  }

  restore(value: number): void {
    this.#value = value;
  }
}
