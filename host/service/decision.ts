/**
 * What one evidence comes to: the answer that is to be signed and the device's row after it, or a refusal. A function of
 * what a batch has read; it writes nothing and signs nothing.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { Agreement } from "../objects/agreement.ts";
import { decodeLicense, type License } from "../objects/license.ts";
import { decodeRecovery, encodeRecovery, type Recovery, recoveryQuorum } from "../objects/recovery.ts";
import type { PolicyDevice } from "../policy/verdict.ts";
import { parseSign } from "../protocol/cose.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { VerifierError, type VerifierErrorCode } from "../verifier/errors.ts";
import {
  checkNotPaused,
  decideLicense,
  decideRecovery,
  type Judgement,
  judgeEvidence,
  type LicenseOf,
} from "../verifier/judgement.ts";
import { checkDrawnUp, type LicenseRequest, licensePayload } from "../verifier/licensing.ts";
import { objectionsToLicense, objectionToRecovery } from "../verifier/party.ts";
import { readSigned } from "../verifier/signed.ts";
import type { AnswerRow } from "./answer-rows.ts";
import type { CapSums } from "./caps.ts";
import type { ServiceSettings } from "./context.ts";
import type { DeviceRow } from "./device-rows.ts";
import { AnswerKind, type DeviceState } from "./device-state.ts";
import { checkSignatures, readLicenseDraft } from "./drawn-up.ts";
import type { EvidenceItem } from "./evidence-item.ts";
import { issuedTo } from "./issued.ts";
import type { Draft } from "./parties.ts";
import type { DeviceStatus } from "./service.ts";
import type { SharedState } from "./shared.ts";
import { defaultTerms } from "./terms.ts";

/** An answer without the signatures of the parties here. */
export interface AnswerDraft {
  readonly kind: AnswerKind;
  readonly type: ObjectType.LICENSE | ObjectType.RECOVERY;
  readonly sequence: bigint;
  readonly expirySeconds: number;
  readonly quorum: number;
  /** With the signatures that it came with. */
  readonly signed: Draft;
}

/** Everything that deciding may look at. */
export interface Bench {
  readonly shared: SharedState;
  readonly settings: ServiceSettings;
  readonly caps: CapSums;
  readonly licenseOf: (row: DeviceRow) => LicenseOf;
  /** Of the log, with so many entries; undefined where the agreement names another log, or none: nothing is known of it. */
  readonly logRoots: ReadonlyMap<bigint, Uint8Array | undefined> | undefined;
  readonly nowMs: number;
  /** When the store was put back from a backup; undefined: it never was. */
  readonly restoredMs: number | undefined;
}

export interface Decision {
  readonly row: DeviceRow;
  /** Absent where an appraisal was all that was asked for. */
  readonly draft?: AnswerDraft;
}

/** Throws the `VerifierError` of what stands against it. */
export function decide(item: EvidenceItem, before: DeviceRow, bench: Bench): Decision {
  const { evidence, purpose } = item;
  if (purpose !== "appraisal") checkStatus(before.status);
  const judged = judgeEvidence(
    item,
    purpose === "recovery" ? "recovery" : "license",
    before.state.record,
    item.nonce,
    bench.shared,
    bench.licenseOf(before),
    bench.nowMs,
  );
  checkLogHead(evidence, bench);
  const state: DeviceState = {
    ...before.state,
    record: judged.device,
    // An offline license that a later one was installed over is gone.
    offline: before.state.offline.filter(({ sequence }) => sequence > evidence.licenseSequence),
  };
  const row: DeviceRow = { ...before, seenMs: bench.nowMs, epoch: evidence.epoch, state };
  if (purpose === "appraisal") return { row };
  return purpose === "license" ? license(item, judged, row, bench) : recovery(item, judged, row, bench);
}

/**
 * What was answered to this evidence before. Once it is whole it stays as it is, byte for byte; until then the parties
 * here sign the draft of the same answer that other verifiers signed meanwhile, if nothing that came since (an order, an
 * amendment, the device's status) stands against it. Throws `license/signed-already` for any other draft and for an
 * answer of the other kind.
 */
