/** Every refusal of a reference integrity manifest, in one table. */
export const CORIM_ERRORS = {
  "corim/too-long": "the manifest is over the length that is read",
  "corim/cbor": "the manifest is not CBOR as it is read here",
  "corim/kind": "it is neither a CoRIM nor a CoMID",
  "corim/form": "a part of the manifest is not what the draft says",
  "corim/profile": "the manifest has a profile, and none is known here: the draft forbids to read it",
  "corim/signed": "the manifest is signed: it is read under the keys of those who may sign it",
  "corim/unsigned": "the manifest is not signed",
  "corim/header": "a header parameter is missing, wrong, or not known here",
  "corim/algorithm": "the manifest is not signed with Ed25519",
  "corim/payload": "the signed manifest is not in the message",
  "corim/signature": "nobody who is trusted here signed the manifest",
} as const;

export type CorimErrorCode = keyof typeof CORIM_ERRORS;

export class CorimError extends Error {
  readonly code: CorimErrorCode;

  /** `detail` says with what; the phrase of the code says what was wrong. */
  constructor(code: CorimErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? CORIM_ERRORS[code] : `${CORIM_ERRORS[code]} (${detail})`, options);
    this.name = "CorimError";
    this.code = code;
  }
}
