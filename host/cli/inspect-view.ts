/** Inspects one object for `quiesce ... inspect`, and prints what it says and whether it holds. */
import { basename } from "node:path";
import { decodeAgreement } from "../objects/agreement.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { Exit, wrongUse } from "./exit.ts";
import { type Inspection, inspect, refusedVerdict, type Verdict } from "./explain/inspect.ts";
import { readAgreement, readKey } from "./explain/keys.ts";
import { readObject } from "./input.ts";
import { plainText } from "./names.ts";
import { color, facts, hex, pad, print, printJson, widthOf } from "./output.ts";

export type InspectOptions = { agreement?: string; keys?: string[]; diagnostic?: boolean };

/** Throws a `CliError` for what is no such object, a `Refusal` for one that cannot be read. */
export function showObject(name: string, file: string, options: InspectOptions, asJson: boolean): void {
  if (file === "-" && options.agreement === "-") throw wrongUse("stdin can be the object or the agreement, not both");
  const bytes = readObject(file);
  const inForce = options.agreement === undefined ? undefined : readAgreement(options.agreement);
  const keys = (options.keys ?? []).map(readKey);
  const agreement = inForce ?? (name === "agreement" ? ownAgreement(bytes) : undefined);
  try {
    const inspection = inspect(bytes, name, agreement, keys);
    if (asJson) printJson({ file: nameOf(file), ...inspection });
    else printInspection(inspection, options.diagnostic === true);
    if (inspection.verdict.judged && !inspection.verdict.ok) process.exitCode = Exit.NOT_GOOD;
  } catch (error) {
    if (!asJson || !(error instanceof Refusal)) throw error;
    printJson({ file: nameOf(file), object: name, bytes: bytes.length, verdict: refusedVerdict(error) });
    process.exitCode = Exit.NOT_GOOD;
  }
}

function nameOf(file: string): string {
  return file === "-" ? "stdin" : basename(file);
}

/** A first agreement is judged by itself: all its parties must have signed. */
function ownAgreement(bytes: Uint8Array) {
  try {
    return decodeAgreement(parseSign(bytes).payload);
  } catch {
    return undefined;
  }
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
  print(verdictText(verdict));
  if (withDiagnostic) print(`\n${diagnostic.split("\n").map(plainText).join("\n")}`);
}

function signatureText({ kid, signer, valid }: Inspection["signatures"][number]): string {
  const who = signer === undefined ? "a key that was not given" : plainText(signer);
  const mark = valid === undefined ? color.yellow("?") : valid ? color.green("✓") : color.red("✗ does not hold");
  return `${mark} ${who}  ${color.dim(`key ${hex(kid)}`)}`;
}

function verdictText(verdict: Verdict): string {
  if (!verdict.judged) return `  ${color.yellow("not judged")}: ${verdict.why}`;
  if (verdict.ok) return `  ${color.green("✓ valid")}`;
  return `  ${color.red("✗ refused")}: ${verdict.code} ${verdict.name}, ${plainText(verdict.message)}`;
}
