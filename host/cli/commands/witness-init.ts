/** `quiesce witness init`: a folder that a witness can be started from. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { wrongUse } from "../exit.ts";
import { color, facts, print, printJson, wantsJson } from "../output.ts";
import { collect } from "./verifier-options.ts";
import { withWitness } from "./witness-options.ts";

type Options = { name: string; log: string[]; port?: string; passphraseFile?: string };

export function addWitnessInit(parent: Command): void {
  parent
    .command("init")
    .description("make a folder to start from: a key, and a configuration")
    .argument("<folder>", "where; it must be empty or not there")
    .requiredOption("--name <name>", "what it is called in its cosignatures, such as witness.example/w1")
    .option("--log <vkey>", "a log to witness, as often as needed; with its origin behind a space", collect, [])
    .option("--port <number>", "port to listen on")
    .option("--passphrase-file <file>", "an existing passphrase (default: a new one, in the folder)")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce witness init w1 --name witness.example/w1 --log VKEY\n")
    .action((folder: string, options: Options, command: Command) =>
      withWitness(() => init(folder, options, wantsJson(command))),
    );
}

async function init(folder: string, { name, log, port, passphraseFile }: Options, asJson: boolean): Promise<void> {
  const { initWitness } = await import("../../witness/init.ts");
  const { formatVkey } = await import("../../log/note.ts");
  const made = await initWitness({
    folder,
    name,
    logs: log,
    port: port === undefined ? undefined : portOf(port),
    passphraseFile: passphraseFile && resolve(passphraseFile),
  });
  const vkey = formatVkey(made.key);
  const { configFile } = made;
  if (asJson) {
    printJson({ folder, configFile, passphraseFile: made.passphraseFile, vkey, publicKey: made.key.publicKey });
    return;
  }
  print(color.bold(`${folder}: a witness to start from`));
  print(
    facts([
      ["vkey", `${vkey}  (give it to whoever relies on the witness)`],
      ["configuration", configFile],
      ["passphrase", `${made.passphraseFile}: whoever has it and the folder of keys cosigns in its name`],
    ]),
  );
  const first = log.length > 0 ? "" : `\n  put the vkeys of the logs into ${configFile}: "logs": ["NAME+ID+KEY"]`;
  print(`\nNext:${first}\n  quiesce witness serve --config ${configFile}`);
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port <= 65_535) return port;
  throw wrongUse(`--port is a whole number from 0 to 65535, not '${text}'`);
}
