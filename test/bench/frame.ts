/**
 * The frame of all benchmarks. Ours and every peer's run in the same process, batch by batch in turns, so that whatever
 * slows the machine slows all; the figure is the median of the rounds.
 */
import { hrtime } from "node:process";

/** What ours is held against: a peer that does the same, or a limit it cannot pass. */
type Peer = {
  /** Name of the peer or limit. */
  against: string;
  theirs(): void;
};

/** One thing that is measured, and its peer or peers. */
export type Case = {
  name: string;
  ours(): void;
  /** Bytes that a run goes through, for people who want to know the throughput. */
  bytes?: number | undefined;
} & (Peer | { peers: readonly Peer[] });

export type Bench = {
  /** One line for people. */
  about: string;
} & (
  | {
      /** Prepares its cases. Preparation is not measured. */
      cases(): readonly Case[] | Promise<readonly Case[]>;
    }
  | {
      /** Measures by itself what takes processes and time of its own: rounds in turns, medians, as the frame does. */
      run(progress: (line: string) => void, effort: Effort): Promise<Result[]>;
    }
);

export type Result = {
  name: string;
  /** Of `ours` and `theirs`: time for one run or a length, where less is better, or runs in a second. */
  unit: "µs" | "ms" | "1/s" | "B";
  ours: number;
  against: string;
  theirs: number;
  /** ours / theirs. */
  ratio: number;
};

/** A result with what only people are shown of its case. */
type Measured = Result & Pick<Case, "bytes">;

export type BenchDocument = { bench: string; results: Measured[] };

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
  const cases = await bench.cases();
  const results = cases.flatMap((one, i) => {
    const peers = "peers" in one ? one.peers : [one];
    progress(`${i + 1} of ${cases.length}: ${one.name} against ${peers.map(({ against }) => against).join(", ")}`);
    return measure(one, peers, effort);
  });
  return { bench: name, results };
}

/** One result for each peer, all of the same rounds. */
function measure({ name, bytes, ours }: Case, peers: readonly Peer[], { rounds, batchMs }: Effort): Measured[] {
  const sides = [ours, ...peers.map(({ theirs }) => theirs)].map((act) => ({
    act,
    runs: runsFor(act, batchMs),
    times: [] as number[],
  }));
  for (let round = 0; round < rounds; round++) {
    // Who goes first changes, so that nobody always finds another's heat and garbage.
    const first = round % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)])
      side.times.push(batchNs(side.act, side.runs) / side.runs / 1000);
  }
  const [oursUs, ...theirsUs] = sides.map(({ times }) => median(times));
  return peers.map(({ against }, i) => ({
    name,
    unit: "µs",
    ours: oursUs!,
    against,
    theirs: theirsUs[i]!,
    ratio: oursUs! / theirsUs[i]!,
    bytes,
  }));
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
