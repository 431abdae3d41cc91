/**
 * Evidence → license, recovery or appraisal, for all requests that arrive together in one durable transaction:
 *
 *     lock and read the devices → decide each → sign what was decided → write it all → commit → answer
 *
 * An answer is signed before it is durable and handed out after. Nothing is answered twice: the device's row is locked and
 * holds its newest nonce and sequence, and the store keeps evidence digests and sequences unique besides. A retry finds
 * its answer by the evidence's digest.
 */
import type { Transaction } from "kysely";
import type { Policy } from "../policy/policy.ts";
import { Batcher, type Result } from "../store/batcher.ts";
import type { Tables } from "../store/store.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { Nonces } from "../verifier/nonces.ts";
import {
  type AnswerRow,
  completeAnswers,
  isGood,
  type LicenseKey,
  licenseName,
  readAnswers,
  readLicenses,
  readVerdicts,
  type VerdictRow,
  writeAnswers,
  writeVerdicts,
} from "./answer-rows.ts";
import { CapSums, hasSums } from "./caps.ts";
import type { ServiceContext } from "./context.ts";
import { type AnswerDraft, answeredBefore, type Bench, type Decision, decide, policyDevice } from "./decision.ts";
import { changesOf, type DeviceRow, readDevices, writeDevices } from "./device-rows.ts";
import type { EvidenceItem } from "./evidence-item.ts";
import type { Loggable } from "./log/terms.ts";
import { type Signed, signatureCount, signUpTo } from "./parties.ts";
import type { SignedAnswer } from "./service.ts";
import type { SharedState } from "./shared.ts";
import { UsageChanges } from "./usage.ts";
import { verdictOn } from "./verdict.ts";

/** Undefined where an appraisal was all that was asked for. */
export type EvidenceAnswer = SignedAnswer | undefined;

/** With it, where it is whole, which leaf of the log it is. */
interface Logged {
  readonly answer: EvidenceAnswer;
  readonly leaf: number | undefined;
}

/** Requests of one transaction at most, and requests that may wait. */
const ITEMS_MAX = 256;
const QUEUE_MAX = 8192;
/** Transactions under way at one time: where the writer is alone, more would only wait. */
const LANES = { sqlite: 1, postgres: 4 } as const;

/** Two devices use one identity, or one device has two histories: nothing is licensed until a registrar has looked. */
const FORK_CODES: readonly string[] = ["evidence/boot-forked", "evidence/report-forked"];

/** One request in the course of a batch. */
type Outcome = { readonly item: EvidenceItem } & (
  | { readonly type: "decided"; readonly decision: Decision }
  | { readonly type: "repeated"; readonly stored: AnswerRow; readonly draft: AnswerDraft }
  | { readonly type: "appraised" }
  | { readonly type: "refused"; readonly error: VerifierError; readonly deviceId?: number; readonly row?: DeviceRow }
);

