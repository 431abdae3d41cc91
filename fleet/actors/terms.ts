/** What the parties of a fleet agree on and what a board does: from the parameters of a scenario. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Agreement, Cap } from "../../host/objects/agreement.ts";
import { CLASS_KEYS, isByteClass } from "../../host/policy/classes.ts";
import { countedOperations } from "../../host/policy/counting.ts";
import { builtinWorkload } from "../../sim-board/workloads/builtin.ts";
import { readTrace } from "../../sim-board/workloads/read.ts";
import type { Phase, Workload } from "../../sim-board/workloads/types.ts";
import type { FleetParameters } from "../studies/fleet/parameters.ts";

export const LOAD_CLASSES = ["fp64", "tf32", "bf16", "fp16", "fp8", "int8", "fp4", "int4"] as const;

/** Of the tensor units. */
export function loadClassOf(name: (typeof LOAD_CLASSES)[number]): EngineClass {
  return CLASS_KEYS.get(`tensor_${name}`)!;
}

export interface Terms {
  readonly agreement: Omit<Agreement, "name" | "version" | "parties" | "timeAuthorities" | "timeQuorum">;
  readonly parties: number;
  readonly licenseSeconds: number;
  /** Of one license. */
  readonly budget: ReadonlyMap<EngineClass, bigint>;
  readonly drain: ReadonlyMap<EngineClass, bigint>;
}

/** What one board does when nothing holds it back, and what it saves when it is told to stop. */
export interface Load {
  /** A name of `ACCELERATORS`. */
  readonly accelerator: string;
  /** Longer than any run: a board that is paused goes on with the rest of it. */
  readonly work: Phase;
  /** By class, a second. */
  readonly perSecond: ReadonlyMap<EngineClass, bigint>;
  readonly checkpoint: Phase | undefined;
}

export const TICK_HZ = 1000;

/** Of one board at its full load, by the rule of the agreement. */
export function countedPerSecond({ perSecond }: Load, { counting }: FleetParameters["agreement"]): bigint {
  return countedOperations(perSecond, counting);
}

export function loadOf({ load, durationSeconds }: FleetParameters): Load {
  const workload = workloadOf(load);
  const perSecond = workload ? meanRates(workload) : constantRate(load);
  const seconds = 2 * durationSeconds;
  const work = new Map([...perSecond].map(([engineClass, rate]) => [engineClass as number, rate * BigInt(seconds)]));
  return {
    accelerator: workload?.accelerator ?? load.accelerator,
    perSecond,
    work: { name: "work", durationSeconds: seconds, measured: true, work },
    checkpoint: checkpointOf(load),
  };
}

export function termsOf({ agreement, load: given }: FleetParameters, load: Load): Terms {
  const { licenseSeconds, sliceSeconds, drainSeconds } = agreement;
  const licenseTicks = BigInt(licenseSeconds) * BigInt(TICK_HZ);
  const rates = new Map(load.perSecond);
  const saved = BigInt(Math.round(given.checkpointBytesPerSecond));
  if (load.checkpoint || agreement.drainBytes > 0) {
    for (const engineClass of [EngineClass.COPY, EngineClass.LINK_TX]) {
      rates.set(engineClass, greater(rates.get(engineClass) ?? 0n, saved));
    }
  }
  const caps = new Map<EngineClass, Cap>();
  for (const [engineClass, perSecond] of [...rates].sort(([a], [b]) => a - b)) {
    const rateMax = perSecond / BigInt(TICK_HZ) + 1n;
    caps.set(engineClass, { rateMax, budgetMax: rateMax * licenseTicks });
  }
  const drain = drainOf(agreement, caps);
  return {
    agreement: {
      quorums: {
        license: agreement.licenseQuorum,
        pause: agreement.pauseQuorum,
        resume: agreement.resumeQuorum,
        update: agreement.parties,
        amend: agreement.parties,
      },
      caps,
      tickHz: TICK_HZ,
      driftPpm: agreement.driftPpm,
      leaseSeconds: agreement.leaseSeconds,
      licenseTicksMax: licenseTicks,
      sliceTicks: BigInt(sliceSeconds * TICK_HZ),
      drain,
      drainTicksMax: BigInt(drainSeconds * TICK_HZ),
      offline: false,
      svnLeast: 0,
    },
    parties: agreement.parties,
    licenseSeconds,
    budget: new Map([...caps].map(([engineClass, { budgetMax }]) => [engineClass, budgetMax])),
    drain,
  };
}

function drainOf(
  { drainBytes, drainOperations }: FleetParameters["agreement"],
  caps: ReadonlyMap<EngineClass, Cap>,
): Map<EngineClass, bigint> {
  const drain = new Map<EngineClass, bigint>();
  for (const engineClass of caps.keys()) {
    const amount = isByteClass(engineClass) ? drainBytes : drainOperations;
    if (amount > 0) drain.set(engineClass, BigInt(Math.round(amount)));
  }
  return drain;
}

function constantRate({ engineClass, operationsPerSecond }: FleetParameters["load"]): Map<EngineClass, bigint> {
  return new Map([[loadClassOf(engineClass), BigInt(Math.round(operationsPerSecond))]]);
}

/** Of the first board of the job. Throws a `WorkloadError` for an unknown name, and for a file that is no recording. */
function workloadOf(load: FleetParameters["load"]): Workload | undefined {
  const { workload, recording, recordingSha256, recordingRanks, accelerator } = load;
  if (recording === "" && workload === "") return undefined;
  const name = [workload, accelerator, recordingSha256, recordingRanks, recording].join(" ");
  let known = workloads.get(name);
  if (!known) {
    const boards = recordingRanks || undefined;
    const read = () => readTrace(recording, { accelerator, boards, sha256: recordingSha256 || undefined });
    known = recording === "" ? builtinWorkload(workload) : read();
    workloads.set(name, known);
  }
  return known;
}

/** All cells of a run have the same: it is read, or made, once. */
const workloads = new Map<string, Workload>();

/** Over all that is recorded of the board. */
function meanRates({ totals }: Workload): Map<EngineClass, bigint> {
  const micros = BigInt(Math.max(1, Math.round(totals.durationSeconds * 1e6)));
  const rates = [...totals.work].map(([engineClass, work]) => [
    engineClass as EngineClass,
    (work * 1_000_000n) / micros,
  ]);
  return new Map((rates as [EngineClass, bigint][]).filter(([, rate]) => rate > 0n));
}

function checkpointOf({ checkpointBytes, checkpointBytesPerSecond }: FleetParameters["load"]): Phase | undefined {
  if (checkpointBytes === 0) return undefined;
  const bytes = BigInt(Math.round(checkpointBytes));
  return {
    name: "checkpoint",
    durationSeconds: Math.max(0.001, Math.round((checkpointBytes / checkpointBytesPerSecond) * 1000) / 1000),
    measured: true,
    work: new Map<number, bigint>([
      [EngineClass.COPY, bytes],
      [EngineClass.LINK_TX, bytes],
    ]),
  };
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
