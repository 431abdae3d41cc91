/** `quiesce board serve`: simulated boards in real time, each behind a Unix socket, for an agent to talk to. */
import type { Command } from "commander";
import type { ServeOptions } from "../board-serve/serve.ts";
import { boardsOption, DEFAULT_SEED, seedOption, speedOption, tickHzOption } from "../options.ts";
import { wantsJson } from "../output.ts";
import { addWorkloadOptions } from "../workload.ts";
import { refuseBoardOptions } from "./board-options.ts";

const TICK_HZ = 1000;

export function addBoardServe(parent: Command): void {
  addWorkloadOptions(parent.command("serve"))
    .description("run simulated boards in real time, each on its own Unix socket, until SIGINT or SIGTERM")
    .requiredOption("--socket <path>", "the folder of sockets; or one socket, NAME.sock, for one board")
    .option("--boards <n>", "so many boards", boardsOption, 1)
    .option("--seed <n>", "everything random on the boards comes from it", seedOption, DEFAULT_SEED)
    .option("--state <folder>", "keep flash, fuses and counters there: a restart is a power cycle")
    .option("--manufacturer <file>", "the manufacturer's key, 64 hexadecimal digits; without it, of the seed")
    .option("--tick-hz <n>", "the oscillators' rate: that of the agreement", tickHzOption, TICK_HZ)
    .option("--speed <x>", "so many times as fast as the machine's clock", speedOption, 1)
    .option("--set-clock <url...>", "verifiers with a simulated clock that are told the time")
    .option("--token-file <file>", "the token for that")
    .option("--json", "print one JSON document when the boards listen")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce board serve --socket boards --state parts --workload llama405b-train --boards 4\n",
    )
    .action(async (_options: object, command: Command) => {
      refuseBoardOptions(command, "board serve", "the agent brings it");
      const { serveBoards } = await import("../board-serve/serve.ts");
      await serveBoards(command.optsWithGlobals<ServeOptions>(), wantsJson(command));
    });
}
