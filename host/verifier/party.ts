/** A party to the agreement: its key, which never leaves this object, and its own judgment of what it signs. */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { objectAad } from "../objects/aad.ts";
import type { Member } from "../objects/agreement.ts";
import { decodeLicense, type License } from "../objects/license.ts";
import type { Recovery } from "../objects/recovery.ts";
import { decodeRecovery } from "../objects/recovery.ts";
import { type WorkByClass, workBetween } from "../objects/work.ts";
import { addSignature, parseSign, type Signer } from "../protocol/cose.ts";
import type { Appraisal } from "./appraisal.ts";

/** What a party signs licenses by, beyond the agreement's caps. What is not named is not limited. */
export interface PartyPolicy {
  /** The most of each class in one license; a class that is not named here gets nothing. */
  readonly budgetMax?: WorkByClass;
  readonly ticksMax?: bigint;
  /** The longest time from now to a license's expiry. */
  readonly windowSecondsMax?: number;
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

  judgeLicense(draft: Uint8Array, nowMs: number): Verdict {
    const objection = this.#objectionTo(decodeLicense(parseSign(draft).payload), nowMs);
    if (objection !== undefined) return { objection };
    return { signed: addSignature(draft, this.#signer, objectAad(ObjectType.LICENSE)) };
  }

  /** A recovery must not make less of what the device has certainly done, by the reports that this party accepts. */
  judgeRecovery(draft: Uint8Array, reported: Recovery["totals"], appraisal: Appraisal): Verdict {
    const recovery = decodeRecovery(parseSign(draft).payload);
    if (this.policy.recoveries === false) return { objection: "it signs no recoveries" };
    if (workBetween(reported, recovery.totals).some((work) => work < 0n)) return { objection: "totals would go back" };
    if (Buffer.compare(recovery.nonce, appraisal.evidence.challenge) !== 0) return { objection: "another challenge" };
    return { signed: addSignature(draft, this.#signer, objectAad(ObjectType.RECOVERY)) };
  }

  #objectionTo(license: License, nowMs: number): string | undefined {
    const { budgetMax, ticksMax, windowSecondsMax, licenses } = this.policy;
    if (licenses === false) return "it signs no licenses";
    const over = (engineClass: EngineClass, work: bigint) => budgetMax && work > (budgetMax.get(engineClass) ?? 0n);
    for (const [engineClass, work] of license.budget) {
      if (over(engineClass, work)) return `${work} of class ${engineClass} is over its limit`;
    }
    if (ticksMax !== undefined && license.ticksMax > ticksMax) return `${license.ticksMax} ticks are over its limit`;
    if (windowSecondsMax !== undefined && license.expirySeconds > nowMs / 1000 + windowSecondsMax) {
      return "the license would expire too late";
    }
    return undefined;
  }
}
