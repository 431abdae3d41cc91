/** `quiesce agent status`: how the agent's boards stand, as a table or a document. */
import { type Command, Option } from "commander";
import { wantsJson } from "../output.ts";

const EXIT_CODES = `
Exit codes:
  0  the agent runs, and every board is well
  1  some board is not well, or the agent does not run
  2  wrong use: a missing file, an unreadable configuration, a folder without an agent's status
  3  internal error
`;

export function addAgentStatus(parent: Command): void {
  parent
    .command("status")
    .description("show each board: its gate, its license, reports that wait, and what is wrong")
    .addOption(new Option("--config <file>", "the agent's configuration, which names its state folder"))
    .addOption(new Option("--state <folder>", "the state folder itself").conflicts("config"))
    .option("--json", "print one JSON document")
    .addHelpText("after", `\nExample:\n  $ quiesce agent status --config agent.json\n${EXIT_CODES}`)
    .action(async (options: { config?: string; state?: string }, command: Command) => {
      const { showAgent } = await import("../agent-view.ts");
      showAgent(options, wantsJson(command));
    });
}
