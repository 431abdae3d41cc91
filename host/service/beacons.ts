/**
 * The time authorities whose keys are here: beacons, and time proofs on a governor's nonce. A beacon is the same for
 * everybody, so one is signed a second and given to all who ask in it.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type AsyncSigner, addSignatureAsync, signSign1Async } from "../keys/signer.ts";
import { objectAad } from "../objects/aad.ts";
import { encodeTime, type TimeType } from "../objects/time.ts";
import { draftSign } from "../protocol/cose.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { ServiceContext } from "./context.ts";
import type { SharedState } from "./shared.ts";

export class Beacons {
  readonly #context: ServiceContext;
  #newest:
    | { readonly issuedAtSeconds: number; readonly version: number; readonly bytes: Promise<Uint8Array> }
    | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Throws `time/no-authority`. */
  async beacon(): Promise<Uint8Array> {
    const shared = await this.#context.shared.now();
    const nowMs = this.#context.clock();
    const issuedAtSeconds = Math.floor(nowMs / 1000);
    const { version } = shared;
    if (this.#newest?.issuedAtSeconds !== issuedAtSeconds || this.#newest.version !== version) {
      const bytes = this.#sign(ObjectType.BEACON, shared, nowMs);
      this.#newest = { issuedAtSeconds, version, bytes };
    }
    return this.#newest.bytes;
  }

  /** Throws `time/nonce` and `time/no-authority`. */
  async timeProof(nonce: Uint8Array): Promise<Uint8Array> {
    if (nonce.length !== Limit.NONCE_BYTES) throw new VerifierError("time/nonce", `not ${nonce.length}`);
    return this.#sign(ObjectType.TIME_PROOF, await this.#context.shared.now(), this.#context.clock(), nonce);
  }

  async #sign(type: TimeType, shared: SharedState, nowMs: number, nonce?: Uint8Array): Promise<Uint8Array> {
    const { agreement, agreementDigest, orders } = shared;
    const signers = this.#quorum(shared);
    const issuedAtSeconds = Math.floor(nowMs / 1000);
    const payload = encodeTime(type, { issuedAtSeconds, nonce, agreementDigest, ...orders.confirmed(nowMs) });
    const aad = objectAad(type);
    if (agreement.timeQuorum === 1) return signSign1Async(payload, signers[0]!, aad);
    let bytes = draftSign(payload);
    for (const signer of signers) bytes = await addSignatureAsync(bytes, signer, aad);
    return bytes;
  }

  #quorum({ agreement }: SharedState): AsyncSigner[] {
    const here = agreement.timeAuthorities.flatMap(({ kid }) => {
      const signer = this.#context.timeSigners.find((one) => sameBytes(one.kid, kid));
      return signer ? [signer] : [];
    });
    const { timeQuorum } = agreement;
    if (here.length < timeQuorum) throw new VerifierError("time/no-authority", `${here.length} of ${timeQuorum}`);
    return here.slice(0, timeQuorum);
  }
}
