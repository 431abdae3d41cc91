/**
 * Terms of an agreement that suit a workload: which classes may work, how fast, for how long, and what a drain may use.
 * Rates are the accelerator's peaks; a license may last an hour.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { accelerator, peakPerSecond } from "../../sim-board/accelerators.ts";
import type { Phase, Workload } from "../../sim-board/workloads/types.ts";
import type { Agreement, Cap } from "../objects/agreement.ts";

export type Terms = Omit<Agreement, "name" | "version" | "parties" | "timeAuthorities" | "timeQuorum">;

const TICK_HZ = 1000;
const SLICE_SECONDS = 10;
const LICENSE_SECONDS = 3600;
/** A slice at full rate must stay below this (host/objects/agreement.ts). */
const SLICE_WORK_MAX = 2n ** 62n;
/**
 * What all boards of a job write to storage together, in bytes per second: the sustained rate of Llama 3's training
 * storage (arXiv 2407.21783, section 3.3.1: 2 TB/s).
 */
const STORAGE_BYTES_PER_SECOND = 2e12;

export const LEASE_SECONDS = 300;
export const BEACON_SECONDS = 60;

/** This part of a license's longest time is planned with: work may wait for credit, and no license should run out. */
const PLANNED_PART = 0.9;

export function termsFor(workload: Workload): Terms {
  const longest = longestPhaseSeconds(workload);
  const licenseSeconds = Math.max(LICENSE_SECONDS, Math.ceil(longest * 2));
  const drain = new Map(checkpointPhase(workload)?.work);
  const drainSeconds = Math.ceil((checkpointPhase(workload)?.durationSeconds ?? 0) * 2) + 60;
  return {
    quorums: { license: 2, pause: 1, resume: 2, update: 2, amend: 3 },
    caps: capsFor(workload, licenseSeconds),
    tickHz: TICK_HZ,
    driftPpm: 100,
    leaseSeconds: LEASE_SECONDS,
    licenseTicksMax: BigInt(licenseSeconds * TICK_HZ),
    sliceTicks: BigInt(SLICE_SECONDS * TICK_HZ),
    drain,
    drainTicksMax: BigInt(drainSeconds * TICK_HZ),
    offline: false,
    svnLeast: 1,
  };
}

/** Seconds of work that one license is planned for. */
export function plannedSeconds(terms: Terms): number {
  return (Number(terms.licenseTicksMax) / terms.tickHz) * PLANNED_PART;
}

/** This board's part of the job's state leaves HBM and the board once; undefined for a job without state. */
export function checkpointPhase(workload: Workload): Phase | undefined {
  const bytes = workload.checkpoint?.bytes ?? 0n;
  if (bytes === 0n) return undefined;
  return {
    name: "checkpoint",
    durationSeconds: Number(bytes) / (STORAGE_BYTES_PER_SECOND / workload.boards),
    measured: false,
    work: new Map<number, bigint>([
      [EngineClass.COPY, bytes],
      [EngineClass.LINK_TX, bytes],
    ]),
  };
}

function longestPhaseSeconds(workload: Workload): number {
  let longest = 0;
  for (const { durationSeconds } of workload.phases()) longest = Math.max(longest, durationSeconds);
  return longest;
}

/** Classes that the workload and its checkpoint use: at the chip's peak, or faster where a recording says so. */
function capsFor(workload: Workload, licenseSeconds: number): Map<EngineClass, Cap> {
  const chip = accelerator(workload.accelerator);
  const checkpoint = checkpointPhase(workload);
  const fastest = new Map<number, number>();
  for (const phase of [...workload.phases(), ...(checkpoint ? [checkpoint] : [])]) {
    const seconds = Math.max(phase.durationSeconds, 1 / TICK_HZ);
    for (const [engineClass, amount] of phase.work) {
      fastest.set(engineClass, Math.max(fastest.get(engineClass) ?? 0, Number(amount) / seconds));
    }
  }
  const most = SLICE_WORK_MAX / BigInt(SLICE_SECONDS * TICK_HZ);
  return new Map(
    [...fastest].map(([engineClass, recorded]) => {
      const perSecond = Math.max(peakPerSecond(chip, engineClass), recorded * 1.05);
      const perTick = BigInt(Math.ceil(perSecond / TICK_HZ));
      const rateMax = perTick < most ? perTick : most;
      return [engineClass, { rateMax, budgetMax: rateMax * BigInt(licenseSeconds * TICK_HZ) }];
    }),
  );
}
