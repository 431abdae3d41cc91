/** `quiesce verifier backup` and `restore`: a copy of a store in a folder, and the way back. docs/store.md */
import type { Command } from "commander";
import type { Config } from "../../service/config/config.ts";
import { wrongUse } from "../exit.ts";
import { checkNewFile, inputBytes } from "../input.ts";
import { countText, exactText, timeText } from "../names.ts";
import { facts, print, printJson, wantsJson } from "../output.ts";
import { addConfigOption, type ConfigOption, configOf, withVerifier } from "./verifier-options.ts";

export function addVerifierBackup(parent: Command): void {
  addConfigOption(parent.command("backup"))
    .description(
      "copy the store of a verifier, which may go on meanwhile, into a new file; a manifest is written beside it",
    )
    .argument("<file>", "where to write it; nothing is overwritten")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nA backup holds what the store does: hashes of tokens and the secret of nonces too. Keys, configuration and\n" +
        "agreement are not in it: keep copies of them as well.\n" +
        "\nExample:\n  $ quiesce verifier backup north-monday.db --config north/verifier.json\n",
    )
    .action((file: string, options: ConfigOption, command: Command) =>
      withVerifier(async () => {
        const { backupFolder, manifestPath } = await import("../../store/sqlite/backup.ts");
        const folder = folderOf(await configOf(options), "pg_dump");
        const manifest = manifestPath(file);
        for (const path of [file, manifest]) checkNewFile(path);
        const { createdMs, bytes, sha256, rows } = await backupFolder(folder, file, Date.now());
        if (wantsJson(command)) return printJson({ file, manifest, createdMs, bytes, sha256, rows });
        print(
          facts(
            [
              ["backup", file],
              ["manifest", manifest],
              ["of", timeOf(createdMs)],
              ["holds", `${countText(sumOf(rows), "row")}, ${exactText(bytes)} bytes`],
              ["sha-256", sha256],
            ],
            "",
          ),
        );
      }),
    );
}

export function addVerifierRestore(parent: Command): void {
  addConfigOption(parent.command("restore"))
    .description("check a backup and put it where the configuration has its store; nothing may be there yet")
    .argument("<file>", "the backup, its manifest beside it")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nA restored verifier is one that went back in time: it does not know what was signed, ordered or revoked\n" +
        "since. What to do before it serves is in docs/store.md.\n" +
        "\nExample:\n  $ mv north/store north/store-damaged\n" +
        "  $ quiesce verifier restore north-monday.db --config north/verifier.json\n",
    )
    .action((file: string, options: ConfigOption, command: Command) =>
      withVerifier(async () => {
        const { restoreFolder } = await import("../../store/sqlite/backup.ts");
        const folder = folderOf(await configOf(options), "pg_restore");
        inputBytes(file);
        const { createdMs, bytes, rows } = await restoreFolder(file, folder, Date.now());
        if (wantsJson(command)) return printJson({ folder, backupMs: createdMs, bytes, rows });
        print(
          facts(
            [
              ["restored", folder],
              ["as of", timeOf(createdMs)],
              ["holds", countText(sumOf(rows), "row")],
            ],
            "",
          ),
        );
        process.stderr.write(
          `What was signed, ordered, reported or revoked after ${timeOf(createdMs)} is not in it.\n` +
            "Before it serves: deliver the orders since, revoke again what was revoked since. docs/store.md\n",
        );
      }),
    );
}

function folderOf({ databaseUrl, folder }: Config, tool: string): string {
  if (databaseUrl === undefined) return folder;
  throw wrongUse(`the store is in PostgreSQL: its own tool is ${tool}; to move it, \`quiesce verifier export\``);
}

function sumOf(rows: Readonly<Record<string, number>>): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0);
}

function timeOf(ms: number): string {
  return timeText(Math.floor(ms / 1000));
}
