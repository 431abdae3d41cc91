/** Runs the command: the one place where errors become exit codes. */
import { CommanderError } from "commander";
import { Exit, verdictOf } from "./exit.ts";
import { plainText } from "./names.ts";
import { quiesceProgram } from "./program.ts";

/** Of these arguments; gives the exit code. */
export async function run(args: readonly string[]): Promise<number> {
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
