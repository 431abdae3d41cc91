/** `quiesce log prove`: proofs from a mirror, for whoever has the keys. */
import { type Command, Option } from "commander";
import { wantsJson } from "../output.ts";
import {
  addKeyOptions,
  hashOption,
  KEYS_HELP,
  type KeyOptions,
  leafOption,
  secondsOption,
  ueidOption,
} from "./log-options.ts";

export interface ProveOptions extends KeyOptions {
  readonly leaf?: number;
  readonly message?: string;
  readonly salt?: Uint8Array;
  readonly bare?: boolean;
  readonly nonIssuance?: boolean;
  readonly device?: Uint8Array;
  readonly from?: number;
  readonly to?: number;
  readonly out?: string;
}

export function addLogProve(parent: Command): void {
  const prove = parent
    .command("prove")
    .description("prove that an entry is in the log, or that nothing was logged for a device in a time range")
    .argument("<folder>", "the mirror of a monitor");
  addKeyOptions(prove)
    .option("--leaf <index>", "the entry, by its place", leafOption)
    .addOption(
      new Option("--message <file>", "or by the license, order, recovery or agreement in it").conflicts("leaf"),
    )
    .addOption(new Option("--salt <hex>", "of the message, where the log has commitments").argParser(hashOption))
    .option("--bare", "leave the entry out of the proof: whoever verifies it has it")
    .addOption(new Option("--non-issuance", "prove that there is nothing").conflicts(["leaf", "message", "bare"]))
    .option("--device <ueid>", "for this device", ueidOption)
    .option("--from <time>", "from this time: 2026-01-31T12:00:00Z, a day, or Unix seconds", secondsOption)
    .option("--to <time>", "to this time", secondsOption)
    .option("--out <file>", "where the proof goes; a proof of inclusion goes to stdout without it")
    .option("--json", "print one JSON document about the proof; it takes --out")
    .addHelpText(
      "after",
      `${KEYS_HELP}
A proof is verified before it is written. The exit code is 1 where there is nothing to prove, as for a device that got
a license in the range.

Examples:
  $ quiesce log prove mirror --leaf 12 --agreement agreement.cbor > license.tlog-proof
  $ quiesce log prove mirror --non-issuance --device 01... --from 2026-05-01 --to 2026-06-01 \\
      --out may.non-issuance --agreement agreement.cbor
`,
    )
    .action(async (folder: string, options: ProveOptions, command: Command) => {
      const { prove: proveFrom } = await import("../log-prove-view.ts");
      await proveFrom(folder, options, wantsJson(command));
    });
}
