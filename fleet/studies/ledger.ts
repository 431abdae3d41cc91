/**
 * Usage reports with their Merkle-sum trees, honest and not, and the audit of one interval. A liar has two ways: to leave
 * work out of the intervals, so that tree and totals fit and the auditor's own measurement does not; or to show true
 * intervals under totals that are too small, so that the sums of the proof do not add up.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import {
  checkInterval,
  type Interval,
  intervalTree,
  proveInterval,
  type SumNode,
} from "../../host/objects/intervals.ts";
import { noWork } from "../../host/objects/work.ts";
import type { Random } from "../../sim-board/random.ts";

interface Report {
  /** What the device did: the auditor has measured it by other means. */
  readonly done: readonly Interval[];
  /** What it shows. */
  readonly shown: readonly Interval[];
  /** What it signed. */
  readonly root: SumNode;
}

const INTERVALS = 8;
const INTERVAL_TICKS = 3_600_000n;
/** An H100's hour at its dense BF16 peak. */
const INTERVAL_OPERATIONS = 3_561_840_000_000_000_000n;
const PARTS = 1_000_000;

export function honestReport(random: Random): Report {
  const done = workDone(random);
  return { done, shown: done, root: intervalTree(done) };
}

export function lyingReport(random: Random, hiddenShare: number): Report {
  const done = workDone(random);
  const less = done.map(({ endTick, work }) => ({ endTick, work: work.map((amount) => lessBy(amount, hiddenShare)) }));
  const shown = random.below(2) === 0 ? less : done;
  return { done, shown, root: intervalTree(less) };
}

/** Whether the audit of one interval, the auditor's choice, finds anything wrong. */
export function audited({ done, shown, root }: Report, random: Random): boolean {
  const index = random.below(done.length);
  const interval = shown[index]!;
  if (!checkInterval(interval, proveInterval(shown, index), root)) return true;
  return interval.work.some((amount, engineClass) => amount !== done[index]!.work[engineClass]);
}

/** What the sum of the reports of equal nodes lacks, if the first of them leaves out a part. */
export function sumGapShare(nodes: number, hiddenShare: number): number {
  const all = BigInt(nodes) * INTERVAL_OPERATIONS;
  const reported = all - INTERVAL_OPERATIONS + lessBy(INTERVAL_OPERATIONS, hiddenShare);
  return Number(all - reported) / Number(all);
}

function workDone(random: Random): Interval[] {
  return Array.from({ length: INTERVALS }, (_, index) => {
    const work = [...noWork()];
    // Between half and all of what the engine can do.
    const parts = BigInt(PARTS / 2 + random.below(PARTS / 2));
    work[EngineClass.TENSOR_BF16] = (INTERVAL_OPERATIONS * parts) / BigInt(PARTS);
    return { endTick: BigInt(index + 1) * INTERVAL_TICKS, work };
  });
}

function lessBy(amount: bigint, hiddenShare: number): bigint {
  return amount - (amount * BigInt(Math.round(hiddenShare * PARTS))) / BigInt(PARTS);
}
