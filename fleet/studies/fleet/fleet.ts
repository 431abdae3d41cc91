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

/** Of one core of 2026, as `npm run bench -- fleet` measured it; for people who wonder whether to wait. */
const SECONDS = { board: 6e-3, exchange: 0.35e-3, slice: 40e-6, tick: 6e-6 } as const;
const BYTES_AT_REST = 8192;
const BYTES_OF_A_WORKER = 120e6;

function estimateOf({ boards, agreement, operator, durationSeconds }: FleetParameters): Estimate {
  const times = (everySeconds: number) => (everySeconds > 0 ? durationSeconds / everySeconds : 0);
  const renewals = times((agreement.licenseSeconds * operator.renewAfterPermille) / 1000);
  const exchanges = 4 + times(operator.beaconSeconds) + times(operator.reportSeconds) + 4 * renewals;
  const slices = times(agreement.sliceSeconds / 2);
  const ticks = times(boards.timerSeconds);
  const each = SECONDS.board + exchanges * SECONDS.exchange + slices * SECONDS.slice + ticks * SECONDS.tick;
  return {
    boards: boards.count,
    events: Math.round(boards.count * (exchanges + slices + ticks)),
    cpuSeconds: boards.count * each,
    bytesResident: BYTES_OF_A_WORKER + Math.min(boards.count, boards.perCell) * BYTES_AT_REST,
  };
}
