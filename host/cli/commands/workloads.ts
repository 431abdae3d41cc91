/** `quiesce workloads`: the built-in ones, which need no file. */
import type { Command } from "commander";
import { listWorkloads } from "../../../sim-board/workloads/builtin.ts";
import { print, printJson, table, wantsJson } from "../output.ts";

export function addWorkloads(parent: Command): void {
  parent
    .command("workloads")
    .description("list the built-in workloads")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce workloads\n")
    .action((_options: object, command: Command) => {
      const workloads = listWorkloads();
      if (wantsJson(command)) printJson(workloads);
      else {
        const columns = [{ title: "name" }, { title: "steps", right: true }, { title: "what" }];
        print(
          table(
            columns,
            workloads.map(({ name, title, stepsDefault }) => [name, String(stepsDefault), title]),
            "",
          ),
        );
        print("\nAny recording of docs/workloads.md can be given instead: --trace FILE");
      }
    });
}
