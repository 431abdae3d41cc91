/** `quiesce license|order|report|agreement|evidence|endorsement|beacon inspect FILE`: decode, explain, verify. */
import type { Command } from "commander";
import { group } from "../group.ts";
import type { InspectOptions } from "../inspect-view.ts";
import { wantsJson } from "../output.ts";

const GROUPS: readonly [name: string, description: string, example: string][] = [
  ["agreement", "agreements between parties", "agreement.cbor"],
  ["license", "licenses to work", "license-1.cbor --agreement agreement.cbor"],
  ["order", "orders to pause, slow or resume", "order-pause.cbor --agreement agreement.cbor"],
  ["report", "usage reports of a governor", "report-1.cbor --keys certificate.cbor"],
  ["evidence", "what a governor says of itself", "evidence-1.cbor --keys certificate.cbor"],
  ["endorsement", "endorsements of device keys, certificates of attestation keys", "endorsement.cbor"],
  ["beacon", "beacons and time proofs of the time authorities", "beacon.cbor --agreement agreement.cbor"],
];

export function addInspect(parent: Command): void {
  for (const [name, description, example] of GROUPS) {
    group(parent, name, description)
      .addHelpText("after", `\nExample:\n  $ quiesce ${name} inspect ${example}\n`)
      .command("inspect")
      .allowExcessArguments(false)
      .description("decode, explain and verify one; it may be binary, hex or base64")
      .argument("<file>", "the file, or - for stdin")
      .option("--agreement <file>", "the agreement it stands under: whose signatures count, and how many")
      .option("--keys <key...>", "public keys: 64 hex digits, or files (32 bytes, an endorsement, a certificate)")
      .option("--diagnostic", "print the diagnostic notation too (RFC 8949 section 8)")
      .option("--json", "print one JSON document")
      .addHelpText("after", `\nExample:\n  $ quiesce ${name} inspect ${example}\n`)
      .action(async (file: string, options: InspectOptions, command: Command) => {
        const { showObject } = await import("../inspect-view.ts");
        showObject(name, file, options, wantsJson(command));
      });
  }
}
