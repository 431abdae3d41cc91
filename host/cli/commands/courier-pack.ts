/** `quiesce courier pack`: at the verifiers, what goes to a site; at a site, what goes to the verifiers. */
import { type Command, Option } from "commander";
import { wantsJson } from "../output.ts";
import { addCredentialOptions, type VerifierOptions } from "./courier-options.ts";

export interface PackOptions extends VerifierOptions {
  readonly boards?: string;
  readonly with?: string;
  readonly keep?: string;
  readonly site?: string;
  readonly offlineLicense?: string;
  readonly budget?: string;
  readonly ticks?: string;
  readonly window?: string;
}

export function addCourierPack(parent: Command): void {
  const pack = parent
    .command("pack")
    .description("put onto a stick what verifiers have for a site, or what the boards of a site have to say")
    .argument("<stick>", "a folder; what waits there for the site stays")
    .option("--verifier <url...>", "at the verifiers: their addresses, which name them; nonces are of all of them")
    .addOption(new Option("--boards <folder>", "at the site: the folder of the boards' sockets").conflicts("verifier"))
    .option("--with <stick>", "at the site: the stick that came, with nonces for evidence")
    .option(
      "--keep <folder>",
      "at the site: where reports are kept between visits (default: courier in that of boards)",
    )
    .option(
      "--site <name>",
      "at the verifiers: whose boards get nonces (default: those that the stick has answers for)",
    );
  addCredentialOptions(pack)
    .option("--offline-license <ueids>", "a license that answers no evidence, for 1 to 32 boards, with commas between")
    .option("--budget <budget>", "of that license: tensor_bf16=1e18FLOP,copy=1TB")
    .option("--ticks <ticks>", "of that license: how many ticks it lasts at most")
    .option("--window <time>", "of that license: how long it is valid from now, such as 30d")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  $ quiesce courier pack out --verifier https://north.example --site hall-1 --token-file ada.token\n" +
        "  $ quiesce courier pack out --verifier https://north.example --site hall-1 --keys keys --cert hall.crt --key hall.key\n" +
        "  $ quiesce courier pack back --boards /run/boards --with out\n",
    )
    .action(async (stick: string, options: PackOptions, command: Command) => {
      const { packStick } = await import("../courier.ts");
      await packStick(stick, options, wantsJson(command));
    });
}
