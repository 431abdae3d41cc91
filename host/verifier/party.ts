/** A party to the agreement: its key, which never leaves this object, and its own judgment of what it signs. */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import type { Member } from "../objects/agreement.ts";
import { decodeLicense, type License } from "../objects/license.ts";
import type { Recovery } from "../objects/recovery.ts";
import { decodeRecovery } from "../objects/recovery.ts";
import { workBetween } from "../objects/work.ts";
import { POLICY_DEFAULT, type Policy } from "../policy/policy.ts";
import { type PolicyDevice, type PolicyUsage, policyVerdict } from "../policy/verdict.ts";
import { addSignature, parseSign, type Signer } from "../protocol/cose.ts";
import type { Appraisal } from "./appraisal.ts";

/** What a party signs by, beyond the agreement's caps. What is not named is not limited. */
export interface PartyPolicy extends Partial<Policy> {
  /** False: signs no license at all. */
  readonly licenses?: boolean;
  /** False: signs no recovery at all. */
  readonly recoveries?: boolean;
}

/** A draft with the party's signature, or why it did not sign. */
export type Verdict = { readonly signed: Uint8Array } | { readonly objection: string };

export class Party {
  readonly #signer: Signer;
  readonly name: string;
  readonly policy: PartyPolicy;

  /** `signer` may stand for a key in hardware: all that is asked of it is signatures. */
  constructor(name: string, signer: Signer, policy: PartyPolicy = {}) {
    this.#signer = signer;
    this.name = name;
    this.policy = policy;
  }

  /** What the agreement says of this party. */
  get member(): Member {
    return { kid: this.#signer.kid, name: this.name, publicKey: this.#signer.publicKey };
  }

  signAgreement(draft: Uint8Array): Uint8Array {
    return addSignature(draft, this.#signer, objectAad(ObjectType.AGREEMENT));
  }

  /** Asking a party to sign an order is asking its people: there is no policy. */
  signOrder(draft: Uint8Array): Uint8Array {
    return addSignature(draft, this.#signer, objectAad(ObjectType.ORDER));
  }

  judgeLicense(draft: Uint8Array, device: PolicyDevice, usage: PolicyUsage): Verdict {
    const objections = objectionsToLicense(this.policy, decodeLicense(parseSign(draft).payload), device, usage);
    if (objections.length > 0) return { objection: objections.join(", ") };
    return { signed: addSignature(draft, this.#signer, objectAad(ObjectType.LICENSE)) };
  }

  judgeRecovery(draft: Uint8Array, reported: Recovery["totals"], appraisal: Appraisal): Verdict {
    const objection = objectionToRecovery(this.policy, decodeRecovery(parseSign(draft).payload), reported, appraisal);
    if (objection !== undefined) return { objection };
    return { signed: addSignature(draft, this.#signer, objectAad(ObjectType.RECOVERY)) };
  }
}

/** Why a party does not sign a license; nothing if it does. */
export function objectionsToLicense(
  policy: PartyPolicy,
  license: License,
  device: PolicyDevice,
  usage: PolicyUsage,
): readonly string[] {
  if (policy.licenses === false) return ["it signs no licenses"];
  return policyVerdict(license, device, { ...POLICY_DEFAULT, ...policy }, usage).map(({ message }) => message);
}

/** A recovery must not make less of what the device has certainly done, by the reports that this party accepts. */
export function objectionToRecovery(
  policy: PartyPolicy,
  recovery: Recovery,
  reported: Recovery["totals"],
  appraisal: Appraisal,
): string | undefined {
  if (policy.recoveries === false) return "it signs no recoveries";
  if (workBetween(reported, recovery.totals).some((work) => work < 0n)) return "totals would go back";
  if (Buffer.compare(recovery.nonce, appraisal.evidence.challenge) !== 0) return "another challenge";
  return undefined;
}
