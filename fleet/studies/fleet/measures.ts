/** The figures of the study `fleet`, and what each of them means. */
import { countedPerSecond, loadOf } from "../../actors/terms.ts";
import type { CellTotals, KindTotals } from "../../engine/totals.ts";
import type { Measures, Metric } from "../../study.ts";
import type { FleetBound } from "./bound.ts";
import type { FleetParameters } from "./parameters.ts";

const metric = (name: string, unit: string, meaning: string): Metric => ({ name, unit, meaning });

/**
 * Of honest boards, and again of those that are cheated with, under `cheating…`. The pause is what first told boards to
 * stop or to slow down, or that no more is signed; the resume is what lifted it.
 */
const KIND_METRICS: readonly Metric[] = [
  metric("boards", "boards", "boards that were switched on"),
  metric("operations", "ops", "counted operations of the whole run"),
  metric("workedAtPause", "boards", "boards at work when the pause was ordered, or licenses stopped"),
  metric("neverClosed", "boards", "of those, boards that still worked at the resume, or at the end of the run"),
  metric("stopsAfter", "1", "how often gates closed from the pause to the resume or the end"),
  metric("closedSecondsMin", "s", "from the pause to the first gate that closed"),
  metric("closedSecondsMean", "s", "from the pause to the closing of a gate, on average"),
  metric("closedSecondsMax", "s", "from the pause to the last gate that closed"),
  metric("quietSecondsMax", "s", "from the pause until the last drain was over too"),
  metric("leakOperations", "ops", "counted operations from the pause to the resume or the end"),
  metric("leakOperationsMost", "ops", "the most of these that any one board did"),
  metric("leakOperationsPerBoard", "ops", "the leak by the number of boards that worked at the pause"),
  metric("leakBoardSeconds", "s", "the leak as time of one board at its full load"),
  metric("workAfterShare", "1", "work from the pause to the resume or the end, as a share of what full rate would do"),
  metric("falseStops", "1", "gates that closed before the pause though nobody had ordered it"),
  metric("falseStopsPerBoard", "1", "the same, for each board"),
  metric("availability", "1", "share of the time before the pause in which boards that had begun could work"),
  metric("resumed", "boards", "boards at work again after the resume"),
  metric("resumedSecondsMax", "s", "from the resume to the last board at work again"),
  metric("resumedSecondsMean", "s", "from the resume to a board at work again, on average"),
  metric("operationsUnsaved", "ops", "work that jobs had not saved when a pause shut their gates, or the power went"),
  metric("checkpointsSaved", "1", "checkpoints that were saved within the drain"),
  metric("checkpointsMissed", "1", "jobs whose gate shut before they were saved"),
  metric("counterStepsMost", "1", "steps of the monotonic counter, of the board with the most"),
];

export const FLEET_METRICS: readonly Metric[] = [
  ...KIND_METRICS.map(({ name, unit, meaning }) => metric(name, unit, `${meaning}; of honest boards`)),
  ...KIND_METRICS.map(({ name, unit, meaning }) =>
    metric(cheatingName(name), unit, `${meaning}; of boards that are cheated with`),
  ),
  metric("leakOperationsAll", "ops", "the leak of all boards, honest or cheated with"),
  metric("leakBoundSeconds", "s", "the longest that work can go on after a pause, computed from the agreement"),
  metric("leakBoundOperations", "ops", "the most that all boards can do after a pause, computed from the agreement"),
  metric("leakOfBound", "1", "the measured leak of all boards, as a share of that bound"),
  metric("closedOfBound", "1", "the last closing, as a share of the bound in time; where all boards closed"),
  metric("licenses", "1", "licenses that were installed"),
  metric("reports", "1", "usage reports that were signed and taken"),
  metric("beacons", "1", "beacons that governors took"),
  metric("refusals", "1", "objects that a governor or the office refused"),
  metric("misreported", "boards", "boards whose reports say less than their accelerators did"),
  metric("events", "1", "events of the simulation"),
  metric("checks", "1", "checks of the invariants, none of which broke"),
  metric(
    "bytesAtRest",
    "bytes",
    "what a board at rest takes, on average: its memories and all else that makes it this one",
  ),
];

