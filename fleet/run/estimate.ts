/** What a run will take, before it runs: the sum of what the study says of each of its runs. */
import type { Estimate } from "../study.ts";
import type { Plan } from "./plan.ts";

export interface RunEstimate extends Estimate {
  readonly points: number;
  readonly seeds: number;
  readonly cells: number;
  readonly workers: number;
  /** On so many workers, if each has a core. */
  readonly seconds: number;
  /** Of all workers at once. */
  readonly bytesResidentTotal: number;
}

export function estimateRun(plan: Plan, workers: number): RunEstimate {
  const { scenario, study } = plan;
  let [boards, events, cpuSeconds, bytesResident] = [0, 0, 0, 0];
  for (const point of scenario.points.keys()) {
    const one = study.estimate(plan.parametersOf(point) as never);
    boards += one.boards * scenario.seeds;
    events += one.events * scenario.seeds;
    cpuSeconds += one.cpuSeconds * scenario.seeds;
    bytesResident = Math.max(bytesResident, one.bytesResident);
  }
  const busy = Math.min(workers, plan.taskCount);
  return {
    points: scenario.points.length,
    seeds: scenario.seeds,
    cells: plan.taskCount,
    workers,
    boards,
    events,
    cpuSeconds,
    seconds: cpuSeconds / busy,
    bytesResident,
    bytesResidentTotal: bytesResident * busy,
  };
}
