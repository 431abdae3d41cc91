/** `quiesce log audit`: everything in a mirror for a device, or of a party. */
import { type Command, Option } from "commander";
import { wantsJson } from "../output.ts";
import { addKeyOptions, KEYS_HELP, type KeyOptions, ueidOption } from "./log-options.ts";

export interface AuditOptions extends KeyOptions {
  readonly device?: Uint8Array;
  readonly party?: string;
}

export function addLogAudit(parent: Command): void {
  const audit = parent
    .command("audit")
    .description("list what a mirror has for a device, or of a party")
    .argument("<folder>", "the mirror of a monitor");
  addKeyOptions(audit)
    .addOption(new Option("--device <ueid>", "what names it, and what is for all").argParser(ueidOption))
    .addOption(
      new Option("--party <kid>", "what it signed: its key's id, or its name in the agreement").conflicts("device"),
    )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `${KEYS_HELP}
Signatures are judged where the agreement is known: the one given, and those in the log that amend it. Commitments name
devices and nothing else: they are found by device only. The exit code is 1 where a signature does not hold.

Examples:
  $ quiesce log audit mirror --device 01... --agreement agreement.cbor
  $ quiesce log audit mirror --party North --agreement agreement.cbor --json
`,
    )
    .action(async (folder: string, options: AuditOptions, command: Command) => {
      const { auditMirror } = await import("../log-audit-view.ts");
      await auditMirror(folder, options, wantsJson(command));
    });
}
