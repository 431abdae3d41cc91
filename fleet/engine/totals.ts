/** What a cell has counted when its run is over: sums, and the extremes that the study's measures are made of. */
import type { Json } from "../study.ts";

/** Of one kind of board: those that are run honestly, and those that are not. */
export interface KindTotals {
  boards: number;
  /** Counted operations, by the agreement's rule: of the whole run, and after the pause until the resume or the end. */
  operations: bigint;
  operationsAfter: bigint;
  /** The most of any one board after the pause. */
  operationsAfterMost: bigint;
  /** What boards that worked at the pause would have done after it, had nobody stopped them. */
  fullAfter: bigint;
  /** That worked when the pause was ordered, and of those: that closed, and that never did. */
  workedAtPause: number;
  closed: number;
  neverClosed: number;
  /** Closings of their gates from the pause to the resume or the end. */
  stopsAfter: number;
  /** From the order to the last instant at which licensed work flowed: the first board, the last, and all together. */
  closedFirstMs: number;
  closedLastMs: number;
  closedSumMs: number;
  /** The same until the drain was over too. */
  quietLastMs: number;
  /** Gates that closed without an order, and how long they stayed shut, before the pause. */
  falseStops: number;
  stoppedMs: number;
  workedMs: number;
  /** From the resume to the first work after it. */
  resumed: number;
  resumedLastMs: number;
  resumedSumMs: number;
  /** Operations that jobs had not saved when a pause shut their gates, or the power went. */
  operationsUnsaved: bigint;
  checkpointsSaved: number;
  checkpointsMissed: number;
  /** Most steps of the monotonic counter that any board has made. */
  counterStepsMost: number;
}

export interface CellTotals {
  readonly honest: KindTotals;
  readonly cheating: KindTotals;
  events: number;
  licenses: number;
  reports: number;
  beacons: number;
  orders: number;
  refusals: number;
  /** Boards whose reported totals were not what their accelerators had done. */
  misreported: number;
  checks: number;
  /** Boards at work at the points of the series. */
  atWork: number[];
  /** What boards at rest take, summed over the boards. */
  bytesAtRest: number;
}

function kindTotals(): KindTotals {
  return {
    boards: 0,
    operations: 0n,
    operationsAfter: 0n,
    operationsAfterMost: 0n,
    fullAfter: 0n,
    workedAtPause: 0,
    closed: 0,
    neverClosed: 0,
    stopsAfter: 0,
    closedFirstMs: Number.MAX_SAFE_INTEGER,
    closedLastMs: 0,
    closedSumMs: 0,
    quietLastMs: 0,
    falseStops: 0,
    stoppedMs: 0,
    workedMs: 0,
    resumed: 0,
    resumedLastMs: 0,
    resumedSumMs: 0,
    operationsUnsaved: 0n,
    checkpointsSaved: 0,
    checkpointsMissed: 0,
    counterStepsMost: 0,
  };
}

export function cellTotals(seriesPoints: number): CellTotals {
  return {
    honest: kindTotals(),
    cheating: kindTotals(),
    events: 0,
    licenses: 0,
    reports: 0,
    beacons: 0,
    orders: 0,
    refusals: 0,
    misreported: 0,
    checks: 0,
    atWork: new Array<number>(seriesPoints).fill(0),
    bytesAtRest: 0,
  };
}

/** How two cells' figures become one: extremes by their names, all else by sums. */
function together(name: string, a: number | bigint, b: number | bigint): number | bigint {
  if (name.endsWith("First") || name.endsWith("FirstMs")) return a < b ? a : b;
  if (/(Last|LastMs|Most)$/.test(name)) return a > b ? a : b;
  return typeof a === "bigint" ? a + (b as bigint) : a + (b as number);
}

function addKind(sum: KindTotals, more: KindTotals): void {
  const [to, from] = [sum, more] as unknown as Record<string, number | bigint>[];
  for (const name of Object.keys(sum)) to![name] = together(name, to![name]!, from![name]!);
}

/** Adds a cell to a sum of cells, in place. */
export function addTotals(sum: CellTotals, { honest, cheating, atWork, ...counts }: CellTotals): void {
  addKind(sum.honest, honest);
  addKind(sum.cheating, cheating);
  for (const [name, count] of Object.entries(counts)) (sum as unknown as Record<string, number>)[name]! += count;
  atWork.forEach((count, i) => {
    sum.atWork[i]! += count;
  });
}

/** As a cell's result travels: quantities as decimal strings. */
export function totalsToJson(totals: CellTotals): Json {
  return JSON.parse(JSON.stringify(totals, (_name, value) => (typeof value === "bigint" ? `${value}` : value)));
}

const QUANTITIES = new Set(["operations", "operationsAfter", "operationsAfterMost", "fullAfter", "operationsUnsaved"]);

export function totalsFromJson(json: Json): CellTotals {
  return JSON.parse(JSON.stringify(json), (name, value) => (QUANTITIES.has(name) ? BigInt(value) : value));
}
