/** `quiesce demo`: license, work, signed usage, pause, the operator's attempts, resume, closed books. */
import type { Command } from "commander";
import { DEFAULT_SEED, seedOption } from "../options.ts";
import { wantsJson } from "../output.ts";
import { addWorkloadOptions, type WorkloadOptions } from "../workload.ts";

export function addDemo(parent: Command): void {
  addWorkloadOptions(parent.command("demo"))
    .description("the whole story on one board, on the real firmware: license, work, pause, resume, closed books")
    .option("--seed <n>", "everything random comes from it: one seed, one run", seedOption, DEFAULT_SEED)
    .option("--save <folder>", "write agreement, licenses, orders, reports, evidence to a folder")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce demo --seed 7\n  $ quiesce demo --trace result_0.txt --json\n  $ quiesce demo --save objects\n",
    )
    .action(async (options: WorkloadOptions & { seed: number; save?: string }, command: Command) => {
      const { showDemo } = await import("../demo-view.ts");
      await showDemo(options, wantsJson(command));
    });
}
