/**
 * The kinds of objects that `inspect` reads: how each is decoded, explained, and judged. Judging follows the order of
 * docs/protocol.md as far as it can be followed without the device's own state.
 */
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { objectAad } from "../../objects/aad.ts";
import {
  type Agreement,
  agreementDigest,
  decodeAgreement,
  type Member,
  verifyAgreement,
} from "../../objects/agreement.ts";
import { decodeCertificate, decodeEndorsement } from "../../objects/endorsement.ts";
import { decodeEvidence } from "../../objects/evidence.ts";
import { decodeLicense, type License, verifyLicense } from "../../objects/license.ts";
import { decodeOrder, verifyOrder } from "../../objects/order.ts";
import { decodeTime, verifyTime } from "../../objects/time.ts";
import { decodeUsageReport } from "../../objects/usage-report.ts";
import { parseSign } from "../../protocol/cose.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { explainAgreement } from "./agreement.ts";
import { explainCertificate, explainEndorsement, explainEvidence, explainReport } from "./attested.ts";
import { explainLicense } from "./license.ts";
import { explainOrder, explainTime } from "./order.ts";
import type { Row } from "./row.ts";

export type Kind = {
  /** As the command calls it. */
  name: string;
  /** The command that inspects it: `quiesce COMMAND inspect`. */
  command: string;
  aad: Uint8Array;
  explain(payload: Uint8Array, agreement: Agreement | undefined): Row[];
  /** Who may have signed it under an agreement; of what a single key signs, nobody. */
  members(agreement: Agreement): readonly Member[];
  /** Throws a `Refusal`; absent where a single key signs and no agreement says which. */
  judge?(bytes: Uint8Array, agreement: Agreement): void;
};

const parties = (agreement: Agreement) => agreement.parties;
const authorities = (agreement: Agreement) => agreement.timeAuthorities;
const nobody = () => [];

// biome-ignore format: a table
export const KINDS: readonly Kind[] = [
  { name: "agreement", command: "agreement", aad: objectAad(ObjectType.AGREEMENT), members: parties,
    explain: (payload) => explainAgreement(decodeAgreement(payload)), judge: judgeAgreement },
  { name: "license", command: "license", aad: objectAad(ObjectType.LICENSE), members: parties,
    explain: (payload, agreement) => explainLicense(decodeLicense(payload), agreement), judge: judgeLicense },
  { name: "order", command: "order", aad: objectAad(ObjectType.ORDER), members: parties,
    explain: (payload, agreement) => explainOrder(decodeOrder(payload), agreement), judge: judgeOrder },
  { name: "beacon", command: "beacon", aad: objectAad(ObjectType.BEACON), members: authorities,
    explain: (payload) => explainTime(decodeTime(ObjectType.BEACON, payload)), judge: judgeTime(ObjectType.BEACON) },
  { name: "time proof", command: "beacon", aad: objectAad(ObjectType.TIME_PROOF), members: authorities,
    explain: (payload) => explainTime(decodeTime(ObjectType.TIME_PROOF, payload)), judge: judgeTime(ObjectType.TIME_PROOF) },
  { name: "usage report", command: "report", aad: objectAad(ObjectType.USAGE_REPORT), members: nobody,
    explain: (payload) => explainReport(decodeUsageReport(payload)) },
  { name: "evidence", command: "evidence", aad: objectAad(ObjectType.EVIDENCE), members: nobody,
    explain: (payload) => explainEvidence(decodeEvidence(payload)) },
  { name: "endorsement", command: "endorsement", aad: objectAad(ObjectType.ENDORSEMENT), members: nobody,
    explain: (payload) => explainEndorsement(decodeEndorsement(payload)) },
  { name: "certificate", command: "endorsement", aad: objectAad(ObjectType.ATTESTATION_KEY), members: nobody,
    explain: (payload) => explainCertificate(decodeCertificate(payload)) },
];

/** A first agreement by all its own parties; one that amends `inForce` by its amend quorum. */
function judgeAgreement(bytes: Uint8Array, inForce: Agreement): void {
  const { payload } = parseSign(bytes);
  const isSame = Buffer.compare(agreementDigest(inForce), agreementDigest(decodeAgreement(payload))) === 0;
  verifyAgreement(bytes, isSame ? undefined : inForce);
}

function judgeLicense(bytes: Uint8Array, agreement: Agreement): void {
  const license = verifyLicense(bytes, agreement);
  sameAgreement(license.agreementDigest, agreement, ErrorCode.LICENSE_AGREEMENT);
  checkCaps(license, agreement);
}

function checkCaps(license: License, agreement: Agreement): void {
  if (license.nonce === undefined && !agreement.offline) {
    throw new Refusal(ErrorCode.LICENSE_OFFLINE_NOT_ALLOWED, "the agreement takes no offline licenses");
  }
  if (license.ticksMax === 0n || license.ticksMax > agreement.licenseTicksMax) {
    throw new Refusal(
      ErrorCode.LICENSE_TICKS_OVER_CAP,
      `${license.ticksMax} ticks, where 1 to ${agreement.licenseTicksMax} may be`,
    );
  }
  for (const [c, budget] of license.budget) {
    const cap = agreement.caps.get(c);
    if (!cap && budget > 0n) throw new Refusal(ErrorCode.LICENSE_CLASS, `the agreement does not name class ${c}`);
    if (cap && budget > cap.budgetMax) {
      throw new Refusal(
        ErrorCode.LICENSE_BUDGET_OVER_CAP,
        `class ${c} has a budget of ${budget}, the cap is ${cap.budgetMax}`,
      );
    }
  }
  for (const [c, rate] of license.rate ?? []) {
    const most = agreement.caps.get(c)?.rateMax ?? 0n;
    if (rate > most)
      throw new Refusal(ErrorCode.LICENSE_RATE_OVER_CAP, `class ${c} has a rate of ${rate}, the cap is ${most}`);
  }
  for (const [c, drain] of license.drain ?? []) {
    const most = agreement.drain.get(c) ?? 0n;
    if (drain > most)
      throw new Refusal(ErrorCode.LICENSE_DRAIN_OVER_CAP, `class ${c} may drain ${drain}, the cap is ${most}`);
  }
}

/**
 * A resume takes the resume quorum. Any other order takes either quorum: which one depends on the rate before it, and
 * an order that lowers the rate may carry the resume quorum too.
 */
function judgeOrder(bytes: Uint8Array, agreement: Agreement): void {
  const { payload, signatures } = parseSign(bytes);
  const { action, agreementDigest: digest } = decodeOrder(payload);
  const { pause, resume } = agreement.quorums;
  verifyOrder(bytes, agreement, action === OrderAction.RESUME || signatures.length === resume ? resume : pause);
  sameAgreement(digest, agreement, ErrorCode.ORDER_AGREEMENT);
}

function judgeTime(type: ObjectType.BEACON | ObjectType.TIME_PROOF) {
  return (bytes: Uint8Array, agreement: Agreement) => {
    const time = verifyTime(type, bytes, agreement);
    sameAgreement(time.agreementDigest, agreement, ErrorCode.TIME_AGREEMENT);
  };
}

function sameAgreement(digest: Uint8Array, agreement: Agreement, code: ErrorCode): void {
  if (Buffer.compare(digest, agreementDigest(agreement)) !== 0) {
    throw new Refusal(code, "it stands under another agreement");
  }
}
