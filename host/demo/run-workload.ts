/** One honest board runs a whole workload: what it did, against what was licensed, reported, and recorded. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import {
  type Counts,
  operationsOf,
  type RecordedTotals,
  shareOf,
  type Work,
  type Workload,
} from "../../sim-board/workloads/types.ts";
import { type BooksLine, booksOf, isBalanced } from "./books.ts";
import { Job } from "./job.ts";
import { Site } from "./site.ts";

export type Comparison = {
  /** `flop` (operations of all tensor and vector classes), `linkBytes` (bytes sent), or what `Counts` counts. */
  name: "flop" | "linkBytes" | keyof Counts;
  /** The recording's own total: this board's part of it, or for counts all of it (see `Counts`). */
  recorded: bigint;
  /** By the governor's signed reports; counts over the phases that the board did to their end. */
  metered: bigint;
};

export type WorkloadRun = {
  ok: boolean;
  seconds: number;
  /** What was played: phases done to their end, and what the workload counts in these. */
  played: { whole: boolean; phases: number; steps: number } & Counts;
  /** The workload's own work of this board was done, class by class, to the last operation and byte. */
  exact: boolean;
  books: BooksLine[];
  balanced: boolean;
  /** Of the whole recording; empty where only a part of it was played. */
  comparisons: Comparison[];
  recorded: RecordedTotals;
  licenses: number;
  reports: number;
  counterSteps: number;
  sectorErases: number;
  invariants: { checked: number; broken: number };
};

export type RunSettings = {
  image: GovernorImage;
  workload: Workload;
  seed: number;
  /** False if only the beginning of a recording is played: its totals are of no use then. */
  whole: boolean;
  onProgress?(secondsDone: number): void;
};

const COUNTED = ["samples", "tokens", "requests"] as const;

/** Operations are computed from published shapes: they are compared within 1 %. */
const FLOP_TOLERANCE_PERMILLE = 10n;

export function runWorkload({ image, workload, seed, whole, onProgress }: RunSettings): WorkloadRun {
  const site = new Site({ image, workload, seed, agreementName: "Quiesce board run" });
  site.commission();
  let phases = 0;
  const steps = new Set<number>();
  const done: Counts = {};
  let secondsDone = 0;
  const job = new Job(site, {
    onPhase: ({ durationSeconds, step, counts }) => {
      phases++;
      if (step !== undefined) steps.add(step);
      for (const name of COUNTED) {
        if (counts?.[name] !== undefined) done[name] = (done[name] ?? 0) + counts[name];
      }
      secondsDone += durationSeconds;
      onProgress?.(secondsDone);
    },
  });
  while (!job.isDone) job.step();
  site.closeBooks();
  const [account] = site.verifiers.accounts(site.ueid);
  const books = booksOf(site, account!);
  const balanced = isBalanced(books);
  const exact = isExactly(books, workload.totals.work);
  const comparisons = whole ? [...compare(books, workload), ...compareCounts(done, workload)] : [];
  const { board } = site;
  const broken = board.invariants?.broken.length ?? 0;
  return {
    ok: balanced && exact && broken === 0 && comparisons.every((comparison) => agrees(comparison, workload, phases)),
    seconds: board.seconds,
    played: { whole, phases, steps: steps.size, ...done },
    exact,
    books,
    balanced,
    comparisons,
    recorded: workload.totals.recorded,
    licenses: site.recorder.licenses.length,
    reports: site.recorder.reports.length,
    counterSteps: board.counter.read(),
    sectorErases: board.flash.erases.reduce((sum, erases) => sum + erases, 0),
    invariants: { checked: board.invariants?.checked ?? 0, broken },
  };
}

function isExactly(books: readonly BooksLine[], work: Work): boolean {
  return books.length === work.size && books.every(({ engineClass, done }) => work.get(engineClass) === done);
}

function compare(books: readonly BooksLine[], { totals, boards, board }: Workload): Comparison[] {
  const { recorded } = totals;
  const mine = (total: bigint) => (recorded.scope === "job" ? shareOf(total, boards, board) : total);
  const metered: Work = new Map(books.map(({ engineClass, reported }) => [engineClass, reported]));
  const comparisons: Comparison[] = [{ name: "flop", recorded: mine(recorded.flop), metered: operationsOf(metered) }];
  if (recorded.linkBytes !== undefined) {
    const sent = metered.get(EngineClass.LINK_TX) ?? 0n;
    comparisons.push({ name: "linkBytes", recorded: mine(recorded.linkBytes), metered: sent });
  }
  return comparisons;
}

/** Of what the workload's phases count: a recording may state a total whose parts nobody logged. */
function compareCounts(done: Counts, { totals, phases }: Workload): Comparison[] {
  const counted = new Set<keyof Counts>();
  for (const { counts } of phases()) for (const name of COUNTED) if (counts?.[name] !== undefined) counted.add(name);
  return COUNTED.flatMap((name): Comparison[] => {
    const recorded = totals.recorded[name];
    if (recorded === undefined || !counted.has(name)) return [];
    return [{ name, recorded: BigInt(recorded), metered: BigInt(done[name] ?? 0) }];
  });
}

/**
 * Bytes are exact, and so are counts. Of a job's total, board 0 carries the remainder of each phase's division among the boards, so its
 * part may differ from the share of the total by less than one byte a board and phase.
 */
function agrees({ name, recorded, metered }: Comparison, { totals, boards }: Workload, phases: number): boolean {
  const difference = metered > recorded ? metered - recorded : recorded - metered;
  if (name === "flop") return difference * 1000n <= recorded * FLOP_TOLERANCE_PERMILLE;
  if (name !== "linkBytes") return difference === 0n;
  return difference <= (totals.recorded.scope === "job" ? BigInt((boards - 1) * phases) : 0n);
}
