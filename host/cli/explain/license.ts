/** The license, claim by claim; with the agreement, ticks as time too. */
import { Claim } from "../../../firmware/protocol/claims.ts";
import type { Agreement } from "../../objects/agreement.ts";
import type { License } from "../../objects/license.ts";
import { className, durationText, exactText, workText } from "../names.ts";
import { hex } from "../output.ts";
import { bytesRow, countRow, optional, type Row, row, timeRow, worksRow } from "./row.ts";

export function explainLicense(license: License, agreement: Agreement | undefined): Row[] {
  return [
    timeRow(Claim.EXPIRY, "expiry", license.expirySeconds),
    timeRow(Claim.NOT_BEFORE, "not before", license.notBeforeSeconds),
    ...(license.nonce
      ? [bytesRow(Claim.NONCE, "answers challenge", license.nonce)]
      : [row(Claim.NONCE, "answers challenge", null, "none: an offline license")]),
    ...optional(license.ueid, (ueid) => bytesRow(Claim.UEID, "for device", ueid)),
    bytesRow(Claim.AGREEMENT, "agreement", license.agreementDigest),
    countRow(Claim.EPOCH, "epoch", license.epoch),
    countRow(Claim.SEQUENCE, "sequence", license.sequence),
    worksRow(Claim.BUDGET, "budget", license.budget),
    ...optional(license.rate, ratesRow),
    ticksRow(Claim.TICKS_MAX, "ticks from installation", license.ticksMax, agreement),
    ...optional(license.drain, (drain) => worksRow(Claim.DRAIN, "drain allowance", drain)),
    countRow(Claim.SVN_LEAST, "least firmware SVN", license.svnLeast),
    ...optional(license.cohort, (cohort) =>
      row(Claim.COHORT, "for devices", cohort.map(hex), cohort.map(hex).join("\n")),
    ),
  ];
}

export function ticksRow(label: number, name: string, ticks: bigint, agreement: Agreement | undefined): Row {
  const time = agreement ? `  (${durationText(Number(ticks) / agreement.tickHz)})` : "";
  return row(label, name, ticks.toString(), `${exactText(ticks)} ticks${time}`);
}

function ratesRow(rates: ReadonlyMap<number, bigint>): Row {
  const value = Object.fromEntries([...rates].map(([c, rate]) => [className(c), rate.toString()]));
  const lines = [...rates].map(([c, rate]) => `${className(c)}  ${workText(rate, c)} a tick`);
  return row(Claim.RATE, "rate caps", value, lines.length > 0 ? lines.join("\n") : "none");
}
