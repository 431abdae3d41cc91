/** `quiesce fleet run` and `sweep`: what is run, where, and what is done with the result. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { runCell } from "../../fleet/run/cell.ts";
import { estimateRun } from "../../fleet/run/estimate.ts";
import { Plan } from "../../fleet/run/plan.ts";
import type { RunResult } from "../../fleet/run/result.ts";
import { type RunOptions as FleetOptions, runScenario } from "../../fleet/run/run-scenario.ts";
import { inlineRunner } from "../../fleet/run/runner.ts";
import { studyOf } from "../../fleet/run/study-modules.ts";
import { threadRunner } from "../../fleet/run/threads.ts";
import { changedScenario } from "../../fleet/scenario/change.ts";
import { nearestText } from "../../fleet/scenario/nearest.ts";
import type { Metric } from "../../fleet/study.ts";
import type { SweepOptions } from "./commands/fleet.ts";
import { wrongUse } from "./exit.ts";
import {
  axisValues,
  jsonOf,
  loadStudies,
  programIdentity,
  type Studies,
  scenarioValue,
  withFleetErrors,
  workersOf,
} from "./fleet-input.ts";
import { prepareFolder, writeFolder } from "./fleet-report.ts";
import { estimateText, resultText } from "./fleet-result-view.ts";
import { countText } from "./names.ts";
import { print, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";

export function showRun(nameOrPath: string, options: SweepOptions, json: boolean): Promise<void> {
  return withFleetErrors(async () => {
    checkTogether(options);
    const loaded = await loadStudies(options.studies);
    const plan = planOf(nameOrPath, options, loaded);
    const metrics = metricsOf(plan.study, options.metric);
    const workers = workersOf(options.workers);
    if (options.estimate) {
      const estimate = estimateRun(plan, workers);
      if (json) printJson(estimate);
      else print(estimateText(estimate));
      return;
    }
    if (options.cell !== undefined) {
      print(await runCell(plan, plan.taskOf(options.cell)));
      return;
    }
    if (options.out !== undefined) prepareFolder(options.out);
    const begunMs = performance.now();
    const result = await runPlan(plan, loaded, options);
    const seconds = (performance.now() - begunMs) / 1000;
    if (options.out !== undefined) await writeFolder(options.out, result, plan.study);
    if (json) printJson(result);
    else print(resultText(result, metrics, seconds));
  });
}

/** What cannot be asked for at once. */
function checkTogether(options: SweepOptions): void {
  const { distributed, checkpoint, schema, work, estimate, cell, out, metric } = options;
  if (distributed === undefined) {
    if (schema !== undefined) throw wrongUse("--schema goes with --distributed");
    if (!work) throw wrongUse("--no-work goes with --distributed");
  } else if (checkpoint !== undefined) {
    throw wrongUse("--distributed takes no --checkpoint: the database keeps what is done");
  }
  const others = {
    "--estimate": estimate,
    "--out": out,
    "--checkpoint": checkpoint,
    "--distributed": distributed,
    "--metric": metric,
  };
  for (const [name, given] of Object.entries(others)) {
    if (cell !== undefined && given !== undefined) throw wrongUse(`--cell prints one cell: it goes without ${name}`);
  }
}

/** In the study's order, whichever were asked for. */
function metricsOf({ name, metrics }: Plan["study"], asked: readonly string[] = []): readonly Metric[] {
  const names = metrics.map((one) => one.name);
  for (const one of asked) {
    if (!names.includes(one)) throw wrongUse(`--metric: the study ${name} has no ${one}${nearestText(one, names)}`);
  }
  return asked.length === 0 ? metrics : metrics.filter((one) => asked.includes(one.name));
}

function planOf(nameOrPath: string, options: SweepOptions, { studies }: Studies): Plan {
  const { seeds, set = [], axis, point, seed } = options;
  const changes = {
    ...(seeds !== undefined && { seeds }),
    set: Object.fromEntries(set.map(({ path, text }) => [path, jsonOf(text)])),
    ...(axis && { sweep: Object.fromEntries(axis.map((one) => [one.path, axisValues(one)])) }),
    ...(point && { points: point }),
  };
  const scenario = changedScenario(scenarioValue(nameOrPath), changes, studies);
  return new Plan(scenario, studyOf(studies, scenario.study), seed);
}

/** Threads that take longer to start than all of the work does are left out, unless they are asked for. */
const SECONDS_WORTH_THREADS = 1;

type Where = Pick<SweepOptions, "workers" | "checkpoint"> &
  Partial<Pick<SweepOptions, "distributed" | "schema" | "lease" | "work">>;

export function runPlan(plan: Plan, loaded: Studies, where: Where): Promise<RunResult> {
  return withProgress(plan.taskCount, "cells", async (update) => {
    const options: FleetOptions = { ...programIdentity(), progress: ({ done }) => update(done), resumed: tellResumed };
    if (where.distributed !== undefined) return runDistributed(where.distributed, plan, loaded, where, options);
    const { cpuSeconds } = estimateRun(plan, 1);
    const worthwhile = where.workers === undefined && cpuSeconds < SECONDS_WORTH_THREADS ? 1 : workersOf(where.workers);
    const threads = Math.min(worthwhile, plan.taskCount);
    const runner = threads === 1 ? inlineRunner(plan) : threadRunner(plan, loaded.modules, threads);
    const { checkpoint } = where;
    return runScenario(plan, runner, { ...options, ...(checkpoint !== undefined && { checkpoint }) });
  });
}

async function runDistributed(url: string, plan: Plan, loaded: Studies, where: Where, options: FleetOptions) {
  const { Database } = await import("../../fleet/distributed/database.ts");
  const { coordinate } = await import("../../fleet/distributed/coordinate.ts");
  const workers = workersOf(where.workers);
  const database = await Database.open(url, connectionsFor(workers), where.schema);
  try {
    return await coordinate(database, plan, {
      ...options,
      ...loaded,
      workers,
      name: workerName(),
      leaseMs: where.lease! * 1000,
      isWorking: where.work!,
    });
  } finally {
    await database.close();
  }
}

/** A few statements a second go over each; one connection holds the lock. */
export function connectionsFor(workers: number): number {
  return Math.min(2 + workers, 16);
}

/** Nobody else has it. */
export function workerName(): string {
  return `${hostname()}/${process.pid}/${randomUUID()}`;
}

function tellResumed(cells: number, damaged: number): void {
  const again = damaged === 0 ? "" : `, and ${countText(damaged, "damaged line")} run again`;
  process.stderr.write(`quiesce: ${countText(cells, "cell")} done before${again}\n`);
}
