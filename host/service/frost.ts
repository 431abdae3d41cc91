/**
 * A party whose key no one holds (FROST, RFC 9591): its holders sit in several verifiers. The verifier that is asked for
 * an answer writes it down, and then gathers the group's signature: outside of any transaction, since two verifiers that
 * each waited for the other with their stores locked would wait for good. A holder gives its share only for what it has
 * judged itself and written down, as if a party of its own were to sign it.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Slots } from "../client/slots.ts";
import { KeyError } from "../keys/errors.ts";
import { type FrostCommitment, type FrostHolder, type FrostMember, frostSigner } from "../keys/frost.ts";
import type { FrostGroup } from "../keys/frost-group.ts";
import { objectAad } from "../objects/aad.ts";
import { signingRound } from "../protocol/cose.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { readSigned } from "../verifier/signed.ts";
import type { Answers } from "./answers.ts";
import { writeAudit } from "./audit.ts";
import type { ServiceContext } from "./context.ts";
import { type EvidenceItem, readEvidenceItem } from "./evidence-item.ts";
import type { FrostShareRequest, SignedAnswer, VerifierService } from "./service.ts";

/** Another verifier, as a holder of a share. */
export interface FrostPeer {
  readonly holder: number;
  readonly verifier: Pick<VerifierService, "frostCommitment" | "frostShare">;
}

/** The share that is here, and where the others are; with too few of them this verifier gives shares and gathers none. */
export interface FrostSeat {
  readonly group: FrostGroup;
  readonly own: FrostHolder;
  readonly peers: readonly FrostPeer[];
}

export function canGather({ group, peers }: FrostSeat): boolean {
  return peers.length + 1 >= group.threshold;
}

/** A holder keeps 64 nonces, and each of 8 verifiers may gather at once. */
const IN_FLIGHT_MAX = 8;
const WAITING_MAX = 1024;

type Purpose = FrostShareRequest["purpose"];
const TYPES = { license: ObjectType.LICENSE, recovery: ObjectType.RECOVERY } as const;
const DRAFT_CODES = { license: "license/draft", recovery: "recovery/draft" } as const;

export class Frost {
  readonly #context: ServiceContext;
  readonly #answers: Answers;
  readonly #slots = new Slots(IN_FLIGHT_MAX, WAITING_MAX, () => new KeyError("keys/signer-busy"));

  constructor(context: ServiceContext, answers: Answers) {
    this.#context = context;
    this.#answers = answers;
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
      const draft = await this.#slots.run(() => this.#signed(seat, item, (answer as { draft: Uint8Array }).draft));
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
    const { purpose, evidence, nonces, draft, message, commitments } = request;
    const { own, group } = this.#seat(request.group);
    const { agreement } = await this.#context.shared.now();
    if (!agreement.parties.some(({ kid }) => sameBytes(kid, group.kid))) throw new VerifierError("frost/group");
    if (!sameBytes(message, roundOf(purpose, draft).toBeSigned)) throw new VerifierError("frost/context");
    await this.#answers.ask(await readEvidenceItem(this.#context, purpose, { evidence, nonces, draft }));
    try {
      return await own.sign(message, commitments);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** The draft with the group's signature; undefined if it is there already or too few holders gave a share. */
  async #signed({ group, own, peers }: FrostSeat, item: EvidenceItem, draft: Uint8Array) {
    const purpose = item.purpose as Purpose;
    const round = roundOf(purpose, draft);
    if (round.signed.some((kid) => sameBytes(kid, group.kid))) return undefined;
    const { evidence, nonces } = item.call;
    const subject = { group: group.kid, purpose, evidence, nonces, draft };
    const signer = frostSigner(group, [own, ...peers.map((peer) => memberOf(peer, subject))]);
    try {
      return round.add([{ kid: group.kid, signature: await signer.sign(round.toBeSigned) }]);
    } catch (error) {
      if (!(error instanceof KeyError) || error.code !== "keys/frost-members") throw error;
      await writeAudit(this.#context.store, {
        atMs: this.#context.clock(),
        actor: `group ${hexOf(group.kid)}`,
        action: "frost.gather",
        subject: hexOf(item.digest),
        outcome: error.code,
        detail: error.detail,
      });
      return undefined;
    }
  }

  #seat(kid: Uint8Array): FrostSeat {
    const seat = this.#context.frost.find(({ group }) => sameBytes(group.kid, kid));
    if (!seat) throw new VerifierError("frost/group", hexOf(kid));
    return seat;
  }
}

function memberOf(
  { holder, verifier }: FrostPeer,
  subject: Omit<FrostShareRequest, "message" | "commitments">,
): FrostMember {
  return {
    holder,
    commit: () => verifier.frostCommitment(subject.group),
    sign: (message, commitments) => verifier.frostShare({ ...subject, message, commitments }),
  };
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
