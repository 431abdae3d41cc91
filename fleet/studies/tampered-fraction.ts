/**
 * A part of a fleet is tampered with, and inspectors open boards at random: how many until one is found, and what do the
 * tampered ones compute meanwhile? With replacement (the inspector forgets) n = ln(1-p) / ln(1-f); without, all n miss
 * with C(N-K, n) / C(N, n).
 *
 * Until the first find K boards run on for 1/f inspections in the mean: what leaks is the work of the whole fleet
 * between two inspections, times the boards of the fleet over all, however many are tampered with: K × 1/f = N.
 */
import { type Static, Type } from "@sinclair/typebox";
import type { Random } from "../../sim-board/random.ts";
import type { Json, Study } from "../study.ts";
import { DAY_SECONDS, quantity, share, whole } from "./quantities.ts";
import { cellRandom, quantile, trialCells, trialsOf, weightedMean } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    boards: whole("Boards of the fleet", 100_000, 2, 1e8),
    tamperedShare: share("Part of them that is tampered with; at least one board is", 0.01, 1e-6, 0.5),
    detectionProbability: share("With which probability one is to be found", 0.9, 0.01, 0.999),
    inspectionsPerDay: quantity("Boards that are opened in a day, one after the other", 100, 0.001, 1e7),
    boardOperationsPerSecond: quantity("What a tampered board computes unseen in a second", 1e15, 1, 1e20),
    trials: whole("Series of inspections that are simulated", 20_000, 1000, 1e8),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Kept = { readonly needed: number; readonly mean: number };
type Cell = { readonly trials: number; readonly forgetful: Kept; readonly remembering: Kept };

const NAME = "tampered-fraction";
/** A trial of one tampered board in a thousand takes a thousand draws. */
const EACH = 4000;

export const tamperedFraction: Study<Parameters> = {
  name: NAME,
  title: "Inspections that find a tampered board",
  parameters: PARAMETERS,
  metrics: [
    { name: "inspectionsByFormula", unit: "1", meaning: "Boards to open to find one with p, any of them twice." },
    { name: "inspectionsWithoutReplacementByFormula", unit: "1", meaning: "The same, no board twice." },
    { name: "inspectionsSimulated", unit: "1", meaning: "Boards opened until a share p of the trials had found one." },
    { name: "inspectionsWithoutReplacementSimulated", unit: "1", meaning: "The same, no board twice." },
    { name: "inspectionsMeanSimulated", unit: "1", meaning: "Boards opened in the mean until one is found." },
    {
      name: "leakOperationsByFormula",
      unit: "ops",
      meaning: "Work of all tampered boards until the first find: N/day.",
    },
    { name: "leakOperationsMean", unit: "ops", meaning: "The same, mean of the trials." },
    { name: "leakDaysAtDetection", unit: "d", meaning: "Days of inspections until a share p of the trials found one." },
  ],
  cells: ({ trials }) => trialCells(trials, EACH),
  run: (parameters, place): Json => {
    const trials = trialsOf(parameters.trials, place.cell, EACH);
    const random = cellRandom(NAME, place);
    const { boards, detectionProbability } = parameters;
    const tampered = tamperedBoards(parameters);
    const series = (remembers: boolean): Kept => {
      const needed = Float64Array.from({ length: trials }, () => openUntilFound(random, boards, tampered, remembers));
      const mean = needed.reduce((sum, count) => sum + count, 0) / trials;
      return { needed: quantile(needed, detectionProbability), mean };
    };
    return { trials, forgetful: series(false), remembering: series(true) };
  },
  merge: (parameters, cells) => {
    const { boards, detectionProbability: p, inspectionsPerDay, boardOperationsPerSecond } = parameters;
    const tampered = tamperedBoards(parameters);
    const found = cells as readonly Cell[];
    const mean = (of: (cell: Cell) => number) =>
      weightedMean(found.map((cell) => ({ trials: cell.trials, value: of(cell) })));
    const needed = mean(({ forgetful }) => forgetful.needed);
    const until = mean(({ forgetful }) => forgetful.mean);
    const workPerInspection = (boardOperationsPerSecond * DAY_SECONDS) / inspectionsPerDay;
    return {
      measures: {
        inspectionsByFormula: Math.ceil(Math.log1p(-p) / Math.log1p(-tampered / boards)),
        inspectionsWithoutReplacementByFormula: withoutReplacement(boards, tampered, p),
        inspectionsSimulated: needed,
        inspectionsWithoutReplacementSimulated: mean(({ remembering }) => remembering.needed),
        inspectionsMeanSimulated: until,
        leakOperationsByFormula: boards * workPerInspection,
        leakOperationsMean: tampered * until * workPerInspection,
        leakDaysAtDetection: needed / inspectionsPerDay,
      },
    };
  },
  estimate: (parameters) => {
    const draws = (2 * parameters.trials * parameters.boards) / tamperedBoards(parameters);
    return { boards: 0, events: draws, cpuSeconds: draws * 1.2e-8, bytesResident: EACH * 16 };
  },
};

function tamperedBoards({ boards, tamperedShare }: Parameters): number {
  return Math.max(1, Math.round(boards * tamperedShare));
}

/** Which boards are tampered with makes no difference: the inspector does not know either. */
function openUntilFound(random: Random, boards: number, tampered: number, remembers: boolean): number {
  for (let opened = 1; ; opened++) {
    const left = remembers ? boards - opened + 1 : boards;
    if (random.below(left) < tampered) return opened;
  }
}

/** The least n with 1 - C(N-K, n) / C(N, n) >= p. */
function withoutReplacement(boards: number, tampered: number, p: number): number {
  let missed = 1;
  for (let opened = 1; opened <= boards - tampered; opened++) {
    missed *= (boards - tampered - opened + 1) / (boards - opened + 1);
    if (1 - missed >= p) return opened;
  }
  return boards - tampered + 1;
}
