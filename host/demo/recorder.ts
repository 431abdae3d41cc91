/** The way between agent and verifiers, with a copy of every object that passes: what `--save` writes. */
import type { VerifierLink } from "../agent/agent.ts";
import { sameBytes } from "../verifier/bytes.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";

export class Recorder implements VerifierLink {
  readonly #link: VerifierLink;
  readonly licenses: Uint8Array[] = [];
  readonly reports: Uint8Array[] = [];
  readonly evidence: Uint8Array[] = [];
  readonly timeProofs: Uint8Array[] = [];
  certificate: Uint8Array | undefined;
  beaconNewest: Uint8Array | undefined;

  constructor(link: VerifierLink) {
    this.#link = link;
  }

  agreementsAfter(version: number): readonly Uint8Array[] {
    return this.#link.agreementsAfter(version);
  }

  enrol(endorsement: Uint8Array, certificate: Uint8Array): void {
    this.certificate = certificate;
    this.#link.enrol(endorsement, certificate);
  }

  challenge(ueid: Uint8Array): Uint8Array {
    return this.#link.challenge(ueid);
  }

  issueLicense(evidence: Uint8Array, request: LicenseRequest | undefined): Uint8Array {
    this.evidence.push(evidence);
    const license = this.#link.issueLicense(evidence, request);
    this.licenses.push(license);
    return license;
  }

  issueRecovery(evidence: Uint8Array): Uint8Array {
    return this.#link.issueRecovery(evidence);
  }

  appraise(evidence: Uint8Array): void {
    this.#link.appraise(evidence);
  }

  acceptReport(report: Uint8Array, intervals: Uint8Array): void {
    this.#link.acceptReport(report, intervals);
    // A report that is uploaded again is the newest.
    const newest = this.reports.at(-1);
    if (!newest || !sameBytes(newest, report)) this.reports.push(report);
  }

  ordersAfter(epoch: number) {
    return this.#link.ordersAfter(epoch);
  }

  beacon(): Uint8Array {
    this.beaconNewest = this.#link.beacon();
    return this.beaconNewest;
  }

  logProof(digest: Uint8Array, from: number): Uint8Array {
    return this.#link.logProof(digest, from);
  }

  timeProof(nonce: Uint8Array): Uint8Array {
    const proof = this.#link.timeProof(nonce);
    this.timeProofs.push(proof);
    return proof;
  }
}
