/** `quiesce log fsck`: rebuilds a mirror from the bytes on its disk. */
import type { Command } from "commander";
import { wantsJson } from "../output.ts";
import { addKeyOptions, KEYS_HELP, type KeyOptions } from "./log-options.ts";

export function addLogFsck(parent: Command): void {
  const fsck = parent
    .command("fsck")
    .description("rebuild a mirror from the bytes on disk, and name the first place that is broken; changes nothing")
    .argument("<folder>", "the mirror of a monitor, or any folder with a log's files");
  addKeyOptions(fsck)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `${KEYS_HELP}
The exit code is 0 where all of it is good, and 1 where something is broken.

Example:
  $ quiesce log fsck mirror --agreement agreement.cbor
`,
    )
    .action(async (folder: string, options: KeyOptions, command: Command) => {
      const { fsckMirror } = await import("../log-fsck-view.ts");
      await fsckMirror(folder, options, wantsJson(command));
    });
}
