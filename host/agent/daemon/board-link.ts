/** The verifiers as one board's agent sees them: what all boards are told, from the feed; what is its own, from the circle. */
import type { Circle } from "../../client/circle.ts";
import { decodeLicense } from "../../objects/license.ts";
import { parseSign } from "../../protocol/cose.ts";
import type { LicenseRequest } from "../../verifier/licensing.ts";
import type { VerifierLink } from "../agent.ts";
import type { BoardStore } from "./board-store.ts";
import type { Feed } from "./feed.ts";

export class BoardLink implements VerifierLink<"async"> {
  readonly #circle: Circle;
  readonly #feed: Feed;
  readonly #store: BoardStore;

  constructor(circle: Circle, feed: Feed, store: BoardStore) {
    this.#circle = circle;
    this.#feed = feed;
    this.#store = store;
  }

  /** The feed has none yet where the agent has only just begun. */
  async agreementsAfter(version: number): Promise<readonly Uint8Array[]> {
    if (this.#feed.agreementVersion === 0) return this.#circle.agreementsAfter(version);
    return this.#feed.agreementsAfter(version);
  }

  enrol(endorsement: Uint8Array, certificate: Uint8Array): Promise<void> {
    return this.#circle.enrol(endorsement, certificate);
  }

  async challenge(ueid: Uint8Array): Promise<Uint8Array> {
    // One that lagged may be needed now.
    await this.#store.uploads.deliver();
    return this.#circle.challenge(ueid);
  }

  async issueLicense(evidence: Uint8Array, request: LicenseRequest | undefined): Promise<Uint8Array> {
    const { uploads } = this.#store;
    const bytes = await this.#circle.license(evidence, request, (member, upTo) => uploads.showLicenses(member, upTo));
    await this.#store.keepLicense(decodeLicense(parseSign(bytes).payload).sequence, bytes);
    return bytes;
  }

  async issueRecovery(evidence: Uint8Array): Promise<Uint8Array> {
    const bytes = await this.#circle.recovery(evidence);
    await this.#store.keepRecovery(bytes);
    return bytes;
  }

  appraise(evidence: Uint8Array): Promise<void> {
    return this.#circle.appraiseByAll(evidence);
  }

  /** It lies in the store already, with all before it. */
  acceptReport(): Promise<void> {
    return this.#store.uploads.deliver();
  }

  async ordersAfter(epoch: number): Promise<readonly { readonly bytes: Uint8Array }[]> {
    return this.#feed.ordersAfter(epoch);
  }

  beacon(): Promise<Uint8Array> {
    return this.#feed.beacon();
  }

  timeProof(nonce: Uint8Array): Promise<Uint8Array> {
    return this.#circle.timeProof(nonce);
  }

  logProof(digest: Uint8Array, from: number): Promise<Uint8Array> {
    return this.#circle.logProof(digest, from);
  }
}