export function answeredBefore(
  stored: AnswerRow,
  { purpose, call: { draft } }: EvidenceItem,
  { status }: DeviceRow,
  { shared: { agreementDigest, agreementOf, orders }, nowMs }: Bench,
): AnswerDraft {
  const { kind, sequence, expirySeconds, bytes } = stored;
  if (kind !== (purpose === "recovery" ? AnswerKind.RECOVERY : AnswerKind.LICENSE)) {
    throw new VerifierError("license/signed-already");
  }
  const { payload, signatures } = parseSign(bytes);
  const type = kind === AnswerKind.LICENSE ? ObjectType.LICENSE : ObjectType.RECOVERY;
  const answer = kind === AnswerKind.LICENSE ? decodeLicense(payload) : decodeRecovery(payload);
  // An amendment changes who must sign what comes, not what was signed.
  const agreement = agreementOf(answer.agreementDigest)!;
  const quorum = "totals" in answer ? recoveryQuorum(agreement, answer) : agreement.quorums.license;
  const code = kind === AnswerKind.LICENSE ? "license/draft" : "recovery/draft";
  if (draft !== undefined) {
    readSigned(code, code, () => {
      if (!sameBytes(parseSign(draft).payload, payload)) throw new VerifierError("license/signed-already");
      checkSignatures(draft, agreement, quorum, type);
    });
  }
  const isWhole = signatures.length >= quorum;
  if (!isWhole) {
    checkStatus(status);
    if (!sameBytes(answer.agreementDigest, agreementDigest)) throw new VerifierError("evidence/agreement");
    const { epoch } = orders.confirmed(nowMs);
    if (answer.epoch < epoch) throw new VerifierError("evidence/epoch-behind", `${answer.epoch} instead of ${epoch}`);
  }
  return { kind, type, sequence, expirySeconds, quorum, signed: isWhole ? bytes : (draft ?? bytes) };
}

/** What the device was shown of the log is what the log was: else whoever has its key keeps two. */
function checkLogHead({ logHead }: EvidenceItem["evidence"], { logRoots }: Bench): void {
  if (!logHead || logHead.size === 0n || !logRoots) return;
  const root = logRoots.get(logHead.size);
  if (!root || !sameBytes(root, logHead.root))
    throw new VerifierError("evidence/log-forked", `${logHead.size} entries`);
}

const STATUS_CODES: Readonly<Record<Exclude<DeviceStatus, "active">, VerifierErrorCode>> = {
  suspended: "device/suspended",
  retired: "device/retired",
  "suspected-fork": "device/suspected-fork",
};

export function checkStatus(status: DeviceStatus): void {
  if (status !== "active") throw new VerifierError(STATUS_CODES[status]);
}

function license(item: EvidenceItem, judged: Judgement, row: DeviceRow, bench: Bench): Decision {
  const { shared, settings, caps, nowMs } = bench;
  const { agreement } = shared;
  const { draft, terms } = item.call;
  const [decided, signed] = draft
    ? drawnUpElsewhere(draft, judged, bench)
    : drawnUpHere(judged, terms ?? defaultTerms(settings.policy, agreement, row.registration), row.state, bench);
  const device = policyDevice(row, agreement);
  const objections = objectionsToLicense(settings.policy, decided, device, caps.usage(row, device));
  if (objections.length > 0) throw new VerifierError("license/policy", objections.join("; "));
  caps.add(row, device, decided);
  const { sequence, expirySeconds } = decided;
  const answered = { evidenceDigest: item.digest, kind: AnswerKind.LICENSE, sequence };
  return {
    row: { ...row, state: { ...issuedTo(row.state, decided, nowMs), answered } },
    draft: {
      kind: AnswerKind.LICENSE,
      type: ObjectType.LICENSE,
      sequence,
      expirySeconds,
      quorum: agreement.quorums.license,
      signed,
    },
  };
}

/** Sequences that a device may have been issued and not shown yet when a backup was put back. */
const FORGOTTEN_MAX = 64n;

