/**
 * A group's signature, gathered from the holders of its key's shares: outside of any transaction, since two verifiers
 * that each waited for the other with their stores locked would wait for good.
 */
import { Slots } from "../client/slots.ts";
import { KeyError } from "../keys/errors.ts";
import { type FrostHolder, type FrostMember, frostSigner } from "../keys/frost.ts";
import type { FrostGroup } from "../keys/frost-group.ts";
import { hexOf } from "../verifier/bytes.ts";
import { writeAudit } from "./audit.ts";
import type { ServiceContext } from "./context.ts";
import type { FrostSubject, VerifierService } from "./service.ts";

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

export class FrostGathering {
  readonly #context: ServiceContext;
  readonly #slots = new Slots(IN_FLIGHT_MAX, WAITING_MAX, () => new KeyError("keys/signer-busy"));

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /**
   * The signature on the message of the subject's draft. Undefined where too few holders gave a share: who refused, and
   * why, is then in the audit trail, under `about`.
   */
  signature(
    seat: FrostSeat,
    subject: FrostSubject,
    message: Uint8Array,
    about: string,
  ): Promise<Uint8Array | undefined> {
    return this.#slots.run(() => this.#gather(seat, subject, message, about));
  }

  async #gather({ group, own, peers }: FrostSeat, subject: FrostSubject, message: Uint8Array, about: string) {
    const signer = frostSigner(group, [own, ...peers.map((peer) => memberOf(peer, subject))]);
    try {
      return await signer.sign(message);
    } catch (error) {
      if (!(error instanceof KeyError) || error.code !== "keys/frost-members") throw error;
      await writeAudit(this.#context.store, {
        atMs: this.#context.clock(),
        actor: `group ${hexOf(group.kid)}`,
        action: "frost.gather",
        subject: about,
        outcome: error.code,
        detail: error.detail,
      });
      return undefined;
    }
  }
}

function memberOf({ holder, verifier }: FrostPeer, subject: FrostSubject): FrostMember {
  return {
    holder,
    commit: () => verifier.frostCommitment(subject.group),
    sign: (message, commitments) => verifier.frostShare({ ...subject, message, commitments }),
  };
}
