/** `quiesce verifier export` and `import`: a whole store as text, from one engine to the other. docs/store.md */
import type { Command } from "commander";
import { checkNewFile, inputBytes } from "../input.ts";
import { countText, exactText } from "../names.ts";
import { print, printJson, wantsJson } from "../output.ts";
import { withProgress } from "../progress.ts";
import { addConfigOption, type ConfigOption, configOf, withStore, withVerifier } from "./verifier-options.ts";

const LOCKED = "store/locked: a verifier runs on this store: stop it; only a backup can be taken while it runs";

export function addVerifierExport(parent: Command): void {
  addConfigOption(parent.command("export"))
    .description("write everything in the store of a verifier into a new file, as lines of JSON")
    .argument("<file>", "where to write it; nothing is overwritten")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nAn export is of one state of the store. It holds hashes of tokens and the secret of nonces too.\n" +
        "\nExample:\n  $ quiesce verifier export north.jsonl --config north/verifier.json\n",
    )
    .action((file: string, options: ConfigOption, command: Command) =>
      withVerifier(async () => {
        const { exportToFile } = await import("../../store/transfer-file.ts");
        const { countRows } = await import("../../store/row-counts.ts");
        const config = await configOf(options);
        checkNewFile(file);
        const { rows, bytes } = await withStore(config, { mustExist: true }, async (store) => {
          const total = process.stderr.isTTY ? await countRows(store) : 0;
          return withProgress(total, "rows", (update) => exportToFile(store, file, update));
        });
        if (wantsJson(command)) printJson({ file, rows, bytes });
        else print(`${file}: ${countText(rows, "row")}, ${exactText(bytes)} bytes`);
      }, LOCKED),
    );
}

export function addVerifierImport(parent: Command): void {
  addConfigOption(parent.command("import"))
    .description("fill the empty store of a verifier with an export: all of it, or nothing")
    .argument("<file>", "the export")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nThe store is the folder, or the database, that the configuration or DATABASE_URL names; made if it is not\n" +
        "there. From then on start no verifier on the store that the export is of: there would be two.\n" +
        "\nExample:\n  $ quiesce verifier import north.jsonl --config north/postgres.json\n",
    )
    .action((file: string, options: ConfigOption, command: Command) =>
      withVerifier(async () => {
        const { importFromFile } = await import("../../store/transfer-file.ts");
        const config = await configOf(options);
        const total = inputBytes(file);
        const { engine, rows } = await withStore(config, {}, async (store) => {
          const imported = await withProgress(total, "bytes", (update) => importFromFile(store, file, update));
          return { engine: store.engine, ...imported };
        });
        if (wantsJson(command)) printJson({ engine, rows });
        else print(`${countText(rows, "row")} of ${file} are in the store: ${NAMES[engine]}`);
      }, LOCKED),
    );
}

const NAMES = { sqlite: "a folder", postgres: "PostgreSQL" } as const;
