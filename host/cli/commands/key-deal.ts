/** `quiesce key deal`: a key that no one holds, by a dealer who keeps nothing. */
import type { Command } from "commander";
import { wrongUse } from "../exit.ts";
import { facts, hex, print, printJson, wantsJson } from "../output.ts";
import { withKeys } from "./key-options.ts";

type DealOptions = { out: string; threshold: string; holders: string; passphraseFile?: string };

const GROUP_FILE = "group.cbor";

export function addDeal(parent: Command): void {
  parent
    .command("deal")
    .description("make a key that no one holds (FROST): a file of the group, and an encrypted share for each holder")
    .requiredOption("--out <folder>", "a folder for the files; it is made if there is none")
    .option("--threshold <count>", "how many holders make a signature", "2")
    .option("--holders <count>", "how many holders there are, 8 at most", "3")
    .option("--passphrase-file <file>", "its first line; without it QUIESCE_PASSPHRASE, or a terminal is asked")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce key deal --threshold 2 --holders 3 --out dealt\n")
    .action((options: DealOptions, command: Command) => withKeys(() => deal(options, wantsJson(command))));
}

async function deal(options: DealOptions, asJson: boolean): Promise<void> {
  const { KeyFolder } = await import("../../keys/folder.ts");
  const { dealShares } = await import("../../keys/frost-group.ts");
  const { encodeGroup, sealShare } = await import("../../keys/frost-file.ts");
  const { readPassphrase } = await import("../../keys/passphrase.ts");
  const { group, shares } = dealShares(countOf(options.threshold), countOf(options.holders));
  const passphrase = await readPassphrase({ file: options.passphraseFile, isNew: true });
  const folder = KeyFolder.make(options.out);
  await folder.change(async () => {
    // First, since it is refused where something was dealt before.
    folder.create(GROUP_FILE, encodeGroup(group));
    for (const share of shares) {
      folder.create(`share-${share.holder}.key`, await sealShare(group, share, passphrase));
      share.secret.fill(0);
    }
  });
  passphrase.fill(0);
  const { kid, publicKey, threshold, holders } = group;
  if (asJson) return printJson({ kid, publicKey, threshold, holders });
  print(
    facts(
      [
        ["kid", hex(kid)],
        ["public key", hex(publicKey)],
        ["signatures by", `${threshold} of ${holders} holders`],
      ],
      "",
    ),
  );
}

function countOf(text: string): number {
  if (!/^[1-9]$/.test(text)) throw wrongUse(`'${text}' is no number of holders`);
  return Number(text);
}
