/** Licenses and recoveries that parties at other verifiers have signed: read, and their signatures judged. */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import type { Agreement } from "../objects/agreement.ts";
import { decodeLicense, type License } from "../objects/license.ts";
import { parseSign, verifyQuorum } from "../protocol/cose.ts";
import { readSigned } from "../verifier/signed.ts";

/** With some of the quorum's signatures, or all. Throws `license/draft`. */
export function readLicenseDraft(bytes: Uint8Array, agreement: Agreement): License {
  return readSigned("license/draft", "license/draft", () => {
    checkSignatures(bytes, agreement, agreement.quorums.license, ObjectType.LICENSE);
    return decodeLicense(parseSign(bytes).payload);
  });
}

/** All signatures hold, each of another party, and not more than the quorum. */
export function checkSignatures(bytes: Uint8Array, { parties }: Agreement, quorum: number, type: ObjectType): void {
  const { signatures } = parseSign(bytes);
  if (signatures.length > 0) verifyQuorum(bytes, parties, Math.min(signatures.length, quorum), objectAad(type));
}
