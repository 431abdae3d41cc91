/** What a governor signs, and what vouches for its keys: evidence, usage reports, endorsements, certificates. */
import { Claim } from "../../../firmware/protocol/claims.ts";
import { EAT_PROFILE } from "../../objects/eat.ts";
import type { AttestationCertificate, Endorsement, HardwareModel } from "../../objects/endorsement.ts";
import type { Evidence } from "../../objects/evidence.ts";
import type { UsageReport } from "../../objects/usage-report.ts";
import { codeName, durationText, exactText, plainText, stateName } from "../names.ts";
import { hex } from "../output.ts";
import { orderRow } from "./order.ts";
import { allCountsRow, allWorksRow, boundsRow, bytesRow, codeRow, countRow, type Row, row, stateRow } from "./row.ts";

export function explainEvidence(evidence: Evidence): Row[] {
  const { reportHead } = evidence;
  return [
    bytesRow(Claim.NONCE, "verifier's nonce", evidence.nonce),
    bytesRow(Claim.UEID, "device", evidence.ueid),
    ...hardwareRows(evidence),
    row(Claim.UPTIME, "uptime", evidence.uptimeSeconds, durationText(evidence.uptimeSeconds)),
    row(Claim.DEBUG_STATUS, "debug", 3, "disabled for good"),
    row(Claim.PROFILE, "profile", EAT_PROFILE, EAT_PROFILE),
    countRow(Claim.BOOT_COUNT, "power-ups", evidence.bootCount),
    bytesRow(Claim.BOOT_SEED, "boot seed", evidence.bootSeed),
    bytesRow(Claim.MEASUREMENTS, "firmware SHA-256", evidence.measurement),
    bytesRow(Claim.AGREEMENT, "agreement", evidence.agreementDigest),
    countRow(Claim.EPOCH, "epoch", evidence.epoch),
    stateRow(Claim.GATE_STATE, evidence.gateState),
    row(
      Claim.TAMPER,
      "tamper sensors",
      evidence.tamper,
      evidence.tamper === 0 ? "none" : `0x${evidence.tamper.toString(16)}`,
    ),
    allWorksRow(Claim.TOTALS, "work done, ever", evidence.totals),
    allWorksRow(Claim.BUDGET_LEFT, "budget left", evidence.budgetLeft),
    row(
      Claim.REPORT_HEAD,
      "newest report",
      { sequence: reportHead.sequence, digest: hex(reportHead.digest) },
      reportHead.sequence === 0n ? "none yet" : `${exactText(reportHead.sequence)}, ${hex(reportHead.digest)}`,
    ),
    countRow(Claim.LICENSE_SEQUENCE, "license sequence", evidence.licenseSequence),
    bytesRow(Claim.CHALLENGE, "challenge", evidence.challenge, "(the next license's nonce)"),
    boundsRow(Claim.TIME_BOUNDS, evidence.timeBounds),
    row(
      Claim.WEAR,
      "wear",
      { counterPermille: evidence.counterPermille, flashPermille: evidence.flashPermille },
      `counter ${evidence.counterPermille / 10} %, flash ${evidence.flashPermille / 10} %`,
    ),
    row(
      Claim.FAILURES,
      "refused objects",
      { failures: evidence.failures, backOffTicks: evidence.backOffTicks.toString() },
      `${evidence.failures} since the last license, back-off ${exactText(evidence.backOffTicks)} ticks`,
    ),
    countRow(Claim.SVN, "firmware SVN", evidence.svn),
    countRow(Claim.AGREEMENT_VERSION, "agreement version", evidence.agreementVersion),
    codeRow(Claim.LAST_CODE, evidence.lastCode),
    orderRow(Claim.ORDER, "newest order", evidence.orderDigest),
  ];
}

export function explainReport(report: UsageReport): Row[] {
  const first = report.previous.every((byte) => byte === 0);
  const moves = report.transitions.map(
    ({ tick, from, to, code }) => `tick ${exactText(tick)}  ${stateName(from)} → ${stateName(to)}  ${codeName(code)}`,
  );
  const more = report.transitionCount - report.transitions.length;
  if (more > 0) moves.push(`and ${more} more`);
  return [
    bytesRow(Claim.UEID, "device", report.ueid),
    row(Claim.PROFILE, "profile", EAT_PROFILE, EAT_PROFILE),
    countRow(Claim.BOOT_COUNT, "power-ups", report.bootCount),
    bytesRow(Claim.AGREEMENT, "agreement", report.agreementDigest),
    countRow(Claim.EPOCH, "epoch", report.epoch),
    countRow(Claim.SEQUENCE, "sequence", report.sequence),
    stateRow(Claim.GATE_STATE, report.gateState),
    allWorksRow(Claim.TOTALS, "work done, ever", report.totals),
    countRow(Claim.LICENSE_SEQUENCE, "license sequence", report.licenseSequence),
    boundsRow(Claim.TIME_BOUNDS, report.timeBounds),
    bytesRow(Claim.PREVIOUS, "report before", report.previous, first ? "(none: the first)" : ""),
    row(
      Claim.INTERVAL,
      "from tick, to tick",
      [report.fromTick.toString(), report.toTick.toString()],
      `${exactText(report.fromTick)} to ${exactText(report.toTick)}`,
    ),
    allCountsRow(Claim.DENIED, "denied commands", report.denied),
    allCountsRow(Claim.THROTTLED, "waits for credit", report.throttled),
    row(
      Claim.TRANSITIONS,
      "moves of the gate",
      {
        count: report.transitionCount,
        moves: report.transitions.map(({ tick, from, to, code }) => ({
          tick: tick.toString(),
          from: stateName(from),
          to: stateName(to),
          code: codeName(code),
        })),
      },
      moves.length > 0 ? moves.join("\n") : "none",
    ),
    row(
      Claim.INTERVAL_ROOT,
      "interval log",
      { leaves: report.intervalCount, root: hex(report.intervalRoot) },
      `${report.intervalCount} leaves, root ${hex(report.intervalRoot)}`,
    ),
  ];
}

export function explainEndorsement(endorsement: Endorsement): Row[] {
  return [
    bytesRow(Claim.CONFIRMATION, "device key", endorsement.devicePublicKey),
    bytesRow(Claim.UEID, "device", endorsement.ueid),
    ...hardwareRows(endorsement),
  ];
}

export function explainCertificate(certificate: AttestationCertificate): Row[] {
  return [
    bytesRow(Claim.CONFIRMATION, "attestation key", certificate.attestationPublicKey),
    bytesRow(Claim.UEID, "device", certificate.ueid),
    bytesRow(Claim.MEASUREMENTS, "firmware SHA-256", certificate.measurement),
  ];
}

function hardwareRows({ oemId, hardwareModel, hardwareVersion }: HardwareModel): Row[] {
  const model = Buffer.from(hardwareModel).toString("latin1");
  const printable = /^[\x20-\x7e]*$/.test(model) ? `"${model}"` : hex(hardwareModel);
  return [
    bytesRow(Claim.OEM_ID, "maker (OUI)", oemId),
    row(Claim.HARDWARE_MODEL, "model", printable.replaceAll('"', ""), printable),
    row(Claim.HARDWARE_VERSION, "hardware version", hardwareVersion, plainText(hardwareVersion)),
  ];
}
