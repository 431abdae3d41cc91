/**
 * Orders of a party whose key no one holds. At each holder's verifier a person approves the draft for the group; a holder
 * gives its share for a draft that stands here, may still be the next order, and was approved here, and for one order of
 * an epoch only. That a share was given is durable before the share is out, so that no crash makes it forget.
 */
import type { Transaction } from "kysely";
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import type { Agreement } from "../objects/agreement.ts";
import { decodeOrder, orderDigest } from "../objects/order.ts";
import { parseSign, signingRound, type VerificationKey } from "../protocol/cose.ts";
import type { Tables } from "../store/store.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { approved, checkApproval } from "../verifier/draft.ts";
import { VerifierError } from "../verifier/errors.ts";
import { readSigned } from "../verifier/signed.ts";
import type { ServiceContext } from "./context.ts";
import { isSameOrder, readDraft, readDraftsOf, type StoredDraft, writeDraft } from "./draft-rows.ts";
import { canGather, type FrostGathering, type FrostSeat } from "./frost-gathering.ts";

const AAD = objectAad(ObjectType.ORDER);

export class GroupOrders {
  readonly #context: ServiceContext;
  readonly #gathering: FrostGathering;

  constructor(context: ServiceContext, gathering: FrostGathering) {
    this.#context = context;
    this.#gathering = gathering;
  }

  /** Of the party of this name, if it is a group with a share here. */
  async seatOf(name: string): Promise<FrostSeat | undefined> {
    const { agreement } = await this.#context.shared.now();
    const party = agreement.parties.find((one) => one.name === name);
    return party && this.#context.frost.find(({ group }) => sameBytes(group.kid, party.kid));
  }

  /** A person's approval for the group, durable when it resolves. Once more changes nothing. */
  approve(id: number, { group }: FrostSeat): Promise<StoredDraft> {
    return this.#context.store.write(async (tx) => {
      const grounds = await this.#context.shared.locked(tx, true);
      const name = nameOf(grounds.agreement, group);
      const draft = await readDraft(tx, id);
      checkApproval(draft, name, group.kid, grounds);
      await checkNoOther(tx, draft, name);
      if (draft.groupApprovals.includes(name)) return draft;
      const next = { ...draft, groupApprovals: [...draft.groupApprovals, name] };
      await writeDraft(tx, next, this.#context.clock());
      return next;
    });
  }

  /** The group's signature on a draft that was approved here; undefined while too few other holders give a share. */
  async signature(seat: FrostSeat, { bytes, order }: StoredDraft): Promise<Uint8Array | undefined> {
    if (!canGather(seat)) return undefined;
    const { toBeSigned } = signingRound(bytes, AAD);
    const subject = { group: seat.group.kid, purpose: "order", draft: bytes } as const;
    return this.#gathering.signature(seat, subject, toBeSigned, hexOf(orderDigest(order)));
  }

  /**
   * The draft with the signature that was gathered for it, of which one share is this holder's: until here it has not
   * left the process. One that has the group's signature by now stays as it is.
   */
  async sign(tx: Transaction<Tables>, id: number, { group }: FrostSeat, signature: Uint8Array): Promise<StoredDraft> {
    const grounds = await this.#context.shared.locked(tx, true);
    const name = nameOf(grounds.agreement, group);
    const draft = await readDraft(tx, id);
    if (draft.approvals.includes(name)) return draft;
    checkApproval(draft, name, group.kid, grounds);
    await checkNoOther(tx, draft, name);
    const bytes = signingRound(draft.bytes, AAD).add([{ kid: group.kid, signature }]);
    const next = withShare({ ...draft, ...approved(draft, name, bytes, grounds) }, name);
    await writeDraft(tx, next, this.#context.clock());
    return next;
  }

  /**
   * Whether this holder gives its share of the group's signature on the draft. Throws `order/unknown`, `order/stale`,
   * `order/out-of-turn`, `frost/approval` and `frost/epoch`.
   */
  grant(group: VerificationKey, bytes: Uint8Array): Promise<void> {
    const asked = readSigned("order/malformed", "order/malformed", () => decodeOrder(parseSign(bytes).payload));
    return this.#context.store.write(async (tx) => {
      const grounds = await this.#context.shared.locked(tx, true);
      const name = nameOf(grounds.agreement, group);
      const digest = orderDigest(asked);
      const known = await readDraftsOf(tx, asked.epoch);
      const drafts = known.filter(({ order }) => sameBytes(orderDigest(order), digest));
      if (drafts.length === 0) throw new VerifierError("order/unknown", hexOf(digest));
      grounds.orders.checkNext(asked, grounds.agreementDigest);
      const draft = drafts.find(({ groupApprovals }) => groupApprovals.includes(name));
      if (!draft) throw new VerifierError("frost/approval", name);
      await checkNoOther(tx, draft, name);
      if (!draft.groupShares.includes(name)) await writeDraft(tx, withShare(draft, name), this.#context.clock());
    });
  }
}

/**
 * Throws `frost/epoch` where a share was given for another order of the epoch: both would be signed. One of an agreement
 * that was amended since cannot become active, and stands in nobody's way; and nothing stands in a pause's way but another
 * pause: an order that is never completed must not keep a group from pausing.
 */
async function checkNoOther(tx: Transaction<Tables>, draft: StoredDraft, name: string): Promise<void> {
  const { epoch, agreementDigest, action } = draft.order;
  const drafts = await readDraftsOf(tx, epoch);
  const other = drafts.find(
    (one) =>
      one.groupShares.includes(name) &&
      sameBytes(one.order.agreementDigest, agreementDigest) &&
      (action !== OrderAction.PAUSE || one.order.action === OrderAction.PAUSE) &&
      !isSameOrder(one, draft),
  );
  if (other) throw new VerifierError("frost/epoch", `draft ${other.id}`);
}

function withShare(draft: StoredDraft, name: string): StoredDraft {
  return draft.groupShares.includes(name) ? draft : { ...draft, groupShares: [...draft.groupShares, name] };
}

/** Throws `frost/group`. */
function nameOf({ parties }: Agreement, { kid }: VerificationKey): string {
  const party = parties.find((one) => sameBytes(one.kid, kid));
  if (!party) throw new VerifierError("frost/group", hexOf(kid));
  return party.name;
}
