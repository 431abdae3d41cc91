/** `quiesce agent`: the operator's daemon, and what it says of itself. */
import type { Command } from "commander";
import { group } from "../group.ts";
import { addAgentRun } from "./agent-run.ts";
import { addAgentStatus } from "./agent-status.ts";

export function addAgent(parent: Command): void {
  const agent = group(parent, "agent", "the operator's agent: carries messages between boards and verifiers");
  agent.addHelpText(
    "after",
    "\nExample:\n  $ quiesce agent run --config agent.json\n  $ quiesce agent status --config agent.json\n",
  );
  addAgentRun(agent);
  addAgentStatus(agent);
}
