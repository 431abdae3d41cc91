/** `quiesce license|order|report|agreement|evidence|endorsement|beacon inspect FILE`: decode, explain, verify. */
import { basename } from "node:path";
import type { Command } from "commander";
import { decodeAgreement } from "../../objects/agreement.ts";
import { parseSign } from "../../protocol/cose.ts";
import { Exit, wrongUse } from "../exit.ts";
import { type Inspection, inspect } from "../explain/inspect.ts";
import { readAgreement, readKey } from "../explain/keys.ts";
import { group } from "../group.ts";
import { readObject } from "../input.ts";
import { plainText } from "../names.ts";
import { color, facts, hex, pad, print, printJson, wantsJson, widthOf } from "../output.ts";

type Options = { agreement?: string; keys?: string[]; diagnostic?: boolean };

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
      .description("decode, explain and verify one; it may be binary, hex or base64")
      .argument("<file>", "the file, or - for stdin")
      .option("--agreement <file>", "the agreement it stands under: whose signatures count, and how many")
      .option("--keys <key...>", "public keys: 64 hex digits, or files (32 bytes, an endorsement, a certificate)")
      .option("--diagnostic", "print the diagnostic notation too (RFC 8949 section 8)")
      .option("--json", "print one JSON document")
      .addHelpText("after", `\nExample:\n  $ quiesce ${name} inspect ${example}\n`)
      .action((file: string, options: Options, command: Command) => run(name, file, options, command));
  }
}

function run(name: string, file: string, options: Options, command: Command): void {
  if (file === "-" && options.agreement === "-") throw wrongUse("stdin can be the object or the agreement, not both");
  const bytes = readObject(file);
  const inForce = options.agreement === undefined ? undefined : readAgreement(options.agreement);
  const keys = (options.keys ?? []).map(readKey);
  const agreement = inForce ?? (name === "agreement" ? ownAgreement(bytes) : undefined);
  const inspection = inspect(bytes, name, agreement, keys);
  if (wantsJson(command)) printJson(documentOf(file, inspection));
  else printInspection(inspection, options.diagnostic === true);
  if (inspection.verdict.judged && !inspection.verdict.ok) process.exitCode = Exit.NOT_GOOD;
}

/** A first agreement is judged by itself: all its parties must have signed. */
function ownAgreement(bytes: Uint8Array) {
  try {
    return decodeAgreement(parseSign(bytes).payload);
  } catch {
    return undefined;
  }
}

function documentOf(file: string, inspection: Inspection): object {
  return { file: file === "-" ? "stdin" : basename(file), ...inspection };
}

function printInspection(inspection: Inspection, withDiagnostic: boolean): void {
  const { object, bytes, sha256, signatures, claims, verdict, diagnostic } = inspection;
  print(`${color.bold(object)}  ${bytes} bytes  ${color.dim(`sha256 ${hex(sha256)}`)}`);
  print("");
  const labels = Math.max(...claims.map(({ label }) => String(label).length));
  const names = Math.max(...claims.map(({ name }) => widthOf(name)));
  for (const { label, name, text } of claims) {
    const [first, ...rest] = text.split("\n");
    print(`  ${color.dim(pad(label === 0 ? "" : String(label), labels, true))}  ${pad(name, names)}  ${first}`);
    for (const line of rest) print(`  ${" ".repeat(labels + names + 4)}${line}`);
  }
  print("");
  print(facts(signatures.map((signature, i) => [`signature ${i + 1}`, signatureText(signature)] as const)));
  print("");
  if (!verdict.judged) print(`  ${color.yellow("not judged")}: ${verdict.why}`);
  else if (verdict.ok) print(`  ${color.green("✓ valid")}`);
  else print(`  ${color.red("✗ refused")}: ${verdict.code} ${verdict.name}, ${plainText(verdict.message)}`);
  if (withDiagnostic) print(`\n${diagnostic.split("\n").map(plainText).join("\n")}`);
}

function signatureText({ kid, signer, valid }: Inspection["signatures"][number]): string {
  const who = signer === undefined ? "a key that was not given" : plainText(signer);
  const mark = valid === undefined ? color.yellow("?") : valid ? color.green("✓") : color.red("✗ does not hold");
  return `${mark} ${who}  ${color.dim(`key ${hex(kid)}`)}`;
}
