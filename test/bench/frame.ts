/**
 * The frame of all benchmarks. Ours and theirs run in the same process, batch by batch in turns, so that whatever slows
 * the machine slows both; the figure is the median of the rounds.
 */
import { hrtime } from "node:process";

/** One thing that is measured, and what it is held against: a peer that does the same, or a limit it cannot pass. */
export type Case = {
  name: string;
  /** Name of the peer or limit. */
  against: string;
  ours(): void;
  theirs(): void;
};

export type Bench = {
  /** One line for people. */
  about: string;
} & (
  | {
      /** Prepares its cases. Preparation is not measured. */
      cases(): readonly Case[];
    }
  | {
      /** Measures by itself what takes processes and time of its own: rounds in turns, medians, as the frame does. */
      run(progress: (line: string) => void, effort: Effort): Promise<Result[]>;
    }
);

export type Result = {
  name: string;
  /** Of `ours` and `theirs`: time for one run, where less is better, or runs in a second. */
  unit: "µs" | "ms" | "1/s";
  ours: number;
  against: string;
  theirs: number;
  /** ours / theirs. */
  ratio: number;
};

export type BenchDocument = { bench: string; results: Result[] };

export type Effort = {
  /** Batches of each side; odd, so that the median is one of them. */
  rounds: number;
  /** A batch runs at least so long. */
  batchMs: number;
};

export const FULL_EFFORT: Effort = { rounds: 11, batchMs: 30 };

const RUNS_MAX = 1 << 24;

/** Measures all cases of a bench. `progress` hears the name of each before it begins. */
export async function runBench(
  name: string,
  bench: Bench,
  effort: Effort = FULL_EFFORT,
  progress: (line: string) => void = () => {},
): Promise<BenchDocument> {
  if ("run" in bench) return { bench: name, results: await bench.run(progress, effort) };
  const cases = bench.cases();
  const results = cases.map((one, i) => {
    progress(`${i + 1} of ${cases.length}: ${one.name} against ${one.against}`);
    return measure(one, effort);
  });
  return { bench: name, results };
}

function measure(one: Case, { rounds, batchMs }: Effort): Result {
  const runs = { ours: runsFor(one.ours, batchMs), theirs: runsFor(one.theirs, batchMs) };
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    // Who goes first changes, so that neither always finds the other's heat and garbage.
    const sides = round % 2 === 0 ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
    for (const side of sides) times[side].push(batchNs(one[side], runs[side]) / runs[side] / 1000);
  }
  const [ours, theirs] = [median(times.ours), median(times.theirs)];
  return { name: one.name, unit: "µs", ours, against: one.against, theirs, ratio: ours / theirs };
}

/** How many runs fill a batch; finding out warms the code up. */
function runsFor(act: () => void, batchMs: number): number {
  let runs = 1;
  while (runs < RUNS_MAX && batchNs(act, runs) < batchMs * 1e6) runs *= 2;
  return runs;
}

function batchNs(act: () => void, runs: number): number {
  const begun = hrtime.bigint();
  for (let i = 0; i < runs; i++) act();
  return Number(hrtime.bigint() - begun);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
