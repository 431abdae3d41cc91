/**
 * Offline licenses of a party whose key no one holds. No evidence speaks for them, so at each holder a person has the
 * license issued, as a draft of the others; a holder gives its share only for one that was issued so here. It stands in
 * the store under its sequence, of which there is one for a device, and so does no second license of that sequence.
 */
import type { Transaction } from "kysely";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import { parseSign, signingRound } from "../protocol/cose.ts";
import { sha256 } from "../protocol/sha256.ts";
import type { Store, Tables } from "../store/store.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { checkNotPaused } from "../verifier/judgement.ts";
import { checkStands } from "../verifier/licensing.ts";
import type { OrderBook } from "../verifier/order-book.ts";
import { type AnswerRow, completeAnswers, readIssued } from "./answer-rows.ts";
import type { ServiceContext } from "./context.ts";
import { checkStatus } from "./decision.ts";
import { type DeviceRow, readDevices } from "./device-rows.ts";
import { AnswerKind } from "./device-state.ts";
import { readLicenseDraft } from "./drawn-up.ts";
import { canGather, type FrostGathering, type FrostSeat } from "./frost-gathering.ts";
import { signatureCount } from "./parties.ts";
import type { SignedAnswer } from "./service.ts";

const AAD = objectAad(ObjectType.LICENSE);

type Incomplete = Extract<SignedAnswer, { complete: false }>;

export class GroupLicenses {
  readonly #context: ServiceContext;
  readonly #gathering: FrostGathering;

  constructor(context: ServiceContext, gathering: FrostGathering) {
    this.#context = context;
    this.#gathering = gathering;
  }

  /** What was issued here, with the signatures of groups where the parties here are too few. */
  async complete(issued: SignedAnswer): Promise<SignedAnswer> {
    let answer = issued;
    if (answer.complete || this.#context.frost.length === 0) return answer;
    const { agreement } = await this.#context.shared.now();
    for (const seat of this.#context.frost) {
      if (answer.complete) break;
      if (canGather(seat) && agreement.parties.some(({ kid }) => sameBytes(kid, seat.group.kid))) {
        answer = await this.#signed(seat, answer);
      }
    }
    return answer;
  }

  /**
   * Whether this holder gives its share of the group's signature on the draft. Throws `frost/approval`, and what stands
   * against the license by now.
   */
  grant(draft: Uint8Array): Promise<void> {
    return this.#context.store.write(async (tx) => {
      await this.#issued(tx, draft);
    });
  }

  async #signed({ group, ...seat }: FrostSeat, answer: Incomplete): Promise<SignedAnswer> {
    const { draft, need } = answer;
    const round = signingRound(draft, AAD);
    if (round.signed.some((kid) => sameBytes(kid, group.kid))) return answer;
    const subject = { group: group.kid, purpose: "offline", draft } as const;
    const about = hexOf(sha256(parseSign(draft).payload));
    const signature = await this.#gathering.signature({ group, ...seat }, subject, round.toBeSigned, about);
    if (!signature) return answer;
    const bytes = round.add([{ kid: group.kid, signature }]);
    const have = round.signed.length + 1;
    const { store, log, shared } = this.#context;
    const [leaf] = await store.write(async (tx) => {
      const rows = await this.#issued(tx, draft);
      await completeAnswers(
        tx,
        rows.filter((row) => signatureCount(row.bytes) < have).map((row) => ({ ...row, bytes })),
      );
      return have < need ? [] : log.append(tx, [{ type: ObjectType.LICENSE, bytes }], await shared.locked(tx));
    });
    if (have < need) return { complete: false, draft: bytes, have, need };
    await log.cover(leaf);
    return { complete: true, bytes, repeated: false };
  }

  /** Its rows, one a device. */
  async #issued(tx: Transaction<Tables>, draft: Uint8Array): Promise<AnswerRow[]> {
    const { agreement, agreementDigest, orders } = await this.#context.shared.locked(tx);
    const license = readLicenseDraft(draft, agreement);
    checkStands(license, { agreementDigest, epoch: orders.epochNewest }, agreement, this.#context.clock());
    const devices = await offlineDevices(this.#context.store, tx, license.cohort ?? [license.ueid!], orders);
    const rows = await offlineRows(tx, devices, draft, license.sequence);
    if (!rows) throw new VerifierError("frost/approval", `sequence ${license.sequence}`);
    return rows;
  }
}

/**
 * The devices in this order, if each may be given a license without evidence. Throws `device/unknown`, what its status says,
 * and `license/paused`: its gate would refuse the license, for the pause and then for its epoch; but no pause hangs on the
 * gate alone.
 */
export async function offlineDevices(
  { forUpdate }: Store,
  tx: Transaction<Tables>,
  ueids: readonly Uint8Array[],
  orders: OrderBook,
): Promise<DeviceRow[]> {
  const found = await readDevices(tx, ueids, forUpdate);
  const devices = ueids.map((ueid) => {
    const row = found.get(hexOf(ueid));
    if (!row) throw new VerifierError("device/unknown", hexOf(ueid));
    checkStatus(row.status);
    return row;
  });
  for (const ueid of ueids) checkNotPaused({ ueid, epoch: orders.epochNewest }, orders);
  return devices;
}

/** The rows by which the license of this draft was issued here to all of them without evidence; undefined if it was not. */
export async function offlineRows(
  tx: Transaction<Tables>,
  devices: readonly DeviceRow[],
  draft: Uint8Array,
  sequence: bigint,
): Promise<AnswerRow[] | undefined> {
  const { payload } = parseSign(draft);
  const known = await readIssued(
    tx,
    devices.map(({ id }) => id),
    sequence,
  );
  const rows = known.filter(
    ({ kind, evidenceDigest, bytes }) =>
      kind === AnswerKind.LICENSE && evidenceDigest === undefined && sameBytes(parseSign(bytes).payload, payload),
  );
  return rows.length === devices.length ? rows : undefined;
}
