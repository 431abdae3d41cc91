/** `quiesce log verify`: proofs of inclusion and non-issuance, and split views, offline. */
import { type Command, Option } from "commander";
import { wantsJson } from "../output.ts";
import { addKeyOptions, hashOption, KEYS_HELP, type KeyOptions, ueidOption } from "./log-options.ts";

export interface VerifyOptions extends KeyOptions {
  readonly entry?: string;
  readonly message?: string;
  readonly salt?: Uint8Array;
  readonly device?: Uint8Array;
}

export function addLogVerify(parent: Command): void {
  const verify = parent
    .command("verify")
    .description("verify a file offline: a proof of inclusion (tlog-proof), a proof of non-issuance, or a split view")
    .argument("<file>", "the proof, or - for stdin");
  addKeyOptions(verify)
    .addOption(new Option("--entry <file>", "inclusion: the entry that must be there (default: the one in the proof)"))
    .addOption(new Option("--message <file>", "or the license, order, recovery or agreement").conflicts("entry"))
    .addOption(new Option("--salt <hex>", "of the message, where the log has commitments").argParser(hashOption))
    .addOption(new Option("--device <ueid>", "non-issuance: the device that it must be for").argParser(ueidOption))
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `${KEYS_HELP}
The exit code is 0 for a proof that holds, 1 for one that does not, and 5 for a split view that is proved.

Examples:
  $ quiesce log verify license.tlog-proof --message license-1.cbor --agreement agreement.cbor
  $ quiesce log verify may.non-issuance --device 01... --log-key VKEY --witness VKEY VKEY --witness-quorum 2
  $ quiesce log verify split-view.json --log-key VKEY
`,
    )
    .action(async (file: string, options: VerifyOptions, command: Command) => {
      const { verifyFile } = await import("../log-verify-view.ts");
      await verifyFile(file, options, wantsJson(command));
    });
}
