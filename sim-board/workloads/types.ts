/**
 * What ONE board of a job does, as a sequence of phases that its accelerator retires.
 *
 * A workload never invents work: `provenance` says which of its numbers a recording or a publication holds and which
 * are computed from them, and by what formula. docs/workloads.md has the formulas.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";

/** Work by engine class (`EngineClass` number): operations for classes 0 to 8, bytes for 9 to 11. Exact integers. */
export type Work = Map<number, bigint>;

/**
 * What the job has got done when a phase is over, as whole numbers: of the whole job where the recording's scope is the
 * job (its boards work on the same tokens together, so there is no board's share), else of the one board. Absent: the
 * recording does not say.
 */
export type Counts = {
  /** Tokens trained, or context and generated tokens together. */
  tokens?: number;
  /** Training samples. */
  samples?: number;
  /** Requests answered to their last token. */
  requests?: number;
};

/** One stretch of work of one board. */
export type Phase = {
  name: string;
  /** How long it takes where nothing holds it back, in seconds. */
  durationSeconds: number;
  /** True if the duration was recorded, false if it comes from a roofline. */
  measured: boolean;
  /** What this board retires in the phase; empty for a stretch whose work the recording does not hold. */
  work: Work;
  /** Training step, counted from 0. */
  step?: number;
  /** Where the phase starts, in seconds after the recording's own start; only where the recording has gaps. */
  startSeconds?: number;
  /** Counted once the phase is done to its end. */
  counts?: Counts;
};

/** The recording's own totals: what a meter must reproduce, summed over all boards where the scope is the job. */
export type RecordedTotals = {
  /** A job's log covers all its boards; a profile covers the one board it was taken on. */
  scope: "job" | "board";
  /** Operations of all tensor and vector classes. */
  flop: bigint;
  /** Bytes sent on links. */
  linkBytes?: bigint;
  steps?: number;
  /** Unexpected interruptions: phases without work and without a step. */
  stops?: number;
  samples?: number;
  /** Tokens trained, or context and generated tokens together. */
  tokens?: number;
  requests?: number;
  contextTokens?: number;
  generatedTokens?: number;
  /** Matrix products that could be joined to their dimensions, and their time on the device. */
  gemms?: number;
  gemmSeconds?: number;
  /** Operations of batched products: counted in `flop` and in the work only where the caller asked for it. */
  batchedFlop?: bigint;
  /** Collectives whose group, size or direction the recording does not hold: they are in no total. */
  collectivesUnmetered?: number;
  /** Operations whose data type the recording does not hold: they are in no total and in no work. */
  operationsUntyped?: bigint;
};

type Totals = {
  /** Of this board: equal, to the last operation and byte, to the sum over `phases()`. */
  work: Work;
  /** Of this board: the sum of all phases, in seconds. */
  durationSeconds: number;
  recorded: RecordedTotals;
};

/** What a pause must save before the board may stop: this board's shard of the job's state. */
type Checkpoint = {
  /** Of this board: it leaves HBM (COPY) and the board (LINK_TX) once. */
  bytes: bigint;
  /** Saved on its own every so many steps; 0 = only when asked to. */
  everySteps: number;
};

/** As measured at the wall, of all boards together with the machines that hold them. */
type MeasuredPower = {
  meanWatts: number;
  maxWatts: number;
  /** 95th percentile of the change within 2 s, of the maximum. */
  swingWithin2SecondsP95Share: number;
};

export type Workload = {
  name: string;
  /** Citation: where the numbers were published or recorded, and under which license. */
  source: string;
  /** A name of `ACCELERATORS`. */
  accelerator: string;
  /** Boards (accelerators) of the job; this workload is one of them. */
  boards: number;
  /** Which one; board 0 carries the remainders of divisions. */
  board: number;
  provenance: { measured: string; computed: string };
  totals: Totals;
  checkpoint?: Checkpoint;
  power?: MeasuredPower;
  phases(): Iterable<Phase>;
};

/**
 * A workload of phases that are already at hand: its totals are summed here, so that they cannot differ from the phases.
 */
export function workloadOf(
  parts: Omit<Workload, "totals" | "phases"> & { recorded: RecordedTotals; phases: Phase[] },
): Workload {
  const { recorded, phases, ...rest } = parts;
  const durationSeconds = phases.reduce((sum, phase) => sum + phase.durationSeconds, 0);
  return { ...rest, totals: { work: sumWork(phases), durationSeconds, recorded }, phases: () => phases };
}

/** Adds `amount` to one class of `work`, in place. Zero leaves no entry. */
export function addWork(work: Work, engineClass: number, amount: bigint): void {
  if (amount !== 0n) work.set(engineClass, (work.get(engineClass) ?? 0n) + amount);
}

/** Sum of the work of all phases. */
export function sumWork(phases: Iterable<Phase>): Work {
  const total: Work = new Map();
  for (const phase of phases) for (const [engineClass, amount] of phase.work) addWork(total, engineClass, amount);
  return total;
}

/** Operations in `work`: all tensor classes and the vector class. */
export function operationsOf(work: Work): bigint {
  let sum = 0n;
  for (const [engineClass, amount] of work) if (engineClass <= EngineClass.VECTOR) sum += amount;
  return sum;
}

/**
 * A board's part of a job's total: floor(total / boards), and board 0 carries the remainder too. So the parts of all
 * boards add up to the total exactly.
 */
export function shareOf(total: bigint, boards: number, board: number): bigint {
  const count = BigInt(boards);
  return total / count + (board === 0 ? total % count : 0n);
}
