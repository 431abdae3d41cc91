/** What all `quiesce key` commands share: where keys are, how they are opened, and how a refusal ends the command. */
import { type Command, Option } from "commander";
import { Limit } from "../../../firmware/protocol/limits.ts";
import type { Keystore } from "../../keys/keystore.ts";
import type { KeySource } from "../../keys/signer.ts";
import { CliError, Exit, wrongUse } from "../exit.ts";

export type KeyOptions = { keys?: string; passphraseFile?: string; signer?: string };

export function addKeysOption(command: Command): Command {
  return command.option("--keys <folder>", "the folder of encrypted keys");
}

export function addPassphraseOption(command: Command): Command {
  return addKeysOption(command).option(
    "--passphrase-file <file>",
    "its first line; without it QUIESCE_PASSPHRASE, or a terminal is asked",
  );
}

export function addSignerOption(command: Command): Command {
  const signer = new Option("--signer <command>", "a process that holds the keys instead: docs/keys.md");
  return command.addOption(signer.conflicts(["keys", "passphraseFile"]));
}

/** Runs it, and ends with a refusal of the keys as one line: wrong use, or a key or signer that is not good. */
export async function withKeys(work: () => Promise<void>): Promise<void> {
  // Loaded only here: no other command needs what the keys need.
  const { KeyError } = await import("../../keys/errors.ts");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    const exit = error.class === "use" ? Exit.WRONG_USE : Exit.NOT_GOOD;
    throw new CliError(exit, `${error.code}: ${error.message}`, { cause: error });
  }
}

/** The folder as it is, or with `make` a new one if there is none. */
export async function keystoreOf({ keys }: KeyOptions, make = false): Promise<Keystore> {
  if (keys === undefined) throw wrongUse("name the folder of keys: --keys FOLDER");
  const { KeyFolder } = await import("../../keys/folder.ts");
  const { Keystore } = await import("../../keys/keystore.ts");
  return new Keystore(make ? KeyFolder.make(keys) : new KeyFolder(keys));
}

export async function passphraseOf({ passphraseFile }: KeyOptions, isNew = false): Promise<Uint8Array> {
  const { readPassphrase } = await import("../../keys/passphrase.ts");
  return readPassphrase({ file: passphraseFile, isNew });
}

/** The keys that sign: of a folder, which takes the passphrase, or of a process. The caller closes it. */
export async function sourceOf(options: KeyOptions): Promise<KeySource> {
  if (options.signer !== undefined) {
    const { SignerProcess } = await import("../../keys/signer-process.ts");
    return new SignerProcess(splitCommand(options.signer));
  }
  const store = await keystoreOf(options);
  const { OpenKeystore } = await import("../../keys/keystore.ts");
  return new OpenKeystore(store, await passphraseOf(options));
}

/** Words between spaces, or a JSON array of texts where a word holds one. No shell reads it. */
function splitCommand(text: string): string[] {
  if (!text.startsWith("[")) return text.split(/\s+/).filter((word) => word !== "");
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  } catch {
    // Said below.
  }
  throw wrongUse("--signer takes words between spaces, or a JSON array of texts");
}

export function kidArgument(text: string): Uint8Array {
  if (!/^[0-9a-f]+$/i.test(text) || text.length !== 2 * Limit.KID_BYTES) {
    throw wrongUse(`'${text}' is no kid: it has ${2 * Limit.KID_BYTES} hex digits, and \`quiesce key list\` shows it`);
  }
  return new Uint8Array(Buffer.from(text, "hex"));
}
