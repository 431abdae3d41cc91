/**
 * One node of a cluster reports less than it did. Two ways to notice: the sum of all reports against what the verifier
 * estimates itself (by power, say), where the lie drowns among other nodes' noise; and spot audits of single reports,
 * each node in each round with probability a, which find a liar within r rounds with 1 - (1-a)^r however many nodes
 * there are.
 *
 * An audit opens one interval of a report by its Merkle-sum proof and compares it with what the auditor measured.
 */
import { type Static, Type } from "@sinclair/typebox";
import type { Random } from "../../sim-board/random.ts";
import type { Json, Study } from "../study.ts";
import { audited, honestReport, lyingReport, sumGapShare } from "./ledger.ts";
import { share, whole } from "./quantities.ts";
import { cellRandom, normal, trialCells, trialsOf, uniform } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    nodes: whole("Nodes whose reports are summed; one of them lies", 64, 1, 100_000),
    hiddenShare: share("Part of its work that the liar leaves out", 0.3),
    estimateNoiseShare: share("Deviation of the verifier's own estimate of one node's work, of that work", 0.1, 0, 1),
    auditShare: share("Probability with which a node is audited in a round", 0.05),
    rounds: whole("Rounds of reports", 10, 1, 1000),
    trials: whole("Clusters that are simulated", 20_000, 1000, 1e8),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Cell = {
  readonly trials: number;
  readonly deviation: number;
  readonly caught: number;
  readonly honestFailed: number;
};

const NAME = "under-reporting";
const EACH = 5000;

export const underReporting: Study<Parameters> = {
  name: NAME,
  title: "A node that reports less than it did",
  parameters: PARAMETERS,
  metrics: [
    {
      name: "sumGapShare",
      unit: "1",
      meaning: "What the sum of all reports lacks of all work, from a ledger of equal nodes.",
    },
    { name: "sumGapByFormula", unit: "1", meaning: "The same: hidden part / nodes." },
    {
      name: "sumDeviationSimulated",
      unit: "1",
      meaning: "Mean distance of the reported sum from the verifier's noisy estimate, of all work.",
    },
    { name: "sumDeviationByFormula", unit: "1", meaning: "The same: mean of the folded normal distribution." },
    { name: "sumDeviationHonest", unit: "1", meaning: "That distance where nobody lies: noise alone, by formula." },
    {
      name: "caughtSimulated",
      unit: "1",
      meaning: "Share of the trials in which an audit found the liar within all rounds.",
    },
    { name: "caughtByFormula", unit: "1", meaning: "The same: 1-(1-a)^r." },
    { name: "honestAuditsFailed", unit: "1", meaning: "Audits of an honest node that found something." },
  ],
  cells: ({ trials }) => trialCells(trials, EACH),
  run: (parameters, place): Json => {
    const trials = trialsOf(parameters.trials, place.cell, EACH);
    const random = cellRandom(NAME, place);
    const rounds = auditsOf(random.stream("ledger"), parameters);
    let deviation = 0;
    let caught = 0;
    for (let trial = 0; trial < trials; trial++) {
      deviation += Math.abs(sumDeviation(random, parameters));
      if (rounds.some((lieShows) => uniform(random) < parameters.auditShare && lieShows.liar)) caught++;
    }
    const honestFailed = rounds.filter(({ honest }) => honest).length;
    return { trials, deviation, caught, honestFailed };
  },
  merge: (parameters, cells) => {
    const { nodes, hiddenShare, estimateNoiseShare, auditShare, rounds } = parameters;
    const found = cells as readonly Cell[];
    const sum = (of: (cell: Cell) => number) => found.reduce((total, cell) => total + of(cell), 0);
    const trials = sum((cell) => cell.trials);
    const noise = estimateNoiseShare / Math.sqrt(nodes);
    return {
      measures: {
        sumGapShare: sumGapShare(nodes, hiddenShare),
        sumGapByFormula: hiddenShare / nodes,
        sumDeviationSimulated: sum((cell) => cell.deviation) / trials,
        sumDeviationByFormula: foldedMean(hiddenShare / nodes, noise),
        sumDeviationHonest: foldedMean(0, noise),
        caughtSimulated: sum((cell) => cell.caught) / trials,
        caughtByFormula: 1 - (1 - auditShare) ** rounds,
        honestAuditsFailed: sum((cell) => cell.honestFailed),
      },
    };
  },
  estimate: ({ trials, nodes, rounds }) => ({
    boards: 0,
    events: trials * (nodes + rounds),
    cpuSeconds: trials * (nodes * 6e-8 + rounds * 1e-8),
    bytesResident: rounds * 4096,
  }),
};

/** What an audit of each round would show of the liar and of an honest node: their reports with their proofs are made. */
function auditsOf(random: Random, { rounds, hiddenShare }: Parameters): { liar: boolean; honest: boolean }[] {
  return Array.from({ length: rounds }, () => ({
    liar: audited(lyingReport(random, hiddenShare), random),
    honest: audited(honestReport(random), random),
  }));
}

/** Estimate less reports, of all work: the lie, and the mean of every node's noise. */
function sumDeviation(random: Random, { nodes, hiddenShare, estimateNoiseShare }: Parameters): number {
  let noise = 0;
  for (let node = 0; node < nodes; node++) noise += normal(random);
  return (hiddenShare + estimateNoiseShare * noise) / nodes;
}

/** Mean of |X| for a normal X: s √(2/π) e^(-m²/2s²) + m erf(m / s√2). */
function foldedMean(mean: number, deviation: number): number {
  if (deviation === 0) return Math.abs(mean);
  const far = mean / deviation;
  return deviation * Math.sqrt(2 / Math.PI) * Math.exp((-far * far) / 2) + mean * erf(far / Math.SQRT2);
}

/** Abramowitz and Stegun, 7.1.26: within 1.5e-7, for x >= 0. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return 1 - series * Math.exp(-x * x);
}
