/**
 * Recoveries that others completed without this verifier: the device's reports and evidence go on from what they state, and
 * so must chain and books here. Whoever brings one may, since the signatures of a whole quorum are what is believed. It
 * takes effect when the device shows that it was installed, as one that was signed here does: until then both may be so.
 */
import type { Transaction } from "kysely";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { NO_REPORT, type ReportHead } from "../objects/eat.ts";
import { decodeRecovery, encodeRecovery, type Recovery, recoveryQuorum, verifyRecovery } from "../objects/recovery.ts";
import { reportDigest } from "../objects/usage-report.ts";
import { type AllWork, workBetween } from "../objects/work.ts";
import { parseSign } from "../protocol/cose.ts";
import type { Tables } from "../store/store.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { newestSequence } from "../verifier/judgement.ts";
import { readSigned } from "../verifier/signed.ts";
import type { DeviceRecord } from "../verifier/storage.ts";
import { type AnswerRow, completeAnswers, readRecoveries, writeAnswers } from "./answer-rows.ts";
import type { ServiceContext } from "./context.ts";
import { type DeviceRow, readDevices, writeDevices } from "./device-rows.ts";
import { AnswerKind } from "./device-state.ts";
import { signatureCount } from "./parties.ts";
import { readReports, reportName } from "./report-rows.ts";
import type { SharedState } from "./shared.ts";

/** A recovery with its whole quorum. */
interface Completed {
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly recovery: Recovery;
}

/** One that is here. */
interface Known {
  readonly row: AnswerRow;
  readonly payload: Uint8Array;
  readonly isWhole: boolean;
}

/** One that is not seen at work yet. */
interface Pending {
  readonly recovery: Recovery;
  readonly isWhole: boolean;
}

/** The newest of a device among which one is known again; of older ones nothing depends any more. */
const KNOWN_MAX = 64;

export class CompletedRecoveries {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Durable when it resolves, and in the log. What is here already, or behind what is here, changes nothing. */
  async take(bytes: Uint8Array): Promise<void> {
    const { store, shared: state, log } = this.#context;
    // Judged before the transaction: nobody waits for signatures of who may be a stranger.
    const shared = await state.now();
    const completed = readCompleted(bytes, shared);
    await store.write(async (tx) => {
      const row = await this.#device(tx, completed.recovery);
      const known = await this.#known(tx, row, shared);
      const same = known.find(({ payload }) => sameBytes(payload, completed.payload));
      const pending = pendingOf(row.state.record, known);
      if (same) await this.#complete(tx, row, same, pending, completed);
      else if (isAhead(row.state.record, pending, completed)) await this.#add(tx, row, completed);
      await log.append(tx, [{ type: ObjectType.RECOVERY, bytes }], shared);
    });
    log.publishSoon();
  }

  /** Whatever its status: what was done was done. */
  async #device(tx: Transaction<Tables>, { ueid }: Recovery): Promise<DeviceRow> {
    const row = (await readDevices(tx, [ueid], this.#context.store.forUpdate)).get(hexOf(ueid));
    if (!row) throw new VerifierError("device/unknown", hexOf(ueid));
    return row;
  }

  async #known(tx: Transaction<Tables>, { id, state }: DeviceRow, { agreementOf }: SharedState): Promise<Known[]> {
    const rows = await readRecoveries(tx, id, Math.max(0, state.recoveries - KNOWN_MAX));
    return rows.map((row) => {
      const { payload } = parseSign(row.bytes);
      const recovery = decodeRecovery(payload);
      const quorum = recoveryQuorum(agreementOf(recovery.agreementDigest)!, recovery);
      return { row, payload, isWhole: signatureCount(row.bytes) >= quorum };
    });
  }

