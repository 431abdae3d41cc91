/** How `quiesce courier` reaches verifiers, and who it says that it is: as `quiesce agent run` does by its configuration. */
import { type Command, Option } from "commander";

export interface VerifierOptions {
  readonly verifier?: readonly string[];
  readonly ca?: string;
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
  readonly tokenFile?: readonly string[];
  readonly keys?: string;
  readonly kid?: string;
  readonly passphraseFile?: string;
}

/** Those that say who asks. */
export const CREDENTIALS = ["ca", "cert", "key", "tokenFile", "keys", "kid", "passphraseFile"] as const;

export function addCredentialOptions(command: Command): Command {
  return command
    .option("--token-file <file...>", "a file with a token: one for all verifiers, or one for each")
    .addOption(
      new Option("--keys <folder>", "or a folder of encrypted keys: requests are signed with one").conflicts(
        "tokenFile",
      ),
    )
    .option("--kid <kid>", "which of these keys (default: the only active one)")
    .option("--passphrase-file <file>", "of these keys; without it QUIESCE_PASSPHRASE, or a terminal is asked")
    .option("--ca <file>", "whom to trust over TLS, PEM")
    .option("--cert <file...>", "who asks, over TLS, PEM: one certificate for all verifiers, or one for each")
    .option("--key <file...>", "the private key of each --cert, PEM, which its owner alone may read");
}
