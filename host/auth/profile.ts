/**
 * The profile of RFC 9421 that requests to a verifier are signed by: which components a signature covers at least, and
 * which parameters it has. Both ends read it; docs/auth.md states it for others.
 */
import { CONTENT_DIGEST } from "./digest.ts";
import { AuthError } from "./errors.ts";
import type { BareItem, FieldParameters } from "./fields.ts";
import type { RequestHeaders } from "./headers.ts";
import { type AuthRequest, bodyLengthBytes } from "./request.ts";

export const SIGNATURE_TAG = "quiesce/1";
export const ALGORITHM = "ed25519";
export const SIGNATURE_INPUT = "signature-input";
export const SIGNATURE = "signature";
const LIFETIME_SECONDS_MAX = 300;
/** How far a client's clock may be ahead. */
export const CLOCK_SKEW_SECONDS_MAX = 30;
export const NONCE_BYTES_MIN = 16;
const NONCE_BYTES_MAX = 64;

export interface SignatureParameters {
  readonly createdSeconds: number;
  readonly expiresSeconds: number;
  readonly keyid: string;
  readonly nonce: string;
}

/**
 * What a signature covers at least. Without the query a request could be given one, without the content's type and
 * coding its body could be read as something else.
 */
export function requiredComponents(request: AuthRequest, headers: RequestHeaders): string[] {
  const names = ["@method", "@authority", "@path"];
  if (request.target.includes("?")) names.push("@query");
  if (bodyLengthBytes(request) > 0) names.push(CONTENT_DIGEST, "content-type");
  if (headers.has("content-encoding")) names.push("content-encoding");
  return names;
}

const KNOWN = ["alg", "created", "expires", "keyid", "nonce", "tag"];

/** RFC 9421 section 2.3: five parameters that must be there, and `alg`, which the key says already. */
export function readParameters(parameters: FieldParameters): SignatureParameters {
  const stranger = [...parameters.keys()].find((key) => !KNOWN.includes(key));
  if (stranger !== undefined) throw new AuthError("auth/parameter-unknown", stranger);
  const read: SignatureParameters = {
    createdSeconds: secondsOf(parameters, "created"),
    expiresSeconds: secondsOf(parameters, "expires"),
    keyid: textOf(parameters, "keyid"),
    nonce: textOf(parameters, "nonce"),
  };
  if (parameters.has("alg") && textOf(parameters, "alg") !== ALGORITHM) throw new AuthError("auth/algorithm");
  checkParameters(read);
  return read;
}

/** What holds at both ends, whatever the time. */
export function checkParameters({ createdSeconds, expiresSeconds, keyid, nonce }: SignatureParameters): void {
  if (!/^[0-9a-f]{16}$/.test(keyid)) throw new AuthError("auth/keyid");
  const nonceBytes = Buffer.from(nonce, "base64url");
  const isNonce = nonceBytes.length >= NONCE_BYTES_MIN && nonceBytes.length <= NONCE_BYTES_MAX;
  if (!isNonce || nonceBytes.toString("base64url") !== nonce) throw new AuthError("auth/nonce");
  const lifetimeSeconds = expiresSeconds - createdSeconds;
  if (!(lifetimeSeconds >= 1 && lifetimeSeconds <= LIFETIME_SECONDS_MAX)) throw new AuthError("auth/lifetime");
}

function secondsOf(parameters: FieldParameters, key: string): number {
  const value = present(parameters, key);
  if (typeof value !== "number" || value < 0) throw new AuthError("auth/parameter-type", key);
  return value;
}

function textOf(parameters: FieldParameters, key: string): string {
  const value = present(parameters, key);
  if (typeof value !== "string") throw new AuthError("auth/parameter-type", key);
  return value;
}

function present(parameters: FieldParameters, key: string): BareItem {
  const value = parameters.get(key);
  if (value === undefined) throw new AuthError("auth/parameter-missing", key);
  return value;
}
