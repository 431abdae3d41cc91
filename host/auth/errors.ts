/**
 * Every refusal of authentication and access, in one table; docs/auth.md lists them. The class says what the answer
 * is: `unauthorized`, who asks is not known (401); `forbidden`, is known and may not (403); `malformed`, a token or a
 * client cannot be made like this (400); `unavailable`, it cannot be judged now (503).
 */
export type AuthErrorClass = "unauthorized" | "forbidden" | "malformed" | "unavailable";

// biome-ignore format: a table, one row a code
export const AUTH_ERRORS = {
  "auth/needed": ["unauthorized", "this needs a token or a signature"],
  "auth/role": ["forbidden", "none of the caller's roles may do this"],
  "auth/ambiguous": ["unauthorized", "send a token or a signature, not both"],

  "auth/headers": ["unauthorized", "the request has more header lines or bytes than are judged"],
  "auth/header-twice": ["unauthorized", "a header that may stand once stands twice"],
  "auth/header-value": ["unauthorized", "a header holds other characters than printable ASCII"],
  "auth/target": ["unauthorized", "the method, authority or target of the request is not in a form that can be signed"],

  "auth/field-empty": ["unauthorized", "the field is empty"],
  "auth/field-length": ["unauthorized", "the field is longer than it may be"],
  "auth/field-character": ["unauthorized", "the field holds a character that no structured field has"],
  "auth/field-count": ["unauthorized", "the field has more members, items or parameters than it may have"],
  "auth/field-key": ["unauthorized", "a key is missing or not in lower case"],
  "auth/field-key-twice": ["unauthorized", "a key stands twice"],
  "auth/field-separator": ["unauthorized", "a comma is missing or in surplus"],
  "auth/field-list": ["unauthorized", "an inner list is not closed, or its items are not apart"],
  "auth/field-type": ["unauthorized", "a value is not of the type that its place asks for"],
  "auth/field-string": ["unauthorized", "a string is not closed, escapes what needs none, or is too long"],
  "auth/field-integer": ["unauthorized", "an integer has leading zeros, or over 15 digits"],
  "auth/field-bytes": ["unauthorized", "a byte sequence is not in padded base64, or is too long"],

  "auth/signature-missing": ["unauthorized", "Signature-Input and Signature do not both stand in the request"],
  "auth/signature-tag": ["unauthorized", "no signature has the tag \"quiesce/1\""],
  "auth/signature-several": ["unauthorized", "several signatures have the tag \"quiesce/1\""],
  "auth/signature-label": ["unauthorized", "Signature has no value under the label of Signature-Input"],
  "auth/signature-length": ["unauthorized", "a signature has 64 bytes"],
  "auth/parameter-missing": ["unauthorized", "a parameter of the signature is missing"],
  "auth/parameter-unknown": ["unauthorized", "a parameter of the signature is not known"],
  "auth/parameter-type": ["unauthorized", "a parameter of the signature has a value of another type"],
  "auth/algorithm": ["unauthorized", "the algorithm is not ed25519"],
  "auth/keyid": ["unauthorized", "a keyid has 16 lower-case hex digits"],
  "auth/nonce": ["unauthorized", "a nonce has 16 to 64 bytes in base64url without padding"],
  "auth/lifetime": ["unauthorized", "expires lies 1 to 300 seconds after created"],
  "auth/not-yet-valid": ["unauthorized", "the signature was created in the future: compare the clocks"],
  "auth/expired": ["unauthorized", "the signature has expired: sign again"],
  "auth/authority": ["unauthorized", "the request is for another verifier"],
  "auth/component": ["unauthorized", "a covered component is not one that is known here"],
  "auth/component-twice": ["unauthorized", "a component is covered twice"],
  "auth/component-missing": ["unauthorized", "a covered component is not in the request"],
  "auth/coverage": ["unauthorized", "the signature does not cover what it must cover"],
  "auth/key-unknown": ["unauthorized", "no client is registered with this key"],
  "auth/key-revoked": ["unauthorized", "the client's key is revoked"],
  "auth/signature": ["unauthorized", "the signature does not hold"],
  "auth/digest-algorithm": ["unauthorized", "Content-Digest names an algorithm other than sha-256 and sha-512"],
  "auth/digest-length": ["unauthorized", "a digest is not as long as its algorithm's"],
  "auth/digest": ["unauthorized", "the body is not the one that Content-Digest names"],
  "auth/replayed": ["unauthorized", "the request was sent before: sign it again with a new nonce"],
  "auth/replay-store-full": ["unavailable", "too many signatures are remembered: try again later"],

  "auth/authorization": ["unauthorized", "Authorization is not \"Bearer\" and one token"],
  "auth/token-malformed": ["unauthorized", "this is no token of a verifier: look for a typing error"],
  "auth/token-unknown": ["unauthorized", "the token is not known here"],
  "auth/token-expired": ["unauthorized", "the token has expired"],
  "auth/token-revoked": ["unauthorized", "the token is revoked"],

  "auth/name": ["malformed", "a name has 1 to 64 bytes of printable text"],
  "auth/roles": ["malformed", "roles are one or more of the known ones, each once"],
  "auth/token-lifetime": ["malformed", "a token expires, and at most 366 days from now"],
  "auth/client-key": ["malformed", "a client's key is an Ed25519 public key of 32 bytes"],
  "auth/client-exists": ["malformed", "a client with this key is registered already: a key that was revoked stays so"],
} as const satisfies Record<string, readonly [AuthErrorClass, string]>;

export type AuthErrorCode = keyof typeof AUTH_ERRORS;

export class AuthError extends Error {
  readonly code: AuthErrorCode;
  readonly class: AuthErrorClass;

  /** `detail` says with what, and is never secret; the phrase of the code says what was wrong. */
  constructor(code: AuthErrorCode, detail?: string) {
    const [errorClass, phrase] = AUTH_ERRORS[code];
    super(detail === undefined ? phrase : `${phrase} (${detail})`);
    this.name = "AuthError";
    this.code = code;
    this.class = errorClass;
  }
}
