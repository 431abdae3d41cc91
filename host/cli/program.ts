/** The program `quiesce`: its options and commands. Nothing runs before it is asked to. */
import { Command } from "commander";
import { addAgent } from "./commands/agent.ts";
import { addAttack } from "./commands/attack.ts";
import { addBoard } from "./commands/board.ts";
import { addCourier } from "./commands/courier.ts";
import { addDemo } from "./commands/demo.ts";
import { addErrors } from "./commands/errors.ts";
import { addFleet } from "./commands/fleet.ts";
import { addInspect } from "./commands/inspect.ts";
import { addKey } from "./commands/key.ts";
import { addLog } from "./commands/log.ts";
import { addPolicy } from "./commands/policy.ts";
import { addVerifier } from "./commands/verifier.ts";
import { addWitness } from "./commands/witness.ts";
import { addWorkloads } from "./commands/workloads.ts";
import { usageLine, wrongUse } from "./exit.ts";
import { version } from "./version.ts";

const EXIT_CODES = `
Exit codes:
  0  done
  1  the thing judged is not good: an invalid signature, a broken invariant, a refusal, a damaged store
  2  wrong use: an unknown option or command, a missing file, a wrong type, an unreadable trace
  3  internal error (one line; --debug shows where)
  4  another process that is needed is not there: a verifier or a database that has ended, or does not answer
  5  a log shows a split view: two heads that it signed contradict each other

Colors are left out with NO_COLOR=1 and where the output is no terminal. Progress goes to stderr.
`;

const EXAMPLES = `
Examples:
  $ quiesce demo                                     the whole story in a few seconds
  $ quiesce board run --trace result_0.txt --json    a recorded training run under licenses
  $ quiesce license inspect license-1.cbor --agreement agreement.cbor
`;

export function quiesceProgram(): Command {
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
  addAttack(quiesce);
  addFleet(quiesce);
  addAgent(quiesce);
  addInspect(quiesce);
  addPolicy(quiesce);
  addKey(quiesce);
  addVerifier(quiesce);
  addWitness(quiesce);
  addLog(quiesce);
  addCourier(quiesce);
  addWorkloads(quiesce);
  addErrors(quiesce);
  addHelp(quiesce);
  return quiesce;
}

/** Commander's own prints the whole help for a command that is unknown. */
function addHelp(parent: Command): void {
  parent
    .helpCommand(false)
    .command("help")
    .description("show what a command does")
    .argument("[command...]", "the command")
    .addHelpText("after", "\nExample:\n  $ quiesce help board run\n")
    .action((names: string[]) => {
      let command = parent;
      for (const name of names) {
        const child = command.commands.find((known) => known.name() === name);
        if (!child) throw wrongUse(`there is no command '${names.join(" ")}'; \`quiesce --help\` lists them all`);
        command = child;
      }
      command.outputHelp();
    });
}