export class Answers {
  readonly #context: ServiceContext;
  readonly #batcher: Batcher<EvidenceItem, Logged>;
  /** By the evidence's digest. A retry that comes while the first is under way waits for its answer. */
  readonly #underWay = new Map<string, { readonly name: string; readonly answer: Promise<EvidenceAnswer> }>();

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#batcher = new Batcher({
      itemsMax: ITEMS_MAX,
      lanes: LANES[context.store.engine],
      queueMax: QUEUE_MAX,
      observe: context.committed,
      run: (items) => context.store.write((tx) => this.#run(tx, items)),
    });
  }

  /** Durable and public when it resolves. Rejects with the `VerifierError` of what stands against it. */
  async ask(item: EvidenceItem): Promise<EvidenceAnswer> {
    const digest = hexOf(item.digest);
    const name = `${item.purpose} ${item.call.draft ? hexOf(item.call.draft) : ""}`;
    for (let first = this.#underWay.get(digest); first; first = this.#underWay.get(digest)) {
      if (first.name === name) return repeated(await first.answer);
      // What else is wanted on the same evidence is decided after it: no batch holds one evidence twice.
      await first.answer.catch(() => {});
    }
    const answer = this.#public(item);
    this.#underWay.set(digest, { name, answer });
    try {
      return await answer;
    } finally {
      this.#underWay.delete(digest);
    }
  }

  async #public(item: EvidenceItem): Promise<EvidenceAnswer> {
    const { answer, leaf } = await this.#batcher.ask(item);
    await this.#context.log.cover(leaf);
    return answer;
  }

  async #run(tx: Transaction<Tables>, items: readonly EvidenceItem[]): Promise<Result<Logged>[]> {
    const { store, slot, nonces } = this.#context;
    const { rows, known, licenses, bench } = await this.#read(tx, items);
    const { policy } = bench.settings;
    const before = new Map(rows);
    const outcomes = items.map((item) => {
      const ueid = hexOf(item.evidence.ueid);
      const outcome = judge(item, rows.get(ueid), known, bench, nonces);
      const after = rowAfter(outcome);
      if (after) rows.set(ueid, after);
      if (after?.state.issued) licenses.set(licenseName([after.id, after.state.issued.sequence]), after.state.issued);
      return outcome;
    });
    const signed = await Promise.all(outcomes.map((outcome) => this.#sign(outcome, bench.shared)));
    const usage = new UsageChanges();
    const changes = changesOf(before, rows);
    for (const change of changes) usage.add(change.before, change.after);
    await writeAnswers(
      tx,
      outcomes.flatMap((outcome, i) => answerRow(outcome, signed[i], policy)),
    );
    await completeAnswers(
      tx,
      outcomes.flatMap((outcome, i) => completedRow(outcome, signed[i])),
    );
    await writeVerdicts(
      tx,
      outcomes.flatMap((outcome) => verdictRow(outcome, known, policy, bench.nowMs)),
    );
    await writeDevices(tx, changes);
    await usage.write(store, tx, slot);
    await bench.caps.write(tx);
    const whole = outcomes.map((outcome, i) => wholeMessage(outcome, signed[i]));
    const leaves = await this.#context.log.append(
      tx,
      whole.flatMap((one) => one ?? []),
      bench.shared,
    );
    let logged = 0;
    return outcomes.map((outcome, i) => resultOf(outcome, signed[i], whole[i] && leaves[logged++]));
  }

  /** All that the batch's decisions may look at, locked until the transaction ends. */
  async #read(tx: Transaction<Tables>, items: readonly EvidenceItem[]) {
    const { store, shared: state, settings, clock } = this.#context;
    const current = settings();
    const shared = await state.locked(tx, hasSums(current.policy));
    const ueids = items.map(({ evidence }) => evidence.ueid);
    const rows = await readDevices(tx, ueids, store.forUpdate);
    const rowOf = ({ evidence }: EvidenceItem) => rows.get(hexOf(evidence.ueid));
    const retries = items.filter((item) => isUsed(item.nonce.serial, rowOf(item))).map(({ digest }) => digest);
    const known: Known = { answers: await readAnswers(tx, retries), verdicts: await readVerdicts(tx, retries) };
    const licenses = await readLicenses(
      tx,
      items.flatMap((item) => licensesNeeded(item, rowOf(item))),
    );
    for (const { id, state } of rows.values()) {
      if (state.issued) licenses.set(licenseName([id, state.issued.sequence]), state.issued);
    }
    const nowMs = clock();
    const devices = [...rows.values()].map((row) => [row, policyDevice(row, shared.agreement)] as const);
    const caps = await CapSums.read(tx, current.policy, devices, Math.floor(nowMs / 1000));
    const licenseOf =
      ({ id }: DeviceRow) =>
      (sequence: bigint) =>
        licenses.get(licenseName([id, sequence]));
    const { restoredMs } = this.#context;
    const logRoots = await this.#logRoots(tx, items, shared);
    const bench: Bench = { shared, settings: current, caps, licenseOf, logRoots, nowMs, restoredMs };
    return { rows, known, licenses, bench };
  }

  /** Of the heads that devices were shown, where the agreement's log is the one here. */
  async #logRoots(tx: Transaction<Tables>, items: readonly EvidenceItem[], { agreement }: SharedState) {
    const { log } = this.#context;
    if (!log.isOf(agreement.log)) return undefined;
    const roots = new Map<bigint, Uint8Array | undefined>();
    for (const { evidence } of items) {
      const size = evidence.logHead?.size ?? 0n;
      if (size > 0n && !roots.has(size)) roots.set(size, await log.rootAt(tx, size));
    }
    return roots;
  }

  async #sign(outcome: Outcome, { agreement }: SharedState): Promise<Signed | undefined> {
    const draft = draftOf(outcome);
    return draft && signUpTo(draft.signed, draft.quorum, this.#context.parties.of(agreement), draft.type);
  }
}

/** What was concluded before of evidence whose nonce is used up, by the evidence's digest in hex. */
interface Known {
  readonly answers: ReadonlyMap<string, AnswerRow>;
  readonly verdicts: ReadonlyMap<string, Uint8Array>;
}

function judge(item: EvidenceItem, row: DeviceRow | undefined, known: Known, bench: Bench, nonces: Nonces): Outcome {
  try {
    if (!row) throw new VerifierError("device/unknown", hexOf(item.evidence.ueid));
    const stored = known.answers.get(hexOf(item.digest));
    if (item.purpose === "appraisal" && (stored || isAppraised(item, known))) return { item, type: "appraised" };
    if (stored) return { item, type: "repeated", stored, draft: answeredBefore(stored, item, row, bench) };
    nonces.checkAge(item.nonce, bench.nowMs);
    return { item, type: "decided", decision: decide(item, row, bench) };
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    const forked = row && FORK_CODES.includes(error.code) && row.status === "active";
    return {
      item,
      type: "refused",
      error,
      deviceId: row?.id,
      row: forked ? { ...row, status: "suspected-fork" } : undefined,
    };
  }
}

