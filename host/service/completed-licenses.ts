/**
 * Licenses that others completed while this verifier was away, or without asking it: reports and evidence will speak of
 * them, and the books count them. Whoever brings one may, since the signatures of a whole quorum are what is believed.
 */
import type { Transaction } from "kysely";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { decodeLicense, type License, verifyLicense } from "../objects/license.ts";
import { parseSign } from "../protocol/cose.ts";
import type { Tables } from "../store/store.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { newestSequence } from "../verifier/judgement.ts";
import { checkSequence } from "../verifier/licensing.ts";
import { readSigned } from "../verifier/signed.ts";
import { type AnswerRow, completeAnswers, readIssued } from "./answer-rows.ts";
import { CapSums, hasSums } from "./caps.ts";
import type { ServiceContext } from "./context.ts";
import { policyDevice } from "./decision.ts";
import { type DeviceRow, readDevices } from "./device-rows.ts";
import { AnswerKind } from "./device-state.ts";
import { checkOfflineRoom, writeIssued } from "./issued.ts";
import { signatureCount } from "./parties.ts";
import type { SharedState } from "./shared.ts";

/** A license with its whole quorum. */
interface Completed {
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly license: License;
  readonly quorum: number;
}

export class CompletedLicenses {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Durable when it resolves, and in the log. What is here already changes nothing. */
  async take(bytes: Uint8Array): Promise<void> {
    const { store, shared: state, settings, log } = this.#context;
    // Judged before the transaction: nobody waits for signatures of who may be a stranger.
    const completed = readCompleted(bytes, await state.now());
    await store.write(async (tx) => {
      const shared = await state.locked(tx, hasSums(settings().policy));
      const rows = await this.#devices(tx, completed.license);
      const known = await readIssued(
        tx,
        rows.map(({ id }) => id),
        completed.license.sequence,
      );
      const { ahead, completes } = sortOut(rows, known, completed);
      await completeAnswers(tx, completes);
      await this.#write(tx, ahead, completed, shared);
      await log.append(tx, [{ type: ObjectType.LICENSE, bytes }], shared);
    });
    log.publishSoon();
  }

  /** Those of its devices that are enrolled here, whatever their status: what was done was done. */
  async #devices(tx: Transaction<Tables>, { ueid, cohort }: License): Promise<DeviceRow[]> {
    const meant = cohort ?? [ueid!];
    const rows = [...(await readDevices(tx, meant, this.#context.store.forUpdate)).values()];
    if (rows.length === 0) throw new VerifierError("device/unknown", hexOf(meant[0]!));
    return rows;
  }

  async #write(
    tx: Transaction<Tables>,
    rows: readonly DeviceRow[],
    { bytes, license }: Completed,
    { agreement }: SharedState,
  ): Promise<void> {
    const { settings, clock } = this.#context;
    const nowMs = clock();
    const devices = rows.map((row) => [row, policyDevice(row, agreement)] as const);
    const caps = await CapSums.read(tx, settings().policy, devices, Math.floor(nowMs / 1000));
    for (const [row, device] of devices) caps.add(row, device, license);
    await writeIssued(tx, rows, { kind: AnswerKind.COMPLETED, license, bytes }, nowMs);
    await caps.write(tx);
  }
}

/** Under any agreement that was in force: what was licensed before an amendment was licensed. */
function readCompleted(bytes: Uint8Array, { agreementOf }: SharedState): Completed {
  return readSigned("license/malformed", "license/signature", () => {
    const { payload } = parseSign(bytes);
    const agreement = agreementOf(decodeLicense(payload).agreementDigest);
    if (!agreement) throw new VerifierError("license/agreement");
    return { bytes, payload, license: verifyLicense(bytes, agreement), quorum: agreement.quorums.license };
  });
}

/**
 * The devices that it is new to, and the rows of drafts that it completes. Throws what stands against it for the first
 * device where it is of use to none: what stands against it for one of a cohort is no reason to withhold it from others.
 */
function sortOut(rows: readonly DeviceRow[], known: readonly AnswerRow[], completed: Completed) {
  const ahead: DeviceRow[] = [];
  const completes: AnswerRow[] = [];
  const refusals: VerifierError[] = [];
  for (const row of rows) {
    try {
      const stored = known.filter(({ deviceId }) => deviceId === row.id);
      const same = stored.find((answer) => isSameLicense(answer, completed));
      if (same && !isWhole(same, completed)) completes.push({ ...same, bytes: completed.bytes });
      if (!same && isAhead(row, completed.license)) ahead.push(row);
    } catch (error) {
      if (!(error instanceof VerifierError)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length > 0 && ahead.length + completes.length === 0) throw refusals[0];
  return { ahead, completes };
}

/**
 * False for another draft of that sequence, which was never completed. Throws `license/signed-already` if that other one
 * is whole: which of the two the device holds, its evidence does not say.
 */
function isSameLicense(row: AnswerRow, completed: Completed): boolean {
  if (sameBytes(parseSign(row.bytes).payload, completed.payload)) return true;
  if (!isWhole(row, completed)) return false;
  throw new VerifierError("license/signed-already", `sequence ${completed.license.sequence}`);
}

function isWhole({ bytes }: AnswerRow, { quorum }: Completed): boolean {
  return signatureCount(bytes) >= quorum;
}

/** Of one that is behind what evidence showed nothing depends any more. */
function isAhead({ state }: DeviceRow, { sequence, nonce }: License): boolean {
  if (sequence <= state.record.books.licenseSequence) return false;
  // A verifier that was away for long is shown one license after the other, each within a step of the ones before.
  const newest = newestSequence(state.record);
  if (sequence > newest) checkSequence(sequence, newest);
  if (nonce === undefined) checkOfflineRoom(state);
  return true;
}
