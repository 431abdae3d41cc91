/** A folder that a witness can be started from: its key under a passphrase, and the configuration. */
import { join } from "node:path";
import { KeyFolder } from "../keys/folder.ts";
import { Keystore } from "../keys/keystore.ts";
import { readPassphrase } from "../keys/passphrase.ts";
import { type NoteKey, NoteType, noteKey } from "../log/note.ts";
import { makeNewFolder, newPassphrase, writeNew } from "../service/init/new-folder.ts";
import { readWitnessConfig } from "./config.ts";

export interface WitnessInitOptions {
  readonly folder: string;
  /** Of the witness, as it stands in its cosignatures. */
  readonly name: string;
  /** As the configuration has them: vkeys, with origins where these are others. */
  readonly logs: readonly string[];
  readonly port: number | undefined;
  /** Of an existing passphrase; undefined: one is made, and kept in the folder. */
  readonly passphraseFile: string | undefined;
}

export interface WitnessInitResult {
  readonly configFile: string;
  readonly passphraseFile: string;
  readonly key: NoteKey;
}

/** Nothing that is there already is touched. Throws `ConfigError`, `KeyError`. */
export async function initWitness(options: WitnessInitOptions): Promise<WitnessInitResult> {
  const { folder, name, logs, port } = options;
  const settings = { name, folder: "store", ...(port !== undefined && { listen: { port } }), logs };
  // What is wrong with them is said before anything is made.
  readWitnessConfig(JSON.stringify(settings), folder, {});
  makeNewFolder(folder);
  const passphraseFile = options.passphraseFile ?? newPassphrase(folder);
  const passphrase = await readPassphrase({ file: passphraseFile, isNew: true });
  const keys = new Keystore(KeyFolder.make(join(folder, "keys")));
  const { publicKey } = await keys.create(KEY_LABEL, passphrase);
  await keys.forget();
  passphrase.fill(0);
  const configFile = join(folder, "witness.json");
  const keystore = { folder: "keys", passphraseFile: options.passphraseFile ?? "passphrase" };
  writeNew(configFile, `${JSON.stringify({ ...settings, keystore }, null, 2)}\n`);
  return { configFile, passphraseFile, key: noteKey(name, NoteType.COSIGNATURE, publicKey) };
}

const KEY_LABEL = "witness";
