/** `quiesce board`: a fresh simulated board, powered up and looked at. `quiesce board run` and `serve`: see board-run.ts, board-serve.ts. */
import type { Command } from "commander";
import { DEFAULT_SEED, seedOption } from "../options.ts";
import { wantsJson } from "../output.ts";
import { addBoardRun } from "./board-run.ts";
import { addBoardServe } from "./board-serve.ts";

type Options = { seed: number; agreement?: string; bootProfile?: true };

export function addBoard(parent: Command): void {
  const board = parent
    .command("board")
    .description("boot a fresh simulated board and show its state, fuses, journal and meter")
    .option("--seed <n>", "everything random on the board comes from it", seedOption, DEFAULT_SEED)
    .option("--agreement <file>", "provision it with this agreement first")
    .option("--boot-profile", "boot it many times instead, and show where the time goes")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce board --seed 7 --json\n  $ quiesce board --agreement agreement.cbor\n  $ quiesce board --boot-profile\n",
    )
    .action(async (options: Options, command: Command) => {
      if (options.bootProfile) {
        const { showBootProfile } = await import("../boot-profile-view.ts");
        return showBootProfile(options, wantsJson(command));
      }
      const { showBoard } = await import("../board-view.ts");
      showBoard(options, wantsJson(command));
    });
  addBoardRun(board);
  addBoardServe(board);
}
