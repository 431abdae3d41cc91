/** A command that only holds others: without one of them it is wrong use, said in one line. */
import type { Command } from "commander";
import { wrongUse } from "./exit.ts";

export function group(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .allowExcessArguments()
    .action((_options: object, command: Command) => {
      const known = command.commands.map((child) => child.name()).join(", ");
      const [asked] = command.args;
      throw wrongUse(
        asked === undefined ? `${name} needs a command: ${known}` : `${name} has no command '${asked}', but: ${known}`,
      );
    });
}
