/** The agent's configuration for the commands that take it: each mistake in it is a line on stderr. */
import type { AgentConfig } from "../agent/daemon/config.ts";
import { ConfigError, readAgentConfig } from "../agent/daemon/read-config.ts";
import { CliError, Exit } from "./exit.ts";

/** Throws a `CliError`. */
export function readConfig(path: string): AgentConfig {
  try {
    return readAgentConfig(path);
  } catch (error) {
    if (error instanceof ConfigError) throw mistakesOf(error);
    throw error;
  }
}

/** All but the last are told at once: a command ends with one line. */
export function mistakesOf({ mistakes }: ConfigError): CliError {
  for (const mistake of mistakes.slice(0, -1)) process.stderr.write(`quiesce: ${mistake}\n`);
  return new CliError(Exit.WRONG_USE, mistakes.at(-1)!);
}
