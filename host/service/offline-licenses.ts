/**
 * Licenses that answer no evidence, for sites without a network: for one device, or a cohort of up to 32 that a stick
 * brings the same license to. What bounds them is their sequence, their window and their ticks.
 */
import type { Transaction } from "kysely";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { License } from "../objects/license.ts";
import type { Tables } from "../store/store.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { newestSequence } from "../verifier/judgement.ts";
import { checkCaps, checkSequence, checkStands, checkUnissued, draftLicense } from "../verifier/licensing.ts";
import { objectionsToLicense } from "../verifier/party.ts";
import { completeAnswers } from "./answer-rows.ts";
import { CapSums, hasSums } from "./caps.ts";
import type { ServiceContext } from "./context.ts";
import { policyDevice } from "./decision.ts";
import type { DeviceRow } from "./device-rows.ts";
import { AnswerKind } from "./device-state.ts";
import { readLicenseDraft } from "./drawn-up.ts";
import { type GroupLicenses, offlineDevices, offlineRows } from "./group-licenses.ts";
import { checkOfflineRoom, writeIssued } from "./issued.ts";
import { signatureCount, signUpTo } from "./parties.ts";
import type { OfflineLicenseCall, SignedAnswer } from "./service.ts";
import type { SharedState } from "./shared.ts";

export class OfflineLicenses {
  readonly #context: ServiceContext;
  readonly #groups: GroupLicenses;

  constructor(context: ServiceContext, groups: GroupLicenses) {
    this.#context = context;
    this.#groups = groups;
  }

  /**
   * Durable when it resolves. Every call without a draft signs another license: there is no evidence that a retry could
   * name. The same draft again is the license that was issued here by it.
   */
  async issue(call: OfflineLicenseCall): Promise<SignedAnswer> {
    return this.#groups.complete(await this.#issue(call));
  }

  async #issue(call: OfflineLicenseCall): Promise<SignedAnswer> {
    const { answer, leaf } = await this.#issued(call);
    await this.#context.log.cover(leaf);
    return answer;
  }

  #issued(call: OfflineLicenseCall): Promise<{ answer: SignedAnswer; leaf: number | undefined }> {
    const { store, shared: state, settings } = this.#context;
    return store.write(async (tx) => {
      const { policy } = settings();
      const shared = await state.locked(tx, hasSums(policy));
      if (!shared.agreement.offline) throw new VerifierError("license/offline");
      checkCount(call.ueids);
      const rows = await offlineDevices(store, tx, call.ueids, shared.orders);
      const nowMs = this.#context.clock();
      const license = call.draft
        ? drawnUpElsewhere(call.draft, rows, shared, nowMs)
        : drawnUp(call, rows, shared, nowMs);
      const quorum = shared.agreement.quorums.license;
      const draft = call.draft ?? draftLicense(license);
      const again = call.draft && (await offlineRows(tx, rows, draft, license.sequence));
      if (again) {
        const { bytes, have } = await this.#sign(draft, quorum, shared);
        const more = again.filter((row) => signatureCount(row.bytes) < have);
        await completeAnswers(
          tx,
          more.map((row) => ({ ...row, bytes })),
        );
        return this.#logged(tx, answerOf(bytes, have, quorum, true), shared);
      }
      for (const { state: one } of rows) {
        checkOfflineRoom(one);
        if (call.draft) checkUnissued(license, newestSequence(one.record), one.record.books.licenseSequence);
      }
      const devices = rows.map((row) => [row, policyDevice(row, shared.agreement)] as const);
      const caps = await CapSums.read(tx, policy, devices, Math.floor(nowMs / 1000));
      for (const [row, device] of devices) {
        const objections = objectionsToLicense(policy, license, device, caps.usage(row, device));
        if (objections.length > 0) throw new VerifierError("license/policy", objections.join("; "));
        caps.add(row, device, license);
      }
      const { bytes, have } = await this.#sign(draft, quorum, shared);
      await writeIssued(tx, rows, { kind: AnswerKind.LICENSE, license, bytes }, nowMs);
      await caps.write(tx);
      return this.#logged(tx, answerOf(bytes, have, quorum, false), shared);
    });
  }

  async #logged(tx: Transaction<Tables>, answer: SignedAnswer, shared: SharedState) {
    const messages = answer.complete ? [{ type: ObjectType.LICENSE, bytes: answer.bytes } as const] : [];
    const [leaf] = await this.#context.log.append(tx, messages, shared);
    return { answer, leaf };
  }

  #sign(draft: Uint8Array, quorum: number, { agreement }: SharedState) {
    return signUpTo(draft, quorum, this.#context.parties.of(agreement), ObjectType.LICENSE);
  }
}

function checkCount({ length }: readonly Uint8Array[]): void {
  if (length < 1 || length > Limit.COHORT_MAX) {
    throw new VerifierError("license/request", `${length} devices are not 1 to ${Limit.COHORT_MAX}`);
  }
}

/** Its sequence is above that of every license of each of the devices. */
function drawnUp(
  { terms, notBeforeSeconds }: OfflineLicenseCall,
  rows: readonly DeviceRow[],
  { agreement, agreementDigest, orders }: SharedState,
  nowMs: number,
): License {
  checkCaps(terms, agreement);
  const nowSeconds = Math.floor(nowMs / 1000);
  const sequences = rows.map(({ state }) => newestSequence(state.record));
  const sequence = sequences.reduce((most, one) => (one > most ? one : most)) + 1n;
  for (const row of rows) checkSequence(sequence, row.state.record.books.licenseSequence);
  const ueids = rows.map(({ state }) => state.record.ueid);
  return {
    expirySeconds: (notBeforeSeconds ?? nowSeconds) + terms.windowSeconds,
    notBeforeSeconds: notBeforeSeconds ?? nowSeconds,
    ...(ueids.length === 1 ? { ueid: ueids[0]! } : { cohort: ueids }),
    agreementDigest,
    epoch: orders.epochNewest,
    sequence,
    budget: terms.budget,
    rate: terms.rate,
    ticksMax: terms.ticksMax,
    drain: terms.drain ?? agreement.drain,
    svnLeast: agreement.svnLeast,
  };
}

function drawnUpElsewhere(
  bytes: Uint8Array,
  rows: readonly DeviceRow[],
  { agreement, agreementDigest, orders }: SharedState,
  nowMs: number,
): License {
  const license = readLicenseDraft(bytes, agreement);
  const not = (why: string) => new VerifierError("license/draft", why);
  const meant = license.cohort ?? [license.ueid!];
  const asked = rows.map(({ state }) => state.record.ueid);
  const isSame = meant.length === asked.length && meant.every((ueid, i) => sameBytes(ueid, asked[i]!));
  if (!isSame) throw not("it is for other devices");
  if (license.nonce) throw not("it answers a challenge");
  checkStands(license, { agreementDigest, epoch: orders.epochNewest }, agreement, nowMs);
  return license;
}

function answerOf(bytes: Uint8Array, have: number, need: number, repeated: boolean): SignedAnswer {
  return have < need ? { complete: false, draft: bytes, have, need } : { complete: true, bytes, repeated };
}