export function measuresOf(totals: CellTotals, parameters: FleetParameters, bound: FleetBound | undefined): Measures {
  const { honest, cheating, licenses, reports, beacons, refusals, misreported, events, checks } = totals;
  const boards = honest.boards + cheating.boards;
  const measures: Record<string, number | undefined> = {
    ...(honest.boards > 0 && kindMeasures(honest, parameters)),
    leakOperationsAll: Number(honest.operationsAfter + cheating.operationsAfter),
    ...(bound && boundMeasures(totals, bound)),
    licenses,
    reports,
    beacons,
    refusals,
    misreported,
    events,
    checks,
    bytesAtRest: boards > 0 ? totals.bytesAtRest / boards : undefined,
  };
  if (cheating.boards > 0) {
    for (const [name, value] of Object.entries(kindMeasures(cheating, parameters))) {
      measures[cheatingName(name)] = value;
    }
  }
  return Object.fromEntries(
    Object.entries(measures).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

/** Of boards that never closed there is no time of closing, and no share of it. */
function boundMeasures(
  { honest, cheating }: CellTotals,
  { seconds, operations }: FleetBound,
): Record<string, number | undefined> {
  const leak = honest.operationsAfter + cheating.operationsAfter;
  const allClosed = honest.closed + cheating.closed > 0 && honest.neverClosed + cheating.neverClosed === 0;
  const closedLastSeconds = Math.max(honest.closedLastMs, cheating.closedLastMs) / 1000;
  const isPaused = honest.workedAtPause + cheating.workedAtPause > 0;
  return {
    leakBoundSeconds: seconds,
    leakBoundOperations: Number(operations),
    leakOfBound: isPaused ? Number(leak) / Number(operations) : undefined,
    closedOfBound: allClosed && seconds !== undefined ? closedLastSeconds / seconds : undefined,
  };
}

function kindMeasures(kind: KindTotals, parameters: FleetParameters): Record<string, number | undefined> {
  const { closed, boards, workedMs, stoppedMs } = kind;
  const seconds = (ms: number) => (closed > 0 ? ms / 1000 : undefined);
  const leak = Number(kind.operationsAfter);
  return {
    boards,
    operations: Number(kind.operations),
    workedAtPause: kind.workedAtPause,
    neverClosed: kind.neverClosed,
    stopsAfter: kind.stopsAfter,
    closedSecondsMin: seconds(kind.closedFirstMs),
    closedSecondsMean: seconds(kind.closedSumMs / Math.max(1, closed)),
    closedSecondsMax: seconds(kind.closedLastMs),
    quietSecondsMax: seconds(kind.quietLastMs),
    leakOperations: leak,
    leakOperationsMost: Number(kind.operationsAfterMost),
    leakOperationsPerBoard: kind.workedAtPause > 0 ? leak / kind.workedAtPause : undefined,
    leakBoardSeconds: leak / Number(countedPerSecond(loadOf(parameters), parameters.agreement)),
    workAfterShare: kind.fullAfter > 0n ? leak / Number(kind.fullAfter) : undefined,
    falseStops: kind.falseStops,
    falseStopsPerBoard: boards > 0 ? kind.falseStops / boards : undefined,
    availability: workedMs + stoppedMs > 0 ? workedMs / (workedMs + stoppedMs) : undefined,
    resumed: kind.resumed,
    resumedSecondsMax: kind.resumed > 0 ? kind.resumedLastMs / 1000 : undefined,
    resumedSecondsMean: kind.resumed > 0 ? kind.resumedSumMs / kind.resumed / 1000 : undefined,
    operationsUnsaved: Number(kind.operationsUnsaved),
    checkpointsSaved: kind.checkpointsSaved,
    checkpointsMissed: kind.checkpointsMissed,
    counterStepsMost: kind.counterStepsMost,
  };
}

function cheatingName(name: string): string {
  return `cheating${name[0]!.toUpperCase()}${name.slice(1)}`;
}
