/** Runs the command: the one place where errors become exit codes. */
import { CommanderError } from "commander";
import { Exit, verdictOf } from "./exit.ts";
import { plainText } from "./names.ts";
import { quiesceProgram } from "./program.ts";

async function main(args: string[]): Promise<number> {
  const quiesce = quiesceProgram();
  if (args.length === 0) {
    quiesce.outputHelp();
    return Exit.DONE;
  }
  try {
    await quiesce.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? Exit.DONE);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.DONE : Exit.WRONG_USE;
    const { exit, line } = verdictOf(error);
    process.stderr.write(`quiesce: ${plainText(line)}\n`);
    if (args.includes("--debug") && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return exit;
  }
}

// A reader that has seen enough, as in `quiesce demo | head`, is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(Exit.DONE);
    throw error;
  });
}

process.exitCode = await main(process.argv.slice(2));
