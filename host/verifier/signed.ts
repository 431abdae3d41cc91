/** Verifying an object here, with the refusal sorted into what the verifier answers. */

import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Refusal } from "../protocol/refusal.ts";
import { VerifierError, type VerifierErrorCode } from "./errors.ts";

const SIGNATURE_CODES: readonly number[] = [
  ErrorCode.COSE_KID,
  ErrorCode.COSE_SIGNATURE,
  ErrorCode.COSE_QUORUM,
  ErrorCode.COSE_SIGNER_TWICE,
  ErrorCode.COSE_SIGNATURES_SURPLUS,
];

/** What `read` gives; a refusal for a signature becomes `signature`, any other `malformed`, with the refusal as cause. */
export function readSigned<T>(malformed: VerifierErrorCode, signature: VerifierErrorCode, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw sorted(malformed, signature, error);
  }
}

/** The same for what is read in time. */
export async function readSignedAsync<T>(
  malformed: VerifierErrorCode,
  signature: VerifierErrorCode,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw sorted(malformed, signature, error);
  }
}

function sorted(malformed: VerifierErrorCode, signature: VerifierErrorCode, error: unknown): unknown {
  if (!(error instanceof Refusal)) return error;
  const code = SIGNATURE_CODES.includes(error.code) ? signature : malformed;
  return new VerifierError(code, error.message, { cause: error });
}