function drawnUpHere(judged: Judgement, terms: LicenseRequest, state: DeviceState, bench: Bench): [License, Draft] {
  const { shared, nowMs, restoredMs } = bench;
  const isForgetful = restoredMs !== undefined && (state.issued?.issuedSeconds ?? 0) * 1000 < restoredMs;
  const { device } = judged;
  const sequenceIssued = device.sequenceIssued + (isForgetful ? FORGOTTEN_MAX : 0n);
  const decided = decideLicense({ ...judged, device: { ...device, sequenceIssued } }, terms, shared, nowMs);
  return [decided, { payload: licensePayload(decided) }];
}

/** Another verifier's draft is judged as if it were this one's, and so are the signatures in it. */
function drawnUpElsewhere(bytes: Uint8Array, judged: Judgement, { shared, nowMs }: Bench): [License, Uint8Array] {
  checkNotPaused(judged.appraisal.evidence, shared.orders);
  const decided = readLicenseDraft(bytes, shared.agreement);
  checkDrawnUp(decided, judged.appraisal, shared.agreement, judged.device.sequenceIssued, nowMs);
  return [decided, bytes];
}

function recovery(item: EvidenceItem, judged: Judgement, row: DeviceRow, bench: Bench): Decision {
  const { shared, nowMs } = bench;
  const own = decideRecovery(judged, shared, bench.licenseOf(row), nowMs);
  const { draft } = item.call;
  const [decided, signed] = draft
    ? recoveryElsewhere(draft, own, { ...judged, device: { ...judged.device, recovery: undefined } }, row, bench)
    : [own, { payload: encodeRecovery(own) }];
  const objection = objectionToRecovery({}, decided, judged.device.chain.totals, judged.appraisal);
  if (objection !== undefined) throw new VerifierError("license/policy", objection);
  const sequence = BigInt(row.state.recoveries + 1);
  return {
    row: {
      ...row,
      state: {
        ...row.state,
        record: { ...judged.device, recovery: decided },
        answered: { evidenceDigest: item.digest, kind: AnswerKind.RECOVERY, sequence },
        recoveries: row.state.recoveries + 1,
      },
    },
    draft: {
      kind: AnswerKind.RECOVERY,
      type: ObjectType.RECOVERY,
      sequence,
      expirySeconds: 0,
      quorum: recoveryQuorum(shared.agreement, decided),
      signed,
    },
  };
}

/**
 * It may say that more was done than this verifier knows of, by as many licenses as a device can be ahead, and never less;
 * in all else it must say the same. Without a bound one verifier could drive a meter to its end; nor does a recovery raise
 * it that was signed and is not seen at work.
 */
function recoveryElsewhere(
  bytes: Uint8Array,
  own: Recovery,
  unrecovered: Judgement,
  row: DeviceRow,
  { shared, licenseOf, nowMs }: Bench,
): [Recovery, Uint8Array] {
  const { agreement } = shared;
  const base = decideRecovery(unrecovered, shared, licenseOf(row), nowMs);
  const decided = readSigned("recovery/draft", "recovery/draft", () => {
    const found = decodeRecovery(parseSign(bytes).payload);
    checkSignatures(bytes, agreement, recoveryQuorum(agreement, found), ObjectType.RECOVERY);
    return found;
  });
  const ahead = BigInt(Limit.SEQUENCE_STEP_MAX);
  const most = base.totals.map((work, c) => work + ahead * mostOfOneLicense(agreement, c));
  const totals = decided.totals.map((work, c) => within(work, own.totals[c]!, most[c]!));
  const sequence = within(decided.sequence, own.sequence, base.sequence + ahead);
  const expected = encodeRecovery({ ...own, totals, sequence });
  if (!sameBytes(encodeRecovery(decided), expected)) throw new VerifierError("recovery/draft");
  return [decided, bytes];
}

function mostOfOneLicense({ caps, drain, baseline }: Agreement, engineClass: EngineClass): bigint {
  const budget = caps.get(engineClass)?.budgetMax ?? 0n;
  return budget + (drain.get(engineClass) ?? 0n) + (baseline?.get(engineClass) ?? 0n);
}

function within(value: bigint, least: bigint, most: bigint): bigint {
  if (value < least) return least;
  return value > most ? most : value;
}

/** How the policy sees a device. */
export function policyDevice({ registration, model }: DeviceRow, agreement: Agreement): PolicyDevice {
  const { owner, site, profile } = registration;
  return { party: owner, site, model, profile, agreement };
}
