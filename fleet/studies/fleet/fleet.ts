/** The study `fleet`: boards with the firmware that ships, licensed, metered, paused and resumed. docs/fleet.md */
import { governorImage } from "../../../sim-board/built-governor.ts";
import { Cell } from "../../engine/cell.ts";
import { addTotals, type CellTotals, cellTotals, totalsFromJson, totalsToJson } from "../../engine/totals.ts";
import type { CellPlace, Estimate, Json, Outcome, Study } from "../../study.ts";
import { leakBoundOf } from "./bound.ts";
import { checkFleet } from "./check.ts";
import { FLEET_METRICS, measuresOf } from "./measures.ts";
import { FLEET_PARAMETERS, type FleetParameters } from "./parameters.ts";

export const fleet: Study<FleetParameters> = {
  name: "fleet",
  title: "A fleet of boards with the real firmware, their operators, and the parties",
  parameters: FLEET_PARAMETERS,
  metrics: FLEET_METRICS,
  check: checkFleet,
  cells: ({ boards }) => Math.ceil(boards.count / boards.perCell),

  run(parameters: FleetParameters, { seed, cell }: CellPlace): Json {
    return totalsToJson(new Cell({ image: governorImage(), parameters, seed, cell }).run());
  },

  merge(parameters: FleetParameters, cells: readonly Json[]): Outcome {
    const sum = cells.map(totalsFromJson).reduce((all: CellTotals, one) => {
      addTotals(all, one);
      return all;
    }, cellTotals(parameters.seriesPoints));
    const stepSeconds = parameters.durationSeconds / Math.max(1, parameters.seriesPoints);
    return {
      measures: measuresOf(sum, parameters, leakBoundOf(parameters)),
      series: [
        {
          name: "boardsAtWork",
          unit: "boards",
          points: sum.atWork.map((count, i) => [i * stepSeconds, count] as const),
        },
      ],
    };
  },

  estimate: (parameters: FleetParameters): Estimate => estimateOf(parameters),
};

/**
 * Of one core of 2026, measured with 150 boards and a hundred of each kind; for people who wonder whether to wait. A
 * renewal has its evidence, its report and its license, an order what follows from it, a cycle the boot.
 */
const SECONDS = {
  board: 4e-3,
  exchange: 0.3e-3,
  renewal: 1.1e-3,
  order: 0.9e-3,
  cycle: 1.5e-3,
  slice: 7e-6,
  tick: 5e-6,
} as const;
/** All that a board adds to the process, its agent and the heap's slack too; and a worker's own, of two. */
const BYTES_OF_A_BOARD = 13_500;
const BYTES_OF_A_WORKER = 220e6;

function estimateOf({ boards, agreement, operator, timeline, durationSeconds }: FleetParameters): Estimate {
  const times = (everySeconds: number) => (everySeconds > 0 ? durationSeconds / everySeconds : 0);
  const cyclingShare = operator.cheats.includes("cycle-power") ? operator.cheatsPermille / 1000 : 0;
  const counts: Readonly<Record<keyof typeof SECONDS, number>> = {
    board: 1,
    exchange: times(operator.beaconSeconds) + times(operator.reportSeconds),
    renewal: times((agreement.licenseSeconds * operator.renewAfterPermille) / 1000),
    order: timeline.length,
    cycle: cyclingShare * times(agreement.leaseSeconds / 2),
    slice: times(agreement.sliceSeconds / 2),
    tick: times(boards.timerSeconds),
  };
  const names = Object.keys(SECONDS) as (keyof typeof SECONDS)[];
  const each = names.reduce((sum, name) => sum + counts[name] * SECONDS[name], 0);
  const events = names.reduce((sum, name) => sum + counts[name], 0);
  return {
    boards: boards.count,
    events: Math.round(boards.count * events),
    cpuSeconds: boards.count * each,
    bytesResident: BYTES_OF_A_WORKER + Math.min(boards.count, boards.perCell) * BYTES_OF_A_BOARD,
  };
}
