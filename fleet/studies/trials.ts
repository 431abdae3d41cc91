/**
 * Repeated trials: how many of them a cell makes, what it draws, and what is read off the results. V8 computes `log`,
 * `exp` and `cos` in software, so they are the same on every machine.
 */
import { Random } from "../../sim-board/random.ts";
import type { CellPlace } from "../study.ts";

/** Trials that one cell makes: enough to be worth a worker's while, and for a quantile with little bias. */
export const CELL_TRIALS = 20_000;

export function trialCells(trials: number, each = CELL_TRIALS): number {
  return Math.ceil(trials / each);
}

/** Trials of one cell; the last one has what is left. */
export function trialsOf(trials: number, cell: number, each = CELL_TRIALS): number {
  return Math.min(each, trials - cell * each);
}

/** Everything random in a cell comes from here. */
export function cellRandom(study: string, place: CellPlace): Random {
  return new Random(place.seed).stream(`${study}/cell ${place.cell}`);
}

/** 0 up to but not 1, 53 bits. */
export function uniform(random: Random): number {
  return ((random.u32() >>> 5) * 2 ** 26 + (random.u32() >>> 6)) / 2 ** 53;
}

/** Of mean 1. */
export function exponential(random: Random): number {
  return -Math.log(1 - uniform(random));
}

/** Of mean 0 and deviation 1 (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * uniform(random));
}

/** The least of `values` that a share `p` of them does not exceed; sorts them in place. */
export function quantile(values: Float64Array, p: number): number {
  values.sort();
  return values[Math.min(values.length - 1, Math.max(0, Math.ceil(p * values.length) - 1))]!;
}

/** Mean of what cells found, each by its trials; in their order, so that the sum is the same everywhere. */
export function weightedMean(cells: readonly { readonly trials: number; readonly value: number }[]): number {
  let sum = 0;
  let trials = 0;
  for (const cell of cells) {
    sum += cell.value * cell.trials;
    trials += cell.trials;
  }
  return sum / trials;
}
