/** `quiesce key sign FILE`: adds this party's signature to a draft, on a machine that may have no network. */
import { type Command, Option } from "commander";
import { SIGN_TYPES, type SignType } from "../../keys/sign-names.ts";
import { wantsJson } from "../output.ts";
import { addPassphraseOption, addSignerOption, type KeyOptions, withKeys } from "./key-options.ts";

export type SignOptions = KeyOptions & { type: SignType; out: string; kid?: string; agreement?: string };

export function addKeySign(parent: Command): void {
  addSignerOption(addPassphraseOption(parent.command("sign")))
    .description("add this party's signature to a draft; what it says is shown on stderr")
    .argument("<file>", "the draft, or - for stdin; it may be binary, hex or base64")
    .addOption(new Option("--type <type>", "what it must be").choices([...SIGN_TYPES]).makeOptionMandatory())
    .requiredOption("--out <file>", "where to write it; nothing is overwritten")
    .option("--kid <kid>", "the key to sign with; without it the agreement's, or the only active one")
    .option("--agreement <file>", "the agreement in force: the key is one of its parties', and classes are explained")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce key sign draft.cbor --type order --keys keys --out signed.cbor\n" +
        "  $ quiesce key sign draft.cbor --type order --out signed.cbor --signer 'token-signer --slot 1'\n",
    )
    .action((file: string, options: SignOptions, command: Command) =>
      withKeys(async () => {
        const { signFile } = await import("./key-sign-file.ts");
        await signFile(file, options, wantsJson(command));
      }),
    );
}
