/** The parties whose keys are here, and the one policy by which they sign. Their keys may live elsewhere still. */
import type { ObjectType } from "../../firmware/protocol/claims.ts";
import type { AsyncSigner } from "../keys/signer.ts";
import { objectAad } from "../objects/aad.ts";
import type { Agreement, Member } from "../objects/agreement.ts";
import { firstRound, parseSign, signingRound, type VerificationKey } from "../protocol/cose.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";

/** A party of the agreement with the signer that is here for it. */
export interface LocalParty {
  readonly member: Member;
  readonly signer: AsyncSigner;
}

export class LocalParties {
  readonly #signers: readonly AsyncSigner[];
  readonly #groups: readonly VerificationKey[];

  /**
   * Keys that may overlap: which of them is a party's, the agreement in force says. `groups` are those whose signature
   * can be gathered from here.
   */
  constructor(signers: readonly AsyncSigner[], groups: readonly VerificationKey[] = []) {
    this.#signers = signers;
    this.#groups = groups;
  }

  /** Kids of the parties whose signature is to be had here. */
  kidsHere(agreement: Pick<Agreement, "parties">): Uint8Array[] {
    const groups = agreement.parties.filter(({ kid }) => this.#groups.some((group) => sameBytes(group.kid, kid)));
    return [...this.of(agreement).map(({ member }) => member), ...groups].map(({ kid }) => kid);
  }

  /** In the agreement's order. */
  of({ parties }: Pick<Agreement, "parties">): LocalParty[] {
    return parties.flatMap((member) => {
      const signer = this.#signers.find(({ kid }) => sameBytes(kid, member.kid));
      return signer ? [{ member, signer }] : [];
    });
  }

  byName(agreement: Agreement, name: string): LocalParty {
    const party = this.of(agreement).find(({ member }) => member.name === name);
    if (!party) throw new VerifierError("order/not-a-party", name);
    return party;
  }
}

export interface Signed {
  readonly bytes: Uint8Array;
  readonly have: number;
}

export function signatureCount(bytes: Uint8Array): number {
  return parseSign(bytes).signatures.length;
}

/** What parties are to sign: a message that others may have signed, or the payload of one that nobody has. */
export type Draft = Uint8Array | { readonly payload: Uint8Array };

/** The draft with signatures of parties that are here and have not signed, until it has `quorum`. */
export async function signUpTo(
  draft: Draft,
  quorum: number,
  parties: readonly LocalParty[],
  type: ObjectType,
): Promise<Signed> {
  const aad = objectAad(type);
  const round = draft instanceof Uint8Array ? signingRound(draft, aad) : firstRound(draft.payload, aad);
  const isDone = (kid: Uint8Array) => round.signed.some((signed) => sameBytes(signed, kid));
  const missing = Math.max(0, quorum - round.signed.length);
  const willing = parties.filter(({ member }) => !isDone(member.kid)).slice(0, missing);
  if (willing.length === 0)
    return { bytes: draft instanceof Uint8Array ? draft : round.add([]), have: round.signed.length };
  const signatures = await Promise.all(
    willing.map(async ({ signer }) => ({ kid: signer.kid, signature: await signer.sign(round.toBeSigned) })),
  );
  return { bytes: round.add(signatures), have: round.signed.length + willing.length };
}
