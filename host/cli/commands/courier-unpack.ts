/** `quiesce courier unpack`: at a site, to its boards; at the verifiers, to them, with the answers for the way back. */
import { type Command, Option } from "commander";
import { wantsJson } from "../output.ts";
import { addCredentialOptions, type VerifierOptions } from "./courier-options.ts";

export interface UnpackOptions extends VerifierOptions {
  readonly boards?: string;
  readonly answers?: string;
  readonly keep?: string;
  readonly site?: string;
}

export function addCourierUnpack(parent: Command): void {
  const unpack = parent
    .command("unpack")
    .description("give what a stick brought to the boards of a site, or to verifiers")
    .argument("<stick>", "the folder that was packed at the other end")
    .option("--verifier <url...>", "at the verifiers: their addresses, as they were when nonces were packed")
    .addOption(new Option("--boards <folder>", "at the site: the folder of the boards' sockets").conflicts("verifier"))
    .option("--answers <stick>", "at the verifiers: another folder, for what goes back to the site")
    .option(
      "--keep <folder>",
      "at the site: where reports are kept between visits (default: courier in that of boards)",
    )
    .option("--site <name>", "at the verifiers: where new boards stand, for clients that may say so");
  addCredentialOptions(unpack)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  $ quiesce courier unpack out --boards /run/boards\n" +
        "  $ quiesce courier unpack back --verifier https://north.example --answers out\n" +
        "  $ quiesce courier unpack back --verifier https://north.example --answers out --keys keys --passphrase-file pass\n",
    )
    .action(async (stick: string, options: UnpackOptions, command: Command) => {
      const { unpackStick } = await import("../courier.ts");
      await unpackStick(stick, options, wantsJson(command));
    });
}
