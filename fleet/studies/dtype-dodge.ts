/**
 * An operator computes in one data type and declares another. Four meters look on: one takes time, the declared type's
 * peak and a utilization that it assumes; one sees for how long the units are busy and believes the declared type; and
 * the counters of each engine class, as a governor's signed report holds them, are summed with each operation as one
 * (native), by width alone (FP16-equivalent), and by whichever of the two is higher (host/policy/counting.ts).
 */
import { type Static, Type } from "@sinclair/typebox";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { countedOperations, operandBits, REFERENCE_BITS } from "../../host/policy/counting.ts";
import { ACCELERATORS, type Accelerator, accelerator, peakPerSecond } from "../../sim-board/accelerators.ts";
import type { Random } from "../../sim-board/random.ts";
import { builtinWorkload, listWorkloads } from "../../sim-board/workloads/builtin.ts";
import { operationsOf, type Work } from "../../sim-board/workloads/types.ts";
import { LOAD_CLASSES, loadClassOf } from "../actors/terms.ts";
import type { Json, Study } from "../study.ts";
import { quantity, share, whole } from "./quantities.ts";
import { cellRandom } from "./trials.ts";

const dataType = (description: string) =>
  Type.Union(
    LOAD_CLASSES.map((name) => Type.Literal(name)),
    { description, default: "bf16" },
  );

