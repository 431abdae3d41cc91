/** Looks through a mirror for `quiesce log audit`, and lists what is there. */
import { type AuditRow, audit } from "../log/audit.ts";
import type { Agreement } from "../objects/agreement.ts";
import { sameBytes } from "../verifier/bytes.ts";
import type { AuditOptions } from "./commands/log-audit.ts";
import { Exit, wrongUse } from "./exit.ts";
import { mirrorOf, trustedOf } from "./log-input.ts";
import { termsText, termsValue, typeName } from "./log-terms-view.ts";
import { countText, exactText, plainText } from "./names.ts";
import { color, hex, print, printJson, table } from "./output.ts";

const KID_BYTES = 8;

/** Throws `CliError` for what is no mirror, and what `audit` throws. */
export async function auditMirror(folder: string, options: AuditOptions, asJson: boolean): Promise<void> {
  const { keys, agreement } = trustedOf(options);
  const { device, party } = options;
  if (device === undefined && party === undefined) throw wrongUse("of what? Give --device or --party");
  const mirror = await mirrorOf(folder, keys);
  const asked = party === undefined ? { ueid: device! } : { kid: kidOf(party, agreement) };
  const { rows, unread } = await audit(mirror.leaves(), asked, agreement ? [agreement] : []);
  const isGood = rows.every(({ holds }) => holds !== false);
  if (asJson)
    printJson({ ok: isGood, log: keys.log.name, size: mirror.size, ...asked, rows: rows.map(valueOfRow), unread });
  else print(textOf(rows, unread, mirror.size, agreement));
  if (!isGood) process.exitCode = Exit.NOT_GOOD;
}

function kidOf(party: string, agreement: Agreement | undefined): Uint8Array {
  const named = agreement?.parties.find(({ name }) => name === party);
  if (named) return named.kid;
  if (/^[0-9a-f]+$/i.test(party) && party.length === 2 * KID_BYTES) return new Uint8Array(Buffer.from(party, "hex"));
  throw wrongUse(`'${party}' is no party of the agreement, and no key's id of ${2 * KID_BYTES} hex digits`);
}

function valueOfRow({ index, type, named, terms, kids, holds }: AuditRow) {
  return {
    leaf: index,
    type: typeName(type),
    for: named ? "devices" : "all",
    terms: terms ? termsValue(terms) : null,
    kids,
    holds: holds ?? null,
  };
}

function textOf(rows: readonly AuditRow[], unread: number, size: number, agreement: Agreement | undefined): string {
  const lines: string[] = [];
  if (rows.length > 0) {
    const columns = [
      { title: "leaf", right: true },
      ...["type", "for", "what", "signed by", ""].map((title) => ({ title })),
    ];
    const cells = rows.map(({ index, type, named, terms, kids, holds }) => [
      exactText(index),
      typeName(type),
      named ? "device" : "all",
      terms ? termsText(terms) : color.dim("a commitment"),
      kids.map((kid) => nameOf(kid, agreement)).join(", "),
      holds === undefined ? color.dim("not judged") : holds ? color.green("✓") : color.red("✗ does not hold"),
    ]);
    lines.push(table(columns, cells, ""), "");
  }
  if (unread > 0) lines.push(`${countText(unread, "commitment")} passed over: nothing says who signed them`);
  lines.push(`${exactText(rows.length)} of ${exactText(size)} leaves`);
  return lines.join("\n");
}

function nameOf(kid: Uint8Array, agreement: Agreement | undefined): string {
  const party = agreement?.parties.find((one) => sameBytes(one.kid, kid));
  return party ? plainText(party.name) : hex(kid);
}
