/**
 * Which kind of work a meter shows, by the nearest of two centers: four features, each by its spread among the examples.
 * A feature that a meter does not hold (no memory traffic, no links) is left out of the distance. Nothing else is learned,
 * so that anybody can check a verdict by hand.
 */
import type { Metered } from "./meter-jobs.ts";

/** Logarithm of operations a byte of memory, and of link bytes an operation; variation of operations; use of the peak. */
export const FEATURES = ["memory", "links", "variation", "use"] as const;
export type Feature = (typeof FEATURES)[number];

/** In the order of `FEATURES`. */
export type Features = readonly (number | null)[];

interface Example {
  readonly training: boolean;
  readonly features: Features;
}

export interface Centers {
  readonly training: Features;
  readonly inference: Features;
  readonly spread: Features;
}

/** Windows without any work say nothing; of a meter without work there are no features. */
export function featuresOf({ windows, peakPerSecond }: Metered, windowSeconds: number): Features | undefined {
  const operations = windows.map((window) => window.operations);
  const total = sum(operations);
  if (total === 0) return undefined;
  const mean = total / operations.length;
  const variance = sum(operations.map((value) => (value - mean) ** 2)) / operations.length;
  return [
    logOf(total, sum(windows.map(({ memoryBytes }) => memoryBytes))),
    logOf(sum(windows.map(({ linkBytes }) => linkBytes)), total),
    Math.sqrt(variance) / mean,
    mean / (peakPerSecond * windowSeconds),
  ];
}

export function centersOf(examples: readonly Example[]): Centers {
  const of = (training: boolean) => examples.filter((example) => example.training === training);
  const mean = (from: readonly Example[]) =>
    eachFeature((index) => meanOf(from.map(({ features }) => features[index]!)));
  const centers = { training: mean(of(true)), inference: mean(of(false)) };
  const spread = eachFeature((index) => {
    const squares = examples.flatMap(({ training, features }) => {
      const center = (training ? centers.training : centers.inference)[index];
      const value = features[index];
      return value == null || center == null ? [] : [(value - center) ** 2];
    });
    return squares.length === 0 ? null : Math.sqrt(sum(squares) / squares.length);
  });
  return { ...centers, spread };
}

/** True for training. Looks at the features `used` alone; where it sees none of them it says inference. */
export function isTraining(
  features: Features,
  { training, inference, spread }: Centers,
  used: readonly Feature[],
): boolean {
  return distance(features, training, spread, used) < distance(features, inference, spread, used);
}

function distance(features: Features, center: Features, spread: Features, used: readonly Feature[]): number {
  let squares = 0;
  for (const feature of used) {
    const index = FEATURES.indexOf(feature);
    const [value, middle, width] = [features[index], center[index], spread[index]];
    if (value == null || middle == null || !width) continue;
    squares += ((value - middle) / width) ** 2;
  }
  return squares;
}

function eachFeature(make: (index: number) => number | null): Features {
  return FEATURES.map((_, index) => make(index));
}

function meanOf(values: readonly (number | null)[]): number | null {
  const there = values.filter((value) => value !== null);
  return there.length === 0 ? null : sum(there) / there.length;
}

function logOf(above: number, below: number): number | null {
  return above > 0 && below > 0 ? Math.log10(above / below) : null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