  /** One that was signed here too. It goes before the one that waits, unless that is ahead of it. */
  async #complete(
    tx: Transaction<Tables>,
    before: DeviceRow,
    { row, isWhole }: Known,
    pending: Pending | undefined,
    completed: Completed,
  ): Promise<void> {
    if (isWhole) return;
    await completeAnswers(tx, [{ ...row, bytes: completed.bytes }]);
    // With none that waits it is at work already, and what was done since is not taken back.
    if (!pending || !isAhead(before.state.record, pending, completed)) return;
    await checkReportHead(tx, before, completed.recovery.reportHead);
    await writeDevices(tx, [{ before, after: withPending(before, completed.recovery) }]);
  }

  async #add(tx: Transaction<Tables>, before: DeviceRow, { recovery, bytes }: Completed): Promise<void> {
    await checkReportHead(tx, before, recovery.reportHead);
    const pending = withPending(before, recovery);
    const recoveries = before.state.recoveries + 1;
    const kind = AnswerKind.RECOVERED;
    const answer = { kind, sequence: BigInt(recoveries), evidenceDigest: undefined, expirySeconds: 0, bytes };
    await writeAnswers(tx, [{ ...answer, deviceId: before.id, issuedMs: this.#context.clock() }]);
    const after = { ...pending, state: { ...pending.state, recoveries } };
    await writeDevices(tx, [{ before, after }]);
  }
}

/** Under any agreement that was in force: what was recovered before an amendment was recovered. */
function readCompleted(bytes: Uint8Array, { agreementOf }: SharedState): Completed {
  return readSigned("recovery/malformed", "recovery/signature", () => {
    const { payload } = parseSign(bytes);
    const agreement = agreementOf(decodeRecovery(payload).agreementDigest);
    if (!agreement) throw new VerifierError("recovery/agreement");
    return { bytes, payload, recovery: verifyRecovery(bytes, agreement) };
  });
}

/** From where a device goes on. */
interface Standing {
  readonly totals: AllWork;
  readonly sequence: bigint;
}

/**
 * False for one that is behind what reports or a later recovery say. Throws `recovery/totals-regressed` for one that is
 * behind in some class or in its license and ahead in others, and `recovery/license-ahead`.
 */
function isAhead(record: DeviceRecord, pending: Pending | undefined, { recovery }: Completed): boolean {
  const { chain } = record;
  const standings: Standing[] = [{ totals: chain.totals, sequence: chain.licenseSequence }];
  // A draft of this verifier that nobody completed stands against nothing.
  if (pending?.isWhole) standings.push(pending.recovery);
  for (const standing of standings) {
    const steps = [...workBetween(standing.totals, recovery.totals), recovery.sequence - standing.sequence];
    if (steps.every((step) => step >= 0n)) continue;
    if (steps.every((step) => step <= 0n)) return false;
    throw new VerifierError("recovery/totals-regressed");
  }
  if (recovery.sequence - newestSequence(record) > BigInt(Limit.SEQUENCE_STEP_MAX)) {
    throw new VerifierError("recovery/license-ahead", `${recovery.sequence} after ${newestSequence(record)}`);
  }
  return true;
}

function pendingOf({ recovery }: DeviceRecord, known: readonly Known[]): Pending | undefined {
  if (!recovery) return undefined;
  const payload = encodeRecovery(recovery);
  return { recovery, isWhole: known.some((one) => one.isWhole && sameBytes(one.payload, payload)) };
}

function withPending(before: DeviceRow, recovery: Recovery): DeviceRow {
  const { state } = before;
  return { ...before, state: { ...state, record: { ...state.record, recovery } } };
}

/** Reports from before it may be missing still; those that are here must be the ones that it goes on from. */
async function checkReportHead(tx: Transaction<Tables>, { id, state }: DeviceRow, wanted: ReportHead): Promise<void> {
  const { head } = state.record.chain;
  if (wanted.sequence > head.sequence) return;
  const digest = wanted.sequence === head.sequence ? head.digest : await digestOf(tx, id, wanted.sequence);
  if (!digest || !sameBytes(digest, wanted.digest)) {
    throw new VerifierError("recovery/report-forked", `report ${wanted.sequence}`);
  }
}

async function digestOf(tx: Transaction<Tables>, deviceId: number, sequence: bigint): Promise<Uint8Array | undefined> {
  if (sequence === 0n) return NO_REPORT.digest;
  const stored = (await readReports(tx, [[deviceId, sequence]])).get(reportName([deviceId, sequence]));
  return stored && reportDigest(stored.bytes);
}