const PARAMETERS = Type.Object(
  {
    workload: Type.Union(
      listWorkloads().map(({ name }) => Type.Literal(name)),
      { description: "Built-in workload whose board is metered", default: "llama405b-train" },
    ),
    accelerator: Type.Union(
      ["own", ...ACCELERATORS.keys()].map((name) => Type.Literal(name)),
      { description: "What it runs on; own: what it was recorded on", default: "own" },
    ),
    operationsPerSecond: quantity("Of a board, as published for such a run; 0: what the workload says", 0, 0, 1e18),
    runs: Type.Array(
      Type.Object(
        {
          type: dataType("Data type that operations are really done in"),
          parts: whole("Parts of all operations that are", 1, 1, 1_000_000),
        },
        { additionalProperties: false },
      ),
      {
        description: "Types that the operations are split over; none: those of the workload",
        default: [],
        maxItems: 8,
      },
    ),
    declares: dataType("Data type that the operator says all of it is done in"),
    assumedUtilization: share("Part of the declared type's peak that the meter by time takes for reached", 0.43, 0.01),
    randomMixes: whole("Mixes of all types, drawn at random, that the rules are compared on", 1000, 0, 1_000_000),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

/** Least ratios over the random mixes; null where there was none. */
type Cell = { readonly overNative: number | null; readonly overEquivalent: number | null };

const NAME = "dtype-dodge";

export const dtypeDodge: Study<Parameters> = {
  name: NAME,
  title: "Computing in one data type and declaring another",
  parameters: PARAMETERS,
  metrics: [
    { name: "operationsPerSecond", unit: "ops/s", meaning: "Of a board in truth, each operation counted as one." },
    {
      name: "peakShare",
      unit: "1",
      meaning: "Time that the operations take at the peaks of their types, of the time that they took.",
    },
    {
      name: "declaredPeakShare",
      unit: "1",
      meaning: "Operations of a second, of the declared type's peak; above 1 the declaration cannot be true.",
    },
    {
      name: "trueOverTimeMeter",
      unit: "1",
      meaning: "True operations over those of the meter by time: declared type's peak × assumed utilization.",
    },
    {
      name: "trueOverDeclaredMeter",
      unit: "1",
      meaning: "True operations over those of the meter that knows how long the units are busy: that × declared peak.",
    },
    {
      name: "equivalentOverNative",
      unit: "1",
      meaning: "The counters summed as FP16-equivalent alone, over their native sum; below 1 it under-counts.",
    },
    { name: "ruleOverNative", unit: "1", meaning: "The counters by the rule, whichever is higher, over native." },
    { name: "ruleOverEquivalent", unit: "1", meaning: "The same over FP16-equivalent alone." },
    { name: "ruleOverNativeLeast", unit: "1", meaning: "Least of the rule over native on the random mixes." },
    { name: "ruleOverEquivalentLeast", unit: "1", meaning: "Least of the rule over FP16-equivalent on them." },
  ],
  cells: () => 1,
  run: ({ randomMixes }, place): Json => {
    const random = cellRandom(NAME, place);
    const least: { overNative: number | null; overEquivalent: number | null } = {
      overNative: null,
      overEquivalent: null,
    };
    for (let mix = 0; mix < randomMixes; mix++) {
      const { native, equivalent, rule } = sums(drawn(random));
      least.overNative = Math.min(least.overNative ?? Number.POSITIVE_INFINITY, rule / native);
      least.overEquivalent = Math.min(least.overEquivalent ?? Number.POSITIVE_INFINITY, rule / equivalent);
    }
    return least;
  },
  merge: (parameters, cells) => {
    const { overNative, overEquivalent } = cells[0] as Cell;
    const { chip, work, operationsPerSecond } = boardOf(parameters);
    const { native, equivalent, rule } = sums(work);
    const declaredPeak = peakPerSecond(chip, loadClassOf(parameters.declares));
    const peakShare = busyShare(chip, work, native / operationsPerSecond);
    return {
      measures: {
        operationsPerSecond,
        ...(peakShare === undefined ? {} : { peakShare }),
        ...(declaredPeak === 0
          ? {}
          : {
              declaredPeakShare: operationsPerSecond / declaredPeak,
              trueOverTimeMeter: operationsPerSecond / (declaredPeak * parameters.assumedUtilization),
              ...(peakShare === undefined
                ? {}
                : { trueOverDeclaredMeter: operationsPerSecond / (declaredPeak * peakShare) }),
            }),
        equivalentOverNative: equivalent / native,
        ruleOverNative: rule / native,
        ruleOverEquivalent: rule / equivalent,
        ...(overNative === null ? {} : { ruleOverNativeLeast: overNative }),
        ...(overEquivalent === null ? {} : { ruleOverEquivalentLeast: overEquivalent }),
      },
    };
  },
  estimate: ({ randomMixes }) => ({
    boards: 0,
    events: randomMixes,
    cpuSeconds: 0.05 + randomMixes * 1e-5,
    bytesResident: 1_000_000,
  }),
};

/** What one board does, by class, and how fast. */
function boardOf({ workload, accelerator: name, operationsPerSecond, runs }: Parameters) {
  const own = builtinWorkload(workload);
  const { work, durationSeconds } = own.totals;
  const operations = operationsOf(work);
  return {
    chip: accelerator(name === "own" ? own.accelerator : name),
    work: runs.length === 0 ? work : split(operations, runs),
    operationsPerSecond: operationsPerSecond === 0 ? Number(operations) / durationSeconds : operationsPerSecond,
  };
}

/** The first type has what division leaves over. */
function split(operations: bigint, runs: Parameters["runs"]): Work {
  const parts = runs.reduce((sum, run) => sum + BigInt(run.parts), 0n);
  const work: Work = new Map();
  const add = (type: (typeof LOAD_CLASSES)[number], amount: bigint) =>
    work.set(loadClassOf(type), (work.get(loadClassOf(type)) ?? 0n) + amount);
  let left = operations;
  for (const run of runs) {
    const amount = (operations * BigInt(run.parts)) / parts;
    add(run.type, amount);
    left -= amount;
  }
  add(runs[0]!.type, left);
  return work;
}

/** Types run one after the other on the same units. Undefined where the maker states no peak for one of them. */
function busyShare(chip: Accelerator, work: Work, seconds: number): number | undefined {
  let busySeconds = 0;
  for (const [engineClass, amount] of work) {
    if (engineClass > EngineClass.VECTOR) continue;
    const peak = peakPerSecond(chip, engineClass);
    if (peak === 0) return undefined;
    busySeconds += Number(amount) / peak;
  }
  return busySeconds / seconds;
}

/** The three ways to make one figure of a report's counters. */
function sums(work: Work): { native: number; equivalent: number; rule: number } {
  let bits = 0n;
  for (const [engineClass, amount] of work) {
    if (engineClass <= EngineClass.VECTOR) bits += amount * operandBits(engineClass as EngineClass);
  }
  return {
    native: Number(countedOperations(work, "native")),
    equivalent: Number(bits) / Number(REFERENCE_BITS),
    rule: Number(countedOperations(work, "fp16-equivalent-or-native")),
  };
}

/** Every class has up to 2^32 operations or, one time in two, none; one of them always has some. */
function drawn(random: Random): Work {
  const work: Work = new Map();
  for (let engineClass = 0; engineClass <= EngineClass.VECTOR; engineClass++) {
    if (random.u32() % 2 === 0) work.set(engineClass, BigInt(random.u32()));
  }
  work.set(random.u32() % (EngineClass.VECTOR + 1), 1n + BigInt(random.u32()));
  return work;
}
