/**
 * A party whose key no one holds (FROST, RFC 9591): its holders sit in several verifiers. The verifier that is asked for
 * an answer writes it down, and then gathers the group's signature. A holder gives its share only for what it has judged
 * itself and written down, as if a party of its own were to sign it.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { KeyError } from "../keys/errors.ts";
import type { FrostCommitment } from "../keys/frost.ts";
import { objectAad } from "../objects/aad.ts";
import { signingRound } from "../protocol/cose.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { readSigned } from "../verifier/signed.ts";
import type { Answers } from "./answers.ts";
import type { ServiceContext } from "./context.ts";
import { type EvidenceItem, readEvidenceItem } from "./evidence-item.ts";
import { canGather, type FrostGathering, type FrostSeat } from "./frost-gathering.ts";
import type { GroupLicenses } from "./group-licenses.ts";
import type { GroupOrders } from "./group-orders.ts";
import type { FrostShareRequest, SignedAnswer } from "./service.ts";

type Purpose = FrostShareRequest["purpose"];
const TYPES = {
  license: ObjectType.LICENSE,
  recovery: ObjectType.RECOVERY,
  order: ObjectType.ORDER,
  offline: ObjectType.LICENSE,
} as const;
const DRAFT_CODES = {
  license: "license/draft",
  recovery: "recovery/draft",
  order: "order/malformed",
  offline: "license/draft",
} as const;

export class Frost {
  readonly #context: ServiceContext;
  readonly #gathering: FrostGathering;
  readonly #answers: Answers;
  readonly #orders: GroupOrders;
  readonly #licenses: GroupLicenses;

  /** What judges a holder's share: evidence, or what people approved here. */
  constructor(
    context: ServiceContext,
    gathering: FrostGathering,
    by: { readonly answers: Answers; readonly orders: GroupOrders; readonly licenses: GroupLicenses },
  ) {
    this.#context = context;
    this.#gathering = gathering;
    this.#answers = by.answers;
    this.#orders = by.orders;
    this.#licenses = by.licenses;
  }

  /**
   * The answer to evidence, with the signatures of groups where the parties here are too few. Without enough holders it
   * stays a draft; which holder refused, and why, is in the audit trail, and the next request with the same evidence asks
   * them again.
   */
  async answer(item: EvidenceItem): Promise<SignedAnswer> {
    let answer = (await this.#answers.ask(item))!;
    if (answer.complete || this.#context.frost.length === 0) return answer;
    const { agreement } = await this.#context.shared.now();
    for (const seat of this.#context.frost) {
      if (answer.complete) break;
      if (!canGather(seat) || !agreement.parties.some(({ kid }) => sameBytes(kid, seat.group.kid))) continue;
      const draft = await this.#signed(seat, item, (answer as { draft: Uint8Array }).draft);
      if (!draft) continue;
      answer = (await this.#answers.ask({ ...item, call: { ...item.call, draft } }))!;
    }
    return answer.complete ? { ...answer, repeated: false } : answer;
  }

  /** Throws `frost/group`. */
  commitment(group: Uint8Array): Promise<FrostCommitment> {
    return this.#seat(group).own.commit();
  }

  /** What is to be signed is what follows from the draft, so nothing of the message is believed. */
  async share(request: FrostShareRequest): Promise<Uint8Array> {
    const { purpose, draft, message, commitments } = request;
    const { own, group } = this.#seat(request.group);
    const { agreement } = await this.#context.shared.now();
    if (!agreement.parties.some(({ kid }) => sameBytes(kid, group.kid))) throw new VerifierError("frost/group");
    if (!sameBytes(message, roundOf(purpose, draft).toBeSigned)) throw new VerifierError("frost/context");
    if (request.purpose === "order") await this.#orders.grant(group, draft);
    else if (request.purpose === "offline") await this.#licenses.grant(draft);
    else {
      const { evidence, nonces } = request;
      await this.#answers.ask(await readEvidenceItem(this.#context, request.purpose, { evidence, nonces, draft }));
    }
    try {
      return await own.sign(message, commitments);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** The draft with the group's signature; undefined if it is there already or too few holders gave a share. */
  async #signed(seat: FrostSeat, item: EvidenceItem, draft: Uint8Array): Promise<Uint8Array | undefined> {
    const { group } = seat;
    const purpose = item.purpose as "license" | "recovery";
    const round = roundOf(purpose, draft);
    if (round.signed.some((kid) => sameBytes(kid, group.kid))) return undefined;
    const { evidence, nonces } = item.call;
    const subject = { group: group.kid, purpose, evidence, nonces, draft };
    const signature = await this.#gathering.signature(seat, subject, round.toBeSigned, hexOf(item.digest));
    return signature && round.add([{ kid: group.kid, signature }]);
  }

  #seat(kid: Uint8Array): FrostSeat {
    const seat = this.#context.frost.find(({ group }) => sameBytes(group.kid, kid));
    if (!seat) throw new VerifierError("frost/group", hexOf(kid));
    return seat;
  }
}

function roundOf(purpose: Purpose, draft: Uint8Array) {
  const code = DRAFT_CODES[purpose];
  return readSigned(code, code, () => signingRound(draft, objectAad(TYPES[purpose])));
}

/** What the asker can do something about. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof KeyError)) return error;
  if (error.code === "keys/frost-nonce") return new VerifierError("frost/commitment", error.detail, { cause: error });
  if (error.code !== "keys/frost-commitments") return error;
  return new VerifierError("frost/commitments", error.detail, { cause: error });
}
