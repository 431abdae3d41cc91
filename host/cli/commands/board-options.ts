/** Options of `quiesce board` that its subcommands do not take, wherever on the line they stand. */
import type { Command } from "commander";
import { wrongUse } from "../exit.ts";

/** Throws a `CliError` that says who brings the agreement instead. */
export function refuseBoardOptions(command: Command, name: string, agreementComes: string): void {
  const options = command.parent?.opts<{ agreement?: string; bootProfile?: true }>();
  if (options?.agreement !== undefined) throw wrongUse(`${name} takes no --agreement: ${agreementComes}`);
  if (options?.bootProfile)
    throw wrongUse(`${name} takes no --boot-profile: \`quiesce board --boot-profile\` shows it`);
}
