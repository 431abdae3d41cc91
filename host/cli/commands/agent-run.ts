/** `quiesce agent run`: the operator's daemon, until SIGINT or SIGTERM. */
import type { Command } from "commander";

export function addAgentRun(parent: Command): void {
  parent
    .command("run")
    .description("keep boards licensed, ordered and reported, until SIGINT or SIGTERM")
    .requiredOption("--config <file>", "the configuration: docs/agent.md describes every key")
    .addHelpText("after", "\nExample:\n  $ quiesce agent run --config agent.json\n")
    .action(async ({ config }: { config: string }) => {
      const { runAgent } = await import("../agent-run.ts");
      await runAgent(config);
    });
}
