/** The way between agent and verifier, with a copy of every object that passes: what `--save` writes. */
import type { VerifierLink } from "../agent/agent.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import type { Verifier } from "../verifier/verifier.ts";

export class Recorder implements VerifierLink {
  readonly #verifier: Verifier;
  readonly licenses: Uint8Array[] = [];
  readonly reports: Uint8Array[] = [];
  readonly evidence: Uint8Array[] = [];
  readonly timeProofs: Uint8Array[] = [];
  certificate: Uint8Array | undefined;
  beaconNewest: Uint8Array | undefined;

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  agreementsAfter(version: number): readonly Uint8Array[] {
    return this.#verifier.agreementsAfter(version);
  }

  get agreementBytes(): Uint8Array {
    return this.#verifier.agreementBytes;
  }

  enrol(endorsement: Uint8Array, certificate: Uint8Array): Uint8Array {
    this.certificate = certificate;
    return this.#verifier.enrol(endorsement, certificate);
  }

  challenge(ueid: Uint8Array): Uint8Array {
    return this.#verifier.challenge(ueid);
  }

  issueLicense(evidence: Uint8Array, request: LicenseRequest): Uint8Array {
    this.evidence.push(evidence);
    const license = this.#verifier.issueLicense(evidence, request);
    this.licenses.push(license);
    return license;
  }

  issueRecovery(evidence: Uint8Array): Uint8Array {
    return this.#verifier.issueRecovery(evidence);
  }

  acceptReport(report: Uint8Array, intervals?: Uint8Array) {
    const receipt = this.#verifier.acceptReport(report, intervals);
    if (!receipt.repeated) this.reports.push(report);
    return receipt;
  }

  ordersAfter(epoch: number) {
    return this.#verifier.ordersAfter(epoch);
  }

  beacon(): Uint8Array {
    this.beaconNewest = this.#verifier.beacon();
    return this.beaconNewest;
  }

  timeProof(nonce: Uint8Array): Uint8Array {
    const proof = this.#verifier.timeProof(nonce);
    this.timeProofs.push(proof);
    return proof;
  }
}
