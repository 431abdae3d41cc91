/** The command as a process: its streams, and its exit code. */
import { Exit } from "./exit.ts";
import { run } from "./run.ts";

// A reader that has seen enough, as in `quiesce demo | head`, is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(Exit.DONE);
    throw error;
  });
}

process.exitCode = await run(process.argv.slice(2));
