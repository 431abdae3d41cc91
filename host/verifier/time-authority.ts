/** The time authorities of an agreement, as one service: what time it is, and which order is the newest. They can open nothing. */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import type { Member } from "../objects/agreement.ts";
import { signTime } from "../objects/time.ts";
import type { Signer } from "../protocol/cose.ts";
import type { Confirmed } from "./order-book.ts";

/** What is current; asked anew for each statement. */
export interface TimeSource {
  readonly agreementDigest: () => Uint8Array;
  readonly confirmed: (nowMs: number) => Confirmed;
}

export class TimeAuthority {
  readonly #signers: readonly Signer[];
  readonly #source: TimeSource;

  /** Exactly as many signers as the time quorum asks for. */
  constructor(signers: readonly Signer[], source: TimeSource) {
    this.#signers = signers;
    this.#source = source;
  }

  /** Broadcast to all devices: keeps gates alive for one lease. */
  beacon(nowMs: number): Uint8Array {
    return signTime(ObjectType.BEACON, this.#statement(nowMs), this.#signers);
  }

  /** Answers a governor's time challenge of 32 bytes. */
  timeProof(nonce: Uint8Array, nowMs: number): Uint8Array {
    return signTime(ObjectType.TIME_PROOF, { ...this.#statement(nowMs), nonce }, this.#signers);
  }

  #statement(nowMs: number) {
    return {
      issuedAtSeconds: Math.floor(nowMs / 1000),
      agreementDigest: this.#source.agreementDigest(),
      ...this.#source.confirmed(nowMs),
    };
  }
}

/** What an agreement says of a time authority with this signer. */
export function timeMember(name: string, signer: Signer): Member {
  return { kid: signer.kid, name, publicKey: signer.publicKey };
}
