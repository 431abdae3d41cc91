/** `quiesce board run`: one honest board runs a whole workload under licenses, and the books are compared. */
import type { Command } from "commander";
import { DEFAULT_SEED, seedOption } from "../options.ts";
import { wantsJson } from "../output.ts";
import { addWorkloadOptions, type WorkloadOptions } from "../workload.ts";
import { refuseBoardOptions } from "./board-options.ts";

export function addBoardRun(parent: Command): void {
  addWorkloadOptions(parent.command("run"))
    .description("run a whole workload on one honest board, and compare licensed, done and reported work")
    .option("--seed <n>", "everything random comes from it", seedOption, DEFAULT_SEED)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce board run --trace result_0.txt --json\n  $ quiesce board run --workload resnet-ddp\n",
    )
    .action(async (_options: object, command: Command) => {
      refuseBoardOptions(command, "board run", "it makes one that suits the workload");
      const { runBoard } = await import("../run-view.ts");
      runBoard(command.optsWithGlobals<WorkloadOptions & { seed: number }>(), wantsJson(command));
    });
}
