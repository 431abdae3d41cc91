/** Runs the agent for `quiesce agent run`, until a signal ends it. */
import { basename } from "node:path";
import type { AgentConfig } from "../agent/daemon/config.ts";
import { AgentDaemon } from "../agent/daemon/daemon.ts";
import { agentLogger } from "../agent/daemon/log.ts";
import { ConfigError } from "../agent/daemon/read-config.ts";
import { AgentError } from "../agent/errors.ts";
import { mistakesOf, readConfig } from "./agent-config.ts";
import { wrongUse } from "./exit.ts";

export async function runAgent(path: string): Promise<void> {
  const config = readConfig(path);
  const log = agentLogger(config.logLevel);
  const stopped = untilSignal();
  const daemon = await openDaemon(config, path, log);
  daemon.start();
  log.info({ state: config.state, verifiers: config.verifiers.map(({ name }) => name) }, "started");
  const signal = await stopped;
  log.info({ signal }, "stopping");
  await daemon.stop();
  log.info({}, "stopped");
}

async function openDaemon(
  config: AgentConfig,
  path: string,
  log: ReturnType<typeof agentLogger>,
): Promise<AgentDaemon> {
  try {
    return await AgentDaemon.open(config, { log, file: basename(path) });
  } catch (error) {
    if (error instanceof ConfigError) throw mistakesOf(error);
    if (error instanceof AgentError) throw wrongUse(`${error.code}: ${error.message}`, error);
    throw error;
  }
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
  });
}
