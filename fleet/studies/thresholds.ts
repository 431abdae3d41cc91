/**
 * A run crosses a threshold of operations, or a cluster grows past an agreement's number of chips: when do the signed
 * reports show it? Every board reports its meter once in a period, each at its own time, and reports take a while. What
 * the reports lack is the work since each board's last one; whoever hides a part of the work stretches the whole time
 * until the threshold by it.
 */
import { type Static, Type } from "@sinclair/typebox";
import { COUNTING_RULES, countedOperations } from "../../host/policy/counting.ts";
import type { Random } from "../../sim-board/random.ts";
import { builtinWorkload, listWorkloads } from "../../sim-board/workloads/builtin.ts";
import type { Json, Study } from "../study.ts";
import { DAY_SECONDS, quantity, share, whole } from "./quantities.ts";
import { cellRandom, uniform } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    workload: Type.Union(
      listWorkloads().map(({ name }) => Type.Literal(name)),
      { description: "Built-in workload that every board does a share of, on and on", default: "llama405b-frontier" },
    ),
    boards: whole("Boards that do it", 16_384, 1, 2_000_000),
    thresholdOperations: quantity("Operations that a run may take", 1e25, 1, 1e32),
    countingRule: Type.Union(
      COUNTING_RULES.map((rule) => Type.Literal(rule)),
      { description: "How operations of different data types count", default: "native" },
    ),
    reportSeconds: quantity("Time between two reports of a board", 3600, 1, 1e8),
    deliverySecondsMax: quantity("How long a report is on its way, at most; evenly from 0", 600, 0, 1e7),
    hiddenShare: share("Part of the work that reports leave out", 0, 0, 0.99),
    chipsMax: whole("Chips that a cluster may have", 16, 1, 1_000_000),
    chipsAddedPerDay: quantity("Chips by which the cluster grows in a day, from none", 100, 0.001, 1e7),
    silentShare: share("Part of the chips that never report", 0, 0, 0.99),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Cell = { readonly seenSeconds: number; readonly chipsSeenSeconds: number };

const NAME = "thresholds";

export const thresholds: Study<Parameters> = {
  name: NAME,
  title: "When reports show that a threshold is crossed",
  parameters: PARAMETERS,
  metrics: [
    {
      name: "operationsPerSecond",
      unit: "ops/s",
      meaning: "Counted operations of all boards in a second, stops included.",
    },
    { name: "crossedDays", unit: "d", meaning: "From the run's start until the threshold is crossed." },
    { name: "seenDays", unit: "d", meaning: "Until the sum of all reports has crossed it." },
    { name: "seenLateSeconds", unit: "s", meaning: "What lies between the two." },
    {
      name: "seenLateSecondsByFormula",
      unit: "s",
      meaning: "The same: half a period and half the longest delivery, and h/(1-h) of the time until the crossing.",
    },
    {
      name: "operationsBeyondShare",
      unit: "1",
      meaning: "Operations done beyond the threshold when it is seen, of it.",
    },
    { name: "chipsOverDays", unit: "d", meaning: "From the first chip until the cluster has one more than allowed." },
    { name: "chipsSeenDays", unit: "d", meaning: "Until one more than allowed have reported." },
    { name: "chipsAtSight", unit: "boards", meaning: "Chips that the cluster then has." },
  ],
  cells: () => 1,
  run: (parameters, place): Json => {
    const random = cellRandom(NAME, place);
    const { boards, reportSeconds, deliverySecondsMax } = parameters;
    const phases = Float64Array.from({ length: boards }, () => uniform(random) * reportSeconds);
    const deliveries = Float64Array.from({ length: boards }, () => uniform(random) * deliverySecondsMax);
    const seenSeconds = crossing(parameters, phases, deliveries);
    return { seenSeconds, chipsSeenSeconds: chipsSeen(parameters, random) };
  },
  merge: (parameters, cells) => {
    const { seenSeconds, chipsSeenSeconds } = cells[0] as Cell;
    const { thresholdOperations, reportSeconds, deliverySecondsMax, hiddenShare, chipsMax, chipsAddedPerDay } =
      parameters;
    const rate = fleetRate(parameters);
    const crossedSeconds = thresholdOperations / rate;
    return {
      measures: {
        operationsPerSecond: rate,
        crossedDays: crossedSeconds / DAY_SECONDS,
        seenDays: seenSeconds / DAY_SECONDS,
        seenLateSeconds: seenSeconds - crossedSeconds,
        seenLateSecondsByFormula:
          (reportSeconds + deliverySecondsMax) / 2 + (crossedSeconds * hiddenShare) / (1 - hiddenShare),
        operationsBeyondShare: (seenSeconds * rate) / thresholdOperations - 1,
        chipsOverDays: chipsMax / chipsAddedPerDay,
        chipsSeenDays: chipsSeenSeconds / DAY_SECONDS,
        chipsAtSight: Math.floor((chipsSeenSeconds / DAY_SECONDS) * chipsAddedPerDay) + 1,
      },
    };
  },
  estimate: ({ boards, chipsMax }) => {
    const events = boards * HALVINGS + chipsMax;
    return { boards: 0, events, cpuSeconds: events * 2e-8, bytesResident: boards * 16 };
  },
};

