/**
 * Enrolment: a device becomes known by its manufacturer's endorsement and its own certificate of the attestation key.
 *
 * Steps: endorsement by a trusted manufacturer → UEID of its device key → certificate by the device key → same device →
 * governor image among the reference values (RFC 9334 section 8.3).
 */

import type { Agreement } from "../objects/agreement.ts";
import { NO_REPORT } from "../objects/eat.ts";
import {
  type AttestationCertificate,
  type Endorsement,
  ueidOf,
  verifyCertificate,
  verifyEndorsement,
} from "../objects/endorsement.ts";
import { noWork } from "../objects/work.ts";
import { parseSign1, type VerificationKey, verificationKey } from "../protocol/cose.ts";
import { openBooks } from "./books.ts";
import { hexOf, sameBytes } from "./bytes.ts";
import { VerifierError } from "./errors.ts";
import { readSigned } from "./signed.ts";
import type { DeviceRecord } from "./storage.ts";

/** A governor image that may run (RFC 9334 section 8.3). */
export interface ReferenceMeasurement {
  /** SHA-256 of the image. */
  readonly digest: Uint8Array;
  /** The least security version that it may say of itself; the agreement may ask for more. */
  readonly svnLeast: number;
}

/** What is trusted, beyond the agreement. */
export interface ReferenceValues {
  readonly manufacturers: readonly VerificationKey[];
  readonly measurements: readonly ReferenceMeasurement[];
}

/** A device that is enrolled anew, or for the first time; `known` is its record so far. Throws a `VerifierError`. */
export function enrolDevice(
  endorsementBytes: Uint8Array,
  certificateBytes: Uint8Array,
  references: ReferenceValues,
  agreement: Agreement,
  known: (ueid: string) => DeviceRecord | undefined,
): DeviceRecord {
  const endorsement = readSigned("endorsement/malformed", "endorsement/signature", () => {
    const { kid } = parseSign1(endorsementBytes);
    const manufacturer = references.manufacturers.find((key) => kid && sameBytes(key.kid, kid));
    if (!manufacturer) throw new VerifierError("endorsement/signature", "an unknown manufacturer");
    return verifyEndorsement(endorsementBytes, manufacturer);
  });
  const { ueid, devicePublicKey } = endorsement;
  if (!sameBytes(ueid, ueidOf(devicePublicKey))) throw new VerifierError("endorsement/ueid");
  const certificate = readSigned("certificate/malformed", "certificate/signature", () =>
    verifyCertificate(certificateBytes, verificationKey(devicePublicKey)),
  );
  if (!sameBytes(certificate.ueid, ueid)) throw new VerifierError("certificate/ueid");
  if (!referenceOf(references, certificate.measurement)) {
    throw new VerifierError("certificate/measurement", hexOf(certificate.measurement));
  }
  const record = known(hexOf(ueid));
  if (record) return { ...record, endorsement, certificates: withNewest(record.certificates, certificate) };
  return {
    ueid,
    endorsement,
    certificates: [certificate],
    chain: { head: NO_REPORT, totals: noWork(), bootCount: 0, toTick: 0n, licenseSequence: 0n },
    sequenceIssued: 0n,
    books: openBooks(agreement),
  };
}

export function referenceOf(
  { measurements }: ReferenceValues,
  measurement: Uint8Array,
): ReferenceMeasurement | undefined {
  return measurements.find(({ digest }) => sameBytes(digest, measurement));
}

function withNewest(certificates: readonly AttestationCertificate[], newest: AttestationCertificate) {
  const others = certificates.filter((one) => !sameBytes(one.attestationPublicKey, newest.attestationPublicKey));
  return [...others, newest];
}

/** The hardware model as people write it: 8 bytes of text, filled up with zeros or spaces. */
export function modelText({ hardwareModel }: Pick<Endorsement, "hardwareModel">): string {
  const text = Buffer.from(hardwareModel)
    .toString("latin1")
    .replace(/[\0 ]+$/, "");
  return /^[\x21-\x7e]+$/.test(text) ? text : hexOf(hardwareModel);
}
