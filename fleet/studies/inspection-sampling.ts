/**
 * How many snapshots of chips a year find a training run? After Y. Shavit, "What does it take to catch a Chinchilla?",
 * arXiv 2303.11341. The run fills a part x of all chip-time of the year. Two ways to sample:
 *
 * - the inspector takes n snapshots, each of a random chip at a random time: one hits with x, all miss with (1-x)^n, so
 *   n = ln(1-p) / ln(1-x);
 * - each chip takes its own at random times, n a year over all chips in the mean: none falls in the run with e^(-nx), so
 *   n = -ln(1-p) / x.
 *
 * The paper's table follows the second; they part where the run is a large part of the chip-time.
 */
import { type Static, Type } from "@sinclair/typebox";
import type { Json, Study } from "../study.ts";
import { quantity, share, whole, YEAR_SECONDS } from "./quantities.ts";
import { CELL_TRIALS, cellRandom, exponential, quantile, trialCells, trialsOf, weightedMean } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    chips: whole("Chips that snapshots are taken from, the run's among them", 1000, 1, 1e9),
    runOperations: quantity("Operations of the training run that is to be found", 3.15e23, 1e12, 1e32),
    chipOperationsPerSecond: quantity("What one chip does of the run in a second", 1.054e15, 1e6, 1e20),
    windowSeconds: quantity("How long snapshots are taken; the run lies within it", YEAR_SECONDS, 3600, 1e10),
    detectionProbability: share("With which probability at least one snapshot is to be of the run", 0.9, 0.01, 0.9999),
    trials: whole("Windows that are simulated", 200_000, 1000, 1e9),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

/** Samples after which the asked-for share of the cell's trials had found the run. */
type Cell = { readonly trials: number; readonly inspector: number; readonly chips: number };

const NAME = "inspection-sampling";

export const inspectionSampling: Study<Parameters> = {
  name: NAME,
  title: "Snapshots of chips that find a training run",
  parameters: PARAMETERS,
  metrics: [
    { name: "runShare", unit: "1", meaning: "Part of all chip-time of the window that the run takes." },
    {
      name: "samplesByTableFormula",
      unit: "1",
      meaning: "-ln(1-p)/x: snapshots in a window, in the mean, where each chip takes its own at random times.",
    },
    {
      name: "samplesByPrintedFormula",
      unit: "1",
      meaning: "ln(1-p)/ln(1-x): snapshots where an inspector takes exactly so many.",
    },
    {
      name: "samplesByChipsSimulated",
      unit: "1",
      meaning: "The first, simulated: snapshots in a window at which a share p of the trials had found the run.",
    },
    {
      name: "samplesByInspectorSimulated",
      unit: "1",
      meaning: "The second, simulated: snapshots after which a share p of the trials had found the run.",
    },
  ],
  cells: ({ trials }) => trialCells(trials),
  run: (parameters, place): Json => {
    const x = runShare(parameters);
    const trials = trialsOf(parameters.trials, place.cell);
    const random = cellRandom(NAME, place);
    const chips = new Float64Array(trials);
    const inspector = new Float64Array(trials);
    for (let trial = 0; trial < trials; trial++) {
      // With n snapshots a window the run's chips take n x while it lasts: the first one is in time from this n on.
      chips[trial] = exponential(random) / x;
      // Misses before the first hit, skipped at once: drawing them one by one gives the same law.
      inspector[trial] = x >= 1 ? 1 : Math.floor(exponential(random) / -Math.log1p(-x)) + 1;
    }
    const p = parameters.detectionProbability;
    return { trials, inspector: quantile(inspector, p), chips: quantile(chips, p) };
  },
  merge: (parameters, cells) => {
    const x = runShare(parameters);
    const toMiss = Math.log1p(-parameters.detectionProbability);
    const found = cells as readonly Cell[];
    return {
      measures: {
        runShare: x,
        samplesByTableFormula: -toMiss / x,
        samplesByPrintedFormula: x >= 1 ? 1 : toMiss / Math.log1p(-x),
        samplesByChipsSimulated: weightedMean(found.map(({ trials, chips }) => ({ trials, value: chips }))),
        samplesByInspectorSimulated: weightedMean(found.map(({ trials, inspector }) => ({ trials, value: inspector }))),
      },
    };
  },
  estimate: ({ trials }) => ({
    boards: 0,
    events: 2 * trials,
    cpuSeconds: trials * 4e-7,
    bytesResident: CELL_TRIALS * 16,
  }),
};

/** At most 1: a run that needs more chip-time than the window has fills it. */
function runShare({ runOperations, chipOperationsPerSecond, chips, windowSeconds }: Parameters): number {
  return Math.min(1, runOperations / chipOperationsPerSecond / (chips * windowSeconds));
}
