/** Signs a draft for `quiesce key sign`: shows what it says, chooses the key, writes the signed object. */
import { existsSync, writeFileSync } from "node:fs";
import { Claim } from "../../../firmware/protocol/claims.ts";
import type { SignType } from "../../keys/sign-names.ts";
import { aadOf, checkPayload, payloadType } from "../../keys/sign-type.ts";
import { addSignatureAsync, chooseKey } from "../../keys/signer.ts";
import type { Agreement } from "../../objects/agreement.ts";
import { decodeRecovery, type Recovery } from "../../objects/recovery.ts";
import { parseSign } from "../../protocol/cose.ts";
import { wrongUse } from "../exit.ts";
import { readAgreement } from "../explain/keys.ts";
import { KINDS } from "../explain/kinds.ts";
import { allWorksRow, bytesRow, countRow, optional, type Row, row } from "../explain/row.ts";
import { readObject } from "../input.ts";
import { actionName } from "../names.ts";
import { facts, hex, print, printJson } from "../output.ts";
import { kidArgument, sourceOf } from "./key-options.ts";
import type { SignOptions } from "./key-sign.ts";

/** Throws `CliError`, `KeyError`, `Refusal`. */
export async function signFile(file: string, options: SignOptions, asJson: boolean): Promise<void> {
  const { type, out } = options;
  if (existsSync(out)) throw wrongUse(`${out} is there already`);
  if (file === "-" && options.agreement === "-") throw wrongUse("stdin can be the draft or the agreement, not both");
  const draft = readObject(file);
  const agreement = options.agreement === undefined ? undefined : readAgreement(options.agreement);
  const { payload } = parseSign(draft);
  const found = payloadType(payload);
  if (found !== undefined && found !== type) throw wrongUse(`this is no ${type} but: ${found}`);
  checkPayload(type, payload);
  process.stderr.write(`${explain(type, payload, agreement)}\n`);
  const source = await sourceOf(options);
  try {
    const kid = options.kid === undefined ? undefined : kidArgument(options.kid);
    const key = chooseKey(await source.list(), kid, agreement?.parties);
    const signed = await addSignatureAsync(draft, await source.signer(key.kid), aadOf(type));
    writeNew(out, signed);
    const signatures = parseSign(signed).signatures.length;
    if (asJson) printJson({ type, kid: key.kid, label: key.label, signatures, file: out });
    else
      print(`${out}: ${type} with ${signatures} signature${signatures === 1 ? "" : "s"}, this one by ${hex(key.kid)}`);
  } finally {
    await source.close();
  }
}

/** People sign what they have seen. */
function explain(type: SignType, payload: Uint8Array, agreement: Agreement | undefined): string {
  const kind = KINDS.find(({ name }) => name === type);
  const rows = kind ? kind.explain(payload, agreement) : recoveryRows(decodeRecovery(payload));
  return facts([["type", type], ...rows.map(({ name, text }) => [name, text.replaceAll("\n", "; ")] as const)]);
}

function recoveryRows(recovery: Recovery): Row[] {
  return [
    bytesRow(Claim.NONCE, "answers the challenge", recovery.nonce),
    bytesRow(Claim.UEID, "device", recovery.ueid),
    bytesRow(Claim.AGREEMENT, "agreement", recovery.agreementDigest),
    countRow(Claim.EPOCH, "epoch", recovery.epoch),
    countRow(Claim.SEQUENCE, "no license up to", recovery.sequence),
    row(Claim.ACTION, "order in force", recovery.action, actionName(recovery.action)),
    ...optional(recovery.permille, (permille) => countRow(Claim.RATE_PERMILLE, "rate", permille, "thousandths")),
    allWorksRow(Claim.TOTALS, "totals to go on from", recovery.totals),
    countRow(Claim.REPORT_HEAD, "reports to go on from", recovery.reportHead.sequence),
    bytesRow(Claim.ORDER, "digest of the order", recovery.orderDigest),
  ];
}

function writeNew(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { flag: "wx" });
  } catch (cause) {
    throw wrongUse(`${path} cannot be written: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}
