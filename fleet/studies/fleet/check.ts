/** What no schema can say of a fleet's parameters: how they must fit one another. */
import { SLICE_WORK_MAX } from "../../../host/objects/agreement.ts";
import { accelerator } from "../../../sim-board/accelerators.ts";
import { WorkloadError } from "../../../sim-board/workloads/errors.ts";
import { type Load, loadClassOf, loadOf, termsOf } from "../../actors/terms.ts";
import type { Misfit } from "../../study.ts";
import { wrongOf } from "./misfits.ts";
import type { FleetParameters } from "./parameters.ts";
import { timelineMisfits } from "./timeline.ts";

export function checkFleet(parameters: FleetParameters): Misfit[] {
  const misfits: Misfit[] = [];
  const { load, failure } = triedLoad(parameters);
  if (failure) {
    const path = parameters.load.recording === "" ? "load.workload" : "load.recording";
    misfits.push({ path, value: parameters.load.recording || parameters.load.workload, allowed: failure });
  }
  return [
    ...misfits,
    ...quorums(parameters),
    ...(load ? slice(parameters, load) : []),
    ...shape(parameters),
    ...timelineMisfits(parameters),
  ];
}

function triedLoad(parameters: FleetParameters): { load?: Load; failure?: string } {
  try {
    return { load: loadOf(parameters) };
  } catch (error) {
    if (!(error instanceof WorkloadError)) throw error;
    return { failure: error.message };
  }
}

function quorums({ agreement }: FleetParameters): Misfit[] {
  const { parties } = agreement;
  return (["licenseQuorum", "pauseQuorum", "resumeQuorum"] as const)
    .filter((name) => agreement[name] > parties)
    .map((name) => {
      return {
        path: `agreement.${name}`,
        value: agreement[name],
        allowed: `must be at most agreement.parties, ${parties}`,
      };
    });
}

/** Work of a slice must fit the governor's registers. */
function slice(parameters: FleetParameters, load: Load): Misfit[] {
  const { sliceSeconds } = parameters.agreement;
  const fastest = [...termsOf(parameters, load).agreement.caps].reduce((most, [, { rateMax }]) => {
    return rateMax > most ? rateMax : most;
  }, 1n);
  const most = Number((SLICE_WORK_MAX - 1n) / fastest / 1000n);
  if (sliceSeconds <= most) return [];
  return [
    { path: "agreement.sliceSeconds", value: sliceSeconds, allowed: `must be at most ${most} at this rate of work` },
  ];
}

/** Results of cells are held until all of a run are there. */
const CELLS_MAX = 100_000;

/** Settings that would do nothing, or nothing that was meant. */
function shape({ boards, load, operator, agreement }: FleetParameters): Misfit[] {
  const { peakOperationsPerSecond } = accelerator(load.accelerator);
  const isConstant = load.workload === "" && load.recording === "";
  const cells = Math.ceil(boards.count / boards.perCell);
  const { cheats, cheatsPermille, clockPermille, beaconSeconds } = operator;
  return wrongOf([
    {
      path: "boards.perCell",
      value: boards.perCell,
      allowed: `makes ${cells} cells of boards.count, and at most ${CELLS_MAX} are run`,
      isWrong: cells > CELLS_MAX,
    },
    {
      path: "boards.regions",
      value: boards.regions,
      allowed: `must be at most the number of cells, ${cells}: cells belong to regions in turn`,
      isWrong: boards.regions > cells,
    },
    {
      path: "load.workload",
      value: load.workload,
      allowed: "goes without load.recording, or that without it",
      isWrong: load.workload !== "" && load.recording !== "",
    },
    {
      path: "load.recordingRanks",
      value: load.recordingRanks,
      allowed: "goes with load.recording, and only with it",
      isWrong: load.recordingRanks > 0 && load.recording === "",
    },
    {
      path: "load.recordingSha256",
      value: load.recordingSha256,
      allowed: "goes with load.recording, and only with it",
      isWrong: load.recordingSha256 !== "" && load.recording === "",
    },
    {
      path: "load.engineClass",
      value: load.engineClass,
      allowed: `is none that load.accelerator, ${load.accelerator}, has`,
      isWrong: isConstant && !peakOperationsPerSecond.has(loadClassOf(load.engineClass)),
    },
    {
      path: "operator.cheats",
      value: cheats,
      allowed: `must name a cheat, for operator.cheatsPermille is ${cheatsPermille}`,
      isWrong: cheatsPermille > 0 && cheats.length === 0,
    },
    {
      path: "operator.clockPermille",
      value: clockPermille,
      allowed: "goes with the cheat slow-clock, and only with it",
      isWrong: clockPermille !== 1000 && !cheats.includes("slow-clock"),
    },
    {
      path: "operator.beaconSeconds",
      value: beaconSeconds,
      allowed: `must be at most agreement.leaseSeconds, ${agreement.leaseSeconds}`,
      isWrong: beaconSeconds > agreement.leaseSeconds,
    },
  ]);
}
