/** A circle of verifiers as the agent sees one: for as long as the process lives. */
import type { VerifierLink } from "../agent/agent.ts";
import { decodeEvidence } from "../objects/evidence.ts";
import { decodeLicense } from "../objects/license.ts";
import { decodeUsageReport } from "../objects/usage-report.ts";
import { parseSign, parseSign1 } from "../protocol/cose.ts";
import type { Registration } from "../service/service.ts";
import { hexOf } from "../verifier/bytes.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import type { Circle } from "./circle.ts";
import { MemoryShelf, Uploads } from "./uploads.ts";

/** Of each board: what a verifier may lag behind. */
const REPORTS_KEPT = 1_024;

export class CircleLink implements VerifierLink<"async"> {
  readonly #circle: Circle;
  readonly #registration: Partial<Registration> | undefined;
  readonly #boards = new Map<string, { readonly shelf: MemoryShelf; readonly uploads: Uploads }>();

  /** `registration` is whose the boards are; verifiers believe it of clients that say who they are. */
  constructor(circle: Circle, registration?: Partial<Registration>) {
    this.#circle = circle;
    this.#registration = registration;
  }

  agreementsAfter(version: number): Promise<readonly Uint8Array[]> {
    return this.#circle.agreementsAfter(version);
  }

  enrol(endorsement: Uint8Array, certificate: Uint8Array): Promise<void> {
    return this.#circle.enrol(endorsement, certificate, this.#registration);
  }

  async challenge(ueid: Uint8Array): Promise<Uint8Array> {
    // One that lagged may be needed now.
    await this.#boards.get(hexOf(ueid))?.uploads.deliver();
    return this.#circle.challenge(ueid);
  }

  async issueLicense(evidence: Uint8Array, request: LicenseRequest | undefined): Promise<Uint8Array> {
    const { shelf, uploads } = this.#board(decodeEvidence(parseSign1(evidence).payload).ueid);
    const bytes = await this.#circle.license(evidence, request, (member, upTo) => uploads.showLicenses(member, upTo));
    shelf.putLicense({ sequence: decodeLicense(parseSign(bytes).payload).sequence, bytes });
    return bytes;
  }

  async issueRecovery(evidence: Uint8Array): Promise<Uint8Array> {
    const bytes = await this.#circle.recovery(evidence);
    const { shelf } = this.#board(decodeEvidence(parseSign1(evidence).payload).ueid);
    shelf.putRecovery(bytes);
    return bytes;
  }

  appraise(evidence: Uint8Array): Promise<void> {
    return this.#circle.appraiseByAll(evidence);
  }

  async acceptReport(report: Uint8Array, intervals: Uint8Array): Promise<void> {
    const { ueid, sequence } = decodeUsageReport(parseSign1(report).payload);
    const { shelf, uploads } = this.#board(ueid);
    shelf.put({ sequence, report, intervals });
    await uploads.deliver();
  }

  ordersAfter(epoch: number): Promise<readonly { readonly bytes: Uint8Array }[]> {
    return this.#circle.ordersAfter(epoch);
  }

  beacon(): Promise<Uint8Array> {
    return this.#circle.beacon();
  }

  timeProof(nonce: Uint8Array): Promise<Uint8Array> {
    return this.#circle.timeProof(nonce);
  }

  logProof(digest: Uint8Array, from: number): Promise<Uint8Array> {
    return this.#circle.logProof(digest, from);
  }

  #board(ueid: Uint8Array): { readonly shelf: MemoryShelf; readonly uploads: Uploads } {
    const name = hexOf(ueid);
    let board = this.#boards.get(name);
    if (!board) {
      const shelf = new MemoryShelf(REPORTS_KEPT);
      board = { shelf, uploads: new Uploads(this.#circle, shelf) };
      this.#boards.set(name, board);
    }
    return board;
  }
}
