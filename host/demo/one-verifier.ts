/** All parties' keys in one verifier, in this process and in memory: for runs that are about the board. */
import { encodeOrder } from "../objects/order.ts";
import { draftSign } from "../protocol/cose.ts";
import { hexOf } from "../verifier/bytes.ts";
import type { OrderRequest } from "../verifier/order-book.ts";
import { Party } from "../verifier/party.ts";
import { MemoryStorage } from "../verifier/storage.ts";
import { Verifier } from "../verifier/verifier.ts";
import type { Founding } from "./founding.ts";
import type { Account, SignedOrder, VerifierHost, Verifiers } from "./verifiers.ts";

export type OneVerifierOptions = {
  founding: Founding;
  /** SHA-256 of the governor image that may run. */
  measurement: Uint8Array;
  /** Agreement time in ms. */
  clock: () => number;
  random: (count: number) => Uint8Array;
};

export class OneVerifier implements Verifiers {
  readonly hosts: readonly VerifierHost[];
  readonly link: Verifier;
  readonly #parties: ReadonlyMap<string, Party>;
  readonly #storage = new MemoryStorage();

  constructor({ founding, measurement, clock, random }: OneVerifierOptions) {
    const { parties, clock: observatory, manufacturer, agreementBytes } = founding;
    this.#parties = new Map(parties.map(({ name, signer }) => [name, new Party(name, signer)]));
    this.hosts = [{ name: "one process", parties: [...this.#parties.keys()], tellsTime: true }];
    this.link = new Verifier({
      agreement: agreementBytes,
      parties: [...this.#parties.values()],
      timeSigners: [observatory.signer],
      references: { manufacturers: [manufacturer.signer], measurements: [{ digest: measurement, svnLeast: 0 }] },
      clock,
      random,
      storage: this.#storage,
    });
  }

  order(request: OrderRequest, parties: readonly string[]): SignedOrder {
    const { id, quorum, order } = this.link.proposeOrder(request);
    const { epoch } = order;
    let bytes = draftSign(encodeOrder(order));
    for (const name of parties) {
      const party = this.#parties.get(name)!;
      // The verifier keeps drafts to itself until they are whole; the same key makes the same signature again.
      bytes = this.link.approveOrder(id, party).bytes ?? party.signOrder(bytes);
    }
    return { epoch, quorum, bytes };
  }

  settle(ueid: Uint8Array, evidenceOn: (nonce: Uint8Array) => Uint8Array): void {
    this.link.appraise(evidenceOn(this.link.challenge(ueid)));
  }

  accounts(ueid: Uint8Array): readonly Account[] {
    const reportsTaken = this.#storage.device(hexOf(ueid))?.chain.head.sequence ?? 0n;
    return [{ host: this.hosts[0]!, reportsTaken, books: this.link.books(ueid) }];
  }
}
