/** Which workload a command plays: a recording, or a built-in one. */
import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { builtinWorkload } from "../../sim-board/workloads/builtin.ts";
import { readTrace } from "../../sim-board/workloads/read.ts";
import { sumWork, type Workload } from "../../sim-board/workloads/types.ts";
import { wrongUse } from "./exit.ts";
import { ranksOption, stepsOption } from "./options.ts";

export type WorkloadOptions = { trace?: string; ranks?: number; workload?: string; steps?: number };

export function addWorkloadOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--trace <file>", "play a recording: docs/workloads.md lists the formats").conflicts("workload"),
    )
    .addOption(
      new Option("--ranks <n>", "boards of the recorded job, where the recording does not say")
        .argParser(ranksOption)
        .conflicts("workload"),
    )
    .option("--workload <name>", "play a built-in workload: `quiesce workloads` lists them")
    .option("--steps <n>", "play only so many training steps (or phases, where there are no steps)", stepsOption);
}

/** Throws a `CliError` or a `WorkloadError`. `fallback` is the built-in workload that is played if none is named. */
export function chooseWorkload(options: WorkloadOptions, fallback?: string): Workload {
  const workload = readWorkload(options, fallback);
  if (workload.totals.work.size > 0) return workload;
  throw wrongUse(`${workload.name} holds no work that could be licensed${options.steps ? ": try more --steps" : ""}`);
}

function readWorkload(options: WorkloadOptions, fallback: string | undefined): Workload {
  const { trace, ranks, steps } = options;
  if (trace !== undefined) {
    if (!existsSync(trace)) throw wrongUse(`the trace '${trace}' cannot be opened: there is no such file`);
    return shorten(readTrace(trace, ranks === undefined ? {} : { boards: ranks }), steps);
  }
  if (ranks !== undefined) throw wrongUse("--ranks says how many boards a recording is of: name it with --trace FILE");
  const name = options.workload ?? fallback;
  if (name === undefined) throw wrongUse("name what is to be run: --trace FILE or --workload NAME");
  return builtinWorkload(name, { steps });
}

/** The first `steps` steps, or phases of a recording without steps. Its recorded totals stay those of the whole. */
function shorten(workload: Workload, steps: number | undefined): Workload {
  if (steps === undefined) return workload;
  const all = [...workload.phases()];
  const hasSteps = all.some(({ step }) => step !== undefined);
  const end = hasSteps ? all.findIndex(({ step }) => step !== undefined && step >= steps) : steps;
  const phases = end < 0 ? all : all.slice(0, end);
  const durationSeconds = phases.reduce((sum, phase) => sum + phase.durationSeconds, 0);
  return {
    ...workload,
    totals: { ...workload.totals, work: sumWork(phases), durationSeconds },
    phases: () => phases,
  };
}
