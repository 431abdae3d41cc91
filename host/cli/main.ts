/** The program `quiesce`: its commands, and the one place where errors become exit codes. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addBoard } from "./commands/board.ts";
import { addDemo } from "./commands/demo.ts";
import { addErrors } from "./commands/errors.ts";
import { addInspect } from "./commands/inspect.ts";
import { addWorkloads } from "./commands/workloads.ts";
import { Exit, usageLine, verdictOf } from "./exit.ts";

const EXIT_CODES = `
Exit codes:
  0  done
  1  the thing judged is not good: an invalid signature, a broken invariant, a refusal
  2  wrong use: an unknown option or command, a missing file, a wrong type, an unreadable trace
  3  internal error (one line; --debug shows where)

Colors are left out with NO_COLOR=1 and where the output is no terminal. Progress goes to stderr.
`;

const EXAMPLES = `
Examples:
  $ quiesce demo                                     the whole story in a few seconds
  $ quiesce board run --trace result_0.txt --json    a recorded training run under licenses
  $ quiesce license inspect license-1.cbor --agreement agreement.cbor
`;

function program(): Command {
  const quiesce = new Command("quiesce")
    .description("A hardware-enforced pause for AI compute: governor firmware, board simulator, verifier")
    .version(version(), "-V, --version", "print the version")
    .option("--json", "print one JSON document instead of text")
    .option("--debug", "show the stack of an internal error")
    .helpOption("-h, --help", "show what a command does, with an example")
    .addHelpText("after", EXAMPLES + EXIT_CODES)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`quiesce: ${usageLine(text)}\n`) });
  addDemo(quiesce);
  addBoard(quiesce);
  addInspect(quiesce);
  addWorkloads(quiesce);
  addErrors(quiesce);
  return quiesce;
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function main(args: string[]): Promise<number> {
  const quiesce = program();
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
    process.stderr.write(`quiesce: ${line}\n`);
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
