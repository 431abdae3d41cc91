/**
 * The other end of the story's wire: one verifier with all parties' keys in this process, or one process for each party.
 * The story's time is simulated and stands still while they answer, so every call here answers at once.
 */
import type { VerifierLink } from "../agent/agent.ts";
import type { Agreement } from "../objects/agreement.ts";
import { parseSign } from "../protocol/cose.ts";
import type { BooksRow } from "../verifier/books.ts";
import { sameBytes } from "../verifier/bytes.ts";
import type { OrderRequest } from "../verifier/order-book.ts";

/** A verifier, and whose keys are there. */
export type VerifierHost = {
  /** Unique. */
  readonly name: string;
  readonly parties: readonly string[];
  /** Whether the time authority lives there. */
  readonly tellsTime: boolean;
};

/** An order, or a draft of one that too few have signed. */
export type SignedOrder = {
  readonly epoch: number;
  readonly quorum: number;
  readonly bytes: Uint8Array;
};

/** What one verifier has of a board. */
export type Account = {
  readonly host: VerifierHost;
  readonly reportsTaken: bigint;
  readonly books: readonly BooksRow[];
};

export interface Verifiers {
  readonly hosts: readonly VerifierHost[];
  /** As the operator's agent sees them, all together. */
  readonly link: VerifierLink;
  /** Drafted by the first of these parties, signed by each in turn. Once the quorum is complete all verifiers know it. */
  order(request: OrderRequest, parties: readonly string[]): SignedOrder;
  /** Has every verifier judge evidence on a nonce of its own, without a license: what settles the books. */
  settle(ueid: Uint8Array, evidenceOn: (nonce: Uint8Array) => Uint8Array): void;
  /** By each verifier's own books. */
  accounts(ueid: Uint8Array): readonly Account[];
}

/** Made for a story whose agreement time in ms is this. */
export type VerifiersAt = (clock: () => number) => Verifiers;

/** Names of the parties that signed a license or an order, in the order of their signatures. */
export function signedBy(bytes: Uint8Array, { parties }: Agreement): string[] {
  return parseSign(bytes).signatures.map(
    ({ kid }) => parties.find((party) => kid && sameBytes(party.kid, kid))?.name ?? "nobody",
  );
}