const HALVINGS = 100;

/** Of all boards; a board's is that of the whole workload as it is played by default, pauses and all. */
function fleetRate({ workload, boards, countingRule }: Parameters): number {
  const { work, durationSeconds, recorded } = builtinWorkload(workload).totals;
  // Where requests leave gaps, the hour counts and not the time at work.
  const seconds = Math.max(durationSeconds, lastStart(workload, recorded.requests));
  return (Number(countedOperations(work, countingRule)) / seconds) * boards;
}

function lastStart(workload: string, requests: number | undefined): number {
  if (requests === undefined) return 0;
  let last = 0;
  for (const { startSeconds } of builtinWorkload(workload).phases()) last = Math.max(last, startSeconds ?? 0);
  return last;
}

/** When the sum of what reports told crosses the threshold: it only grows, so the time is found by halving. */
function crossing(parameters: Parameters, phases: Float64Array, deliveries: Float64Array): number {
  const { thresholdOperations, reportSeconds, hiddenShare, boards } = parameters;
  const told = (fleetRate(parameters) / boards) * (1 - hiddenShare);
  const reached = (seconds: number) => {
    let sum = 0;
    for (let board = 0; board < boards; board++) {
      const since = seconds - deliveries[board]! - phases[board]!;
      if (since >= 0) sum += told * (phases[board]! + Math.floor(since / reportSeconds) * reportSeconds);
    }
    return sum >= thresholdOperations;
  };
  let low = 0;
  let high = thresholdOperations / (told * boards) + 2 * (reportSeconds + parameters.deliverySecondsMax);
  for (let halving = 0; halving < HALVINGS && high - low > 1e-3; halving++) {
    const middle = (low + high) / 2;
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** When one chip more than allowed has reported. A chip's first report comes up to a period after it starts. */
function chipsSeen(parameters: Parameters, random: Random): number {
  const { chipsMax, chipsAddedPerDay, silentShare, reportSeconds, deliverySecondsMax } = parameters;
  const reports: number[] = [];
  let lastSeconds = Number.POSITIVE_INFINITY;
  for (let chip = 0; ; chip++) {
    const startSeconds = (chip / chipsAddedPerDay) * DAY_SECONDS;
    // Whoever starts when enough have reported cannot be among them.
    if (startSeconds > lastSeconds) break;
    if (uniform(random) < silentShare) continue;
    reports.push(startSeconds + uniform(random) * reportSeconds + uniform(random) * deliverySecondsMax);
    if (reports.length === chipsMax + 1) lastSeconds = reports.reduce((most, at) => Math.max(most, at), 0);
  }
  return reports.sort((a, b) => a - b)[chipsMax]!;
}
