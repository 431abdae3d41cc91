/** Tamper sensors, one bit each. They latch, also while the board is without power, and nothing unlatches them. */
import { BoardError } from "../errors.ts";

export class Tamper {
  #latched = 0;

  read(): number {
    return this.#latched;
  }

  /** A sensor fires. */
  trip(bits: number): void {
    if (!Number.isInteger(bits) || bits <= 0 || bits > 0xffffffff) {
      throw new BoardError("board/option", `tamper bits ${bits}: 32 sensors, at least one must fire`);
    }
    this.#latched = (this.#latched | bits) >>> 0;
  }

  snapshot(): number {
    return this.#latched;
  }

  restore(latched: number): void {
    this.#latched = latched;
  }
}
