/** The agreement, claim by claim. */
import { AgreementKey } from "../../../firmware/protocol/claims.ts";
import { type Agreement, agreementDigest, type Member } from "../../objects/agreement.ts";
import { className, durationText, exactText, plainText, workText } from "../names.ts";
import { hex } from "../output.ts";
import { bytesRow, countRow, optional, type Row, row, worksRow } from "./row.ts";

/** Stands for the document itself: its digest is no claim in it. */
const DIGEST_LABEL = 0;

export function explainAgreement(agreement: Agreement): Row[] {
  const { quorums, parties, tickHz } = agreement;
  const seconds = (ticks: bigint) => durationText(Number(ticks) / tickHz);
  const caps = [...agreement.caps].map(
    ([c, { budgetMax, rateMax }]) =>
      `${className(c)}  ${workText(budgetMax, c)} a license, ${workText(rateMax * BigInt(tickHz), c)}/s`,
  );
  const capValues = [...agreement.caps].map(([c, { budgetMax, rateMax }]) => [
    className(c),
    { budgetMax: budgetMax.toString(), rateMaxPerTick: rateMax.toString() },
  ]);
  const quorumText = Object.entries(quorums).map(([name, count]) => `${name} ${count} of ${parties.length}`);
  const timeText = `${agreement.timeQuorum} of ${agreement.timeAuthorities.length}`;
  return [
    bytesRow(DIGEST_LABEL, "digest", agreementDigest(agreement), "(what all other objects name it by)"),
    countRow(AgreementKey.VERSION, "version", agreement.version),
    row(AgreementKey.NAME, "name", agreement.name, plainText(agreement.name)),
    membersRow(AgreementKey.PARTIES, "parties", parties),
    row(AgreementKey.QUORUMS, "quorums", quorums, quorumText.join("\n")),
    membersRow(AgreementKey.TIME_AUTHORITIES, "time authorities", agreement.timeAuthorities),
    row(AgreementKey.TIME_QUORUM, "time quorum", agreement.timeQuorum, timeText),
    row(AgreementKey.CAPS, "caps", Object.fromEntries(capValues), caps.join("\n")),
    countRow(AgreementKey.TICK_HZ, "tick rate", tickHz, "ticks a second"),
    countRow(AgreementKey.DRIFT_PPM, "drift bound", agreement.driftPpm, "parts in a million"),
    row(
      AgreementKey.LEASE_SECONDS,
      "lease",
      agreement.leaseSeconds,
      `${durationText(agreement.leaseSeconds)} without a fresh beacon, and the gate drains`,
    ),
    ticksRow(AgreementKey.LICENSE_TICKS_MAX, "longest license", agreement.licenseTicksMax, seconds),
    ticksRow(AgreementKey.SLICE_TICKS, "slice", agreement.sliceTicks, seconds),
    worksRow(AgreementKey.DRAIN, "drain allowance", agreement.drain),
    ticksRow(AgreementKey.DRAIN_TICKS_MAX, "longest drain", agreement.drainTicksMax, seconds),
    ...optional(agreement.baseline, (baseline) => worksRow(AgreementKey.BASELINE, "baseline", baseline)),
    row(AgreementKey.OFFLINE, "offline licenses", agreement.offline, agreement.offline ? "accepted" : "refused"),
    countRow(AgreementKey.SVN_LEAST, "least firmware SVN", agreement.svnLeast),
  ];
}

function ticksRow(label: number, name: string, ticks: bigint, seconds: (ticks: bigint) => string): Row {
  return row(label, name, ticks.toString(), `${exactText(ticks)} ticks  (${seconds(ticks)})`);
}

function membersRow(label: number, name: string, members: readonly Member[]): Row {
  const value = members.map(({ kid, name: title, publicKey }) => ({
    name: title,
    kid: hex(kid),
    publicKey: hex(publicKey),
  }));
  return row(
    label,
    name,
    value,
    members.map(({ kid, name: title }) => `${plainText(title)}  key ${hex(kid)}`).join("\n"),
  );
}
