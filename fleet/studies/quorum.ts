/**
 * k of n parties license. The fewer it takes, the more of them may be out of reach before an honest fleet stands still;
 * and the fewer keys a thief needs. Parties fail and are robbed independently, or all at once with a common cause (one
 * cloud, one library, one vendor of key stores), which no quorum mends.
 */
import { type Static, Type } from "@sinclair/typebox";
import type { Random } from "../../sim-board/random.ts";
import type { Json, Study } from "../study.ts";
import { share, whole } from "./quantities.ts";
import { CELL_TRIALS, cellRandom, trialCells, trialsOf, uniform } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    parties: whole("n: parties of the agreement that may license", 5, 1, 64),
    needed: whole("k: how many of them a license takes; at most n count", 2, 1, 64),
    unavailableShare: share("Probability that a party is out of reach when a license is due", 0.05),
    stolenShare: share("Probability that a party's key is stolen and not yet replaced", 0.05),
    commonOutageShare: share("Probability that all are out of reach together", 0),
    commonTheftShare: share("Probability that all keys are stolen together", 0),
    trials: whole("Moments that are simulated", 400_000, 1000, 1e9),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Cell = { readonly trials: number; readonly licensed: number; readonly robbed: number };

const NAME = "quorum";
const YEAR_HOURS = 8760;

export const quorum: Study<Parameters> = {
  name: NAME,
  title: "How many parties a license should take",
  parameters: PARAMETERS,
  metrics: [
    {
      name: "availabilityByFormula",
      unit: "1",
      meaning: "Probability that a license can be had: k of n within reach.",
    },
    { name: "availabilitySimulated", unit: "1", meaning: "The same, share of the trials." },
    { name: "stoppedHoursPerYear", unit: "h", meaning: "Hours of a year in which no license can be had, by formula." },
    { name: "theftByFormula", unit: "1", meaning: "Probability that a thief can license: k of n keys stolen." },
    { name: "theftSimulated", unit: "1", meaning: "The same, share of the trials." },
    { name: "keysToBlock", unit: "1", meaning: "Parties whose refusal stops all licenses: n - k + 1." },
  ],
  cells: ({ trials }) => trialCells(trials),
  run: (parameters, place): Json => {
    const { unavailableShare, stolenShare, commonOutageShare, commonTheftShare } = parameters;
    const { parties } = parameters;
    const needed = Math.min(parameters.needed, parties);
    const trials = trialsOf(parameters.trials, place.cell);
    const random = cellRandom(NAME, place);
    let licensed = 0;
    let robbed = 0;
    for (let trial = 0; trial < trials; trial++) {
      if (parties - struck(random, parties, unavailableShare, commonOutageShare) >= needed) licensed++;
      if (struck(random, parties, stolenShare, commonTheftShare) >= needed) robbed++;
    }
    return { trials, licensed, robbed };
  },
  merge: (parameters, cells) => {
    const { parties, unavailableShare, stolenShare, commonOutageShare, commonTheftShare } = parameters;
    const needed = Math.min(parameters.needed, parties);
    const found = cells as readonly Cell[];
    const trials = found.reduce((sum, cell) => sum + cell.trials, 0);
    const availability = (1 - commonOutageShare) * atLeast(needed, parties, 1 - unavailableShare);
    return {
      measures: {
        availabilityByFormula: availability,
        availabilitySimulated: found.reduce((sum, cell) => sum + cell.licensed, 0) / trials,
        stoppedHoursPerYear: (1 - availability) * YEAR_HOURS,
        theftByFormula: commonTheftShare + (1 - commonTheftShare) * atLeast(needed, parties, stolenShare),
        theftSimulated: found.reduce((sum, cell) => sum + cell.robbed, 0) / trials,
        keysToBlock: parties - needed + 1,
      },
    };
  },
  estimate: ({ trials, parties }) => ({
    boards: 0,
    events: 2 * trials * parties,
    cpuSeconds: trials * parties * 3e-8,
    bytesResident: CELL_TRIALS,
  }),
};

/** How many of the parties it hits, each by itself or all together. */
function struck(random: Random, parties: number, each: number, all: number): number {
  if (all > 0 && uniform(random) < all) return parties;
  let count = 0;
  for (let party = 0; party < parties; party++) if (uniform(random) < each) count++;
  return count;
}

/** P(X >= k) for a binomial X of n with p. */
function atLeast(k: number, n: number, p: number): number {
  let sum = 0;
  let choose = 1;
  for (let i = 0; i <= n; i++) {
    if (i >= k) sum += choose * p ** i * (1 - p) ** (n - i);
    choose = (choose * (n - i)) / (i + 1);
  }
  return Math.min(1, sum);
}