/** Whether it was found good before. */
function isAppraised({ digest }: EvidenceItem, { verdicts }: Known): boolean {
  const claims = verdicts.get(hexOf(digest));
  return claims !== undefined && isGood(claims);
}

function rowAfter(outcome: Outcome): DeviceRow | undefined {
  if (outcome.type === "decided") return outcome.decision.row;
  return outcome.type === "refused" ? outcome.row : undefined;
}

function answerRow(outcome: Outcome, signed: Signed | undefined, policy: Policy): AnswerRow[] {
  if (outcome.type !== "decided" || !signed) return [];
  const { item, decision } = outcome;
  const { kind, sequence, expirySeconds } = decision.draft!;
  return [
    {
      deviceId: decision.row.id,
      kind,
      sequence,
      evidenceDigest: item.digest,
      issuedMs: decision.row.seenMs,
      expirySeconds,
      bytes: signed.bytes,
      verdict: verdictOn(item, policy, decision.row.seenMs),
    },
  ];
}

/** A repeated answer that has more signatures now. */
function completedRow(outcome: Outcome, signed: Signed | undefined): AnswerRow[] {
  if (outcome.type !== "repeated" || !signed || signed.have <= signatureCount(outcome.stored.bytes)) return [];
  return [{ ...outcome.stored, bytes: signed.bytes }];
}

/** Of what stands with no answer. What was found good stays so, whatever its evidence is used for a second time. */
function verdictRow(outcome: Outcome, known: Known, policy: Policy, judgedMs: number): VerdictRow[] {
  const { item } = outcome;
  if (outcome.type === "decided" && !outcome.decision.draft) {
    const deviceId = outcome.decision.row.id;
    return [{ evidenceDigest: item.digest, deviceId, judgedMs, claims: verdictOn(item, policy, judgedMs) }];
  }
  if (outcome.type !== "refused" || outcome.deviceId === undefined || isAppraised(item, known)) return [];
  const { error, deviceId } = outcome;
  return [{ evidenceDigest: item.digest, deviceId, judgedMs, claims: verdictOn(item, policy, judgedMs, error.code) }];
}

/** What is signed by its whole quorum, now or before: it is in the log, or goes into it. */
function wholeMessage(outcome: Outcome, signed: Signed | undefined): Loggable | undefined {
  const draft = draftOf(outcome);
  if (!draft || !signed || signed.have < draft.quorum) return undefined;
  return { type: draft.type, bytes: signed.bytes };
}

function resultOf(outcome: Outcome, signed: Signed | undefined, leaf: number | undefined): Result<Logged> {
  if (outcome.type === "refused") return { ok: false, error: outcome.error };
  return { ok: true, value: { answer: signed && answerOf(outcome, signed), leaf } };
}

function answerOf(outcome: Outcome, { bytes, have }: Signed): EvidenceAnswer {
  const { quorum } = draftOf(outcome)!;
  if (have < quorum) return { complete: false, draft: bytes, have, need: quorum };
  return { complete: true, bytes, repeated: outcome.type === "repeated" };
}

function repeated(answer: EvidenceAnswer): EvidenceAnswer {
  return answer?.complete ? { ...answer, repeated: true } : answer;
}

function draftOf(outcome: Outcome): AnswerDraft | undefined {
  if (outcome.type === "decided") return outcome.decision.draft;
  return outcome.type === "repeated" ? outcome.draft : undefined;
}

function isUsed(serial: Uint8Array, row: DeviceRow | undefined): boolean {
  const newest = row?.state.record.nonceUsed;
  return newest !== undefined && Buffer.compare(serial, newest) <= 0;
}

/** Licenses that the books need and the device's row does not hold. */
function licensesNeeded({ purpose, evidence }: EvidenceItem, row: DeviceRow | undefined): LicenseKey[] {
  if (!row) return [];
  const { record, issued } = row.state;
  const { sequenceIssued } = record;
  const isAll = purpose === "recovery" || evidence.licenseSequence > sequenceIssued;
  const last = isAll ? sequenceIssued : evidence.licenseSequence;
  const wanted: bigint[] = [];
  for (let sequence = record.books.licenseSequence + 1n; sequence <= last; sequence += 1n) wanted.push(sequence);
  return wanted.filter((sequence) => sequence !== issued?.sequence).map((sequence) => [row.id, sequence] as const);
}
