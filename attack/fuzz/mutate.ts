/** Makes inputs of inputs: other steps, other signers, other bytes; some of it knows CBOR, some does not. */
import type { Random } from "../../sim-board/random.ts";
import { type Deed, type Input, type Sending, type Splice, STEPS_MAX, type Step, spliced } from "./input.ts";
import { changeBytes, changeItem } from "./items.ts";
import { OBJECT_NAMES, SIGNED } from "./objects.ts";
import { START_NAMES } from "./starts.ts";

/** An input worth keeping, and what it cost: turns of loops. */
export type Kept = { input: Input; cost: number };

/** What an object is like at a start; without a payload for what nobody signs. */
export type Sample = { payload?: Uint8Array; message: Uint8Array };

const SPLICES_MAX = 8;
/** Around slices, leases, drains and licenses of the rig's agreement, and far beyond all of them. */
const TICKS = [0, 1, 500, 1000, 9000, 29_999, 30_000, 60_000, 120_000, 300_000, 301_000, 450_000, 7_200_000, 2 ** 31];
const DEEDS: readonly Deed[] = ["creditLow", "work", "work", "power"];
/** Of so many of the corpus, the one that costs least is changed. */
const PICKS = 3;

export class Mutator {
  readonly #random: Random;
  readonly #sampleOf: (start: string, object: string) => Sample;

  constructor(random: Random, sampleOf: (start: string, object: string) => Sample) {
    this.#random = random;
    this.#sampleOf = sampleOf;
  }

  /** One of the corpus, changed; most often little. */
  next(corpus: readonly Kept[]): Input {
    let input = this.#pick(corpus);
    do input = this.#changed(input, corpus);
    while (this.#chance(2));
    return input;
  }

  #pick(corpus: readonly Kept[]): Input {
    const picked = Array.from({ length: PICKS }, () => this.#oneOf(corpus));
    return picked.reduce((least, kept) => (kept.cost < least.cost ? kept : least)).input;
  }

  #changed(input: Input, corpus: readonly Kept[]): Input {
    const { start, steps } = input;
    const at = this.#random.below(steps.length);
    switch (this.#random.below(12)) {
      case 0:
        return { start, steps: [...steps.slice(0, at), this.#freshStep(), ...steps.slice(at)].slice(0, STEPS_MAX) };
      case 1:
        return { start, steps: [...steps, this.#freshStep()].slice(-STEPS_MAX) };
      case 2:
      case 3:
        return { start, steps: steps.length > 1 ? steps.toSpliced(at, 1) : [this.#freshStep()] };
      case 4: {
        const other = this.#pick(corpus).steps;
        const mixed = [...steps.slice(0, at + 1), ...other.slice(this.#random.below(other.length))];
        return { start, steps: mixed.slice(0, STEPS_MAX) };
      }
      case 5:
        return { start: this.#oneOf(START_NAMES), steps };
      default:
        return { start, steps: steps.with(at, this.#changedStep(steps[at]!, start)) };
    }
  }

  #freshStep(): Step {
    if (this.#chance(4)) return { ticks: this.#oneOf(TICKS) };
    if (this.#chance(4)) return { deed: this.#oneOf(DEEDS) };
    return { object: this.#oneOf(OBJECT_NAMES), splices: [] };
  }

  #changedStep(step: Step, start: string): Step {
    if ("ticks" in step) return { ticks: this.#oneOf(TICKS) };
    if ("deed" in step) return this.#freshStep();
    if (this.#chance(8)) return { ...step, object: this.#oneOf(OBJECT_NAMES) };
    const kind = SIGNED[step.object];
    if (kind && this.#chance(8)) return { ...step, signers: this.#random.below(64) };
    if (step.splices.length > 0 && this.#chance(4)) {
      return { ...step, splices: step.splices.toSpliced(this.#random.below(step.splices.length), 1) };
    }
    return { ...step, splices: [...step.splices, ...this.#splices(step, start)].slice(-SPLICES_MAX) };
  }

  /** In what is signed more often than in what is sent: a signature that does not hold ends most of it. */
  #splices({ object, splices }: Sending, start: string): Splice[] {
    const { payload, message } = this.#sampleOf(start, object);
    const where = payload && this.#random.below(4) > 0 ? "payload" : "message";
    const bytes = spliced(where === "payload" ? payload! : message, splices, where);
    const change = this.#chance(4) ? changeBytes : changeItem;
    return change(bytes, this.#random).map((cut) => ({ in: where, ...cut }));
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)]!;
  }

  /** One in so many. */
  #chance(many: number): boolean {
    return this.#random.below(many) === 0;
  }
}
