/** Values of options, checked where they are read: a number that is none is wrong use, in one line. */
import { InvalidArgumentError } from "commander";

/** Largest seed: every one is an exact number in JSON. */
const SEED_MAX = Number.MAX_SAFE_INTEGER;
export const DEFAULT_SEED = 1;
const STEPS_MAX = 1_000_000;
/** In one process, in real time. */
const BOARDS_MAX = 256;
const RANKS_MAX = 1_000_000;
const TICK_HZ_MAX = 1_000_000;
const SPEED_MIN = 0.1;
const SPEED_MAX = 1_000;

export function seedOption(text: string): number {
  return wholeNumber(text, 0, SEED_MAX);
}

export function stepsOption(text: string): number {
  return wholeNumber(text, 1, STEPS_MAX);
}

/** Boards of a recorded job. */
export function ranksOption(text: string): number {
  return wholeNumber(text, 1, RANKS_MAX);
}

export function boardsOption(text: string): number {
  return wholeNumber(text, 1, BOARDS_MAX);
}

export function tickHzOption(text: string): number {
  return wholeNumber(text, 1, TICK_HZ_MAX);
}

export function speedOption(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+(?:\.[0-9]+)?$/.test(text) || value < SPEED_MIN || value > SPEED_MAX) {
    throw new InvalidArgumentError(`It must be a number from ${SPEED_MIN} to ${SPEED_MAX}.`);
  }
  return value;
}

function wholeNumber(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < min || value > max) {
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  }
  return value;
}
