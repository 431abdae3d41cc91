/** `quiesce log monitor`: follows a log into a folder. */
import { type Command, InvalidArgumentError } from "commander";
import { wantsJson } from "../output.ts";
import { addKeyOptions, KEYS_HELP, type KeyOptions } from "./log-options.ts";

export interface MonitorOptions extends KeyOptions {
  readonly mirror: string;
  readonly once?: boolean;
  readonly every: number;
  readonly ca?: string;
}

const EVERY_SECONDS_DEFAULT = 30;
const EVERY_SECONDS_MAX = 86_400;

export function addLogMonitor(parent: Command): void {
  const monitor = parent
    .command("monitor")
    .description("follow a log, verify all of it, and keep a copy; ends with a split view")
    .argument("<log>", "the log's address, or a folder that has its files")
    .requiredOption("--mirror <folder>", "where the copy is kept; it is made if there is none");
  addKeyOptions(monitor)
    .option("--once", "look once, and end")
    .option("--every <seconds>", "how long to wait between looks", everyOption, EVERY_SECONDS_DEFAULT)
    .option("--ca <file>", "whom to trust over TLS, PEM")
    .option("--json", "print one JSON document a look")
    .addHelpText(
      "after",
      `${KEYS_HELP}
Exit codes of a look: 0 good, or nothing new; 1 a log that is not good (rolled back, other tiles, an index that hides
entries); 4 a log that cannot be reached; 5 a split view, whose two signed heads are printed and kept in the mirror as
split-view.json. Without --once a log that is away, or whose files do not fit yet, is looked at again.

Examples:
  $ quiesce log monitor https://north.example/log --mirror mirror --agreement agreement.cbor
  $ quiesce log monitor https://north.example/log --mirror mirror --log-key VKEY --witness VKEY --once --json
`,
    )
    .action(async (log: string, options: MonitorOptions, command: Command) => {
      const { monitorLog } = await import("../log-monitor-view.ts");
      await monitorLog(log, options, wantsJson(command));
    });
}

function everyOption(text: string): number {
  const value = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || value < 1 || value > EVERY_SECONDS_MAX) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${EVERY_SECONDS_MAX}.`);
  }
  return value;
}
