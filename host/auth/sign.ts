/** Signs a request by the profile of docs/auth.md. */
import { randomBytes } from "node:crypto";
import type { AsyncSigner } from "../keys/signer.ts";
import type { Signer } from "../protocol/cose-key.ts";
import { CONTENT_DIGEST, contentDigest } from "./digest.ts";
import { AuthError } from "./errors.ts";
import { type FieldParameters, type InnerList, innerListText, itemText } from "./fields.ts";
import { type HeaderLine, RequestHeaders } from "./headers.ts";
import {
  ALGORITHM,
  checkParameters,
  NONCE_BYTES_MIN,
  requiredComponents,
  SIGNATURE,
  SIGNATURE_INPUT,
  SIGNATURE_TAG,
} from "./profile.ts";
import { type AuthRequest, bodyLengthBytes } from "./request.ts";
import { signatureBase } from "./signature-base.ts";

export interface SigningOptions {
  readonly nowMs: number;
  /** 1 to 300; default 60. */
  readonly lifetimeSeconds?: number;
  /** Default: 16 random bytes in base64url. Never the same twice under one key. */
  readonly nonce?: string;
  /** Names of headers to cover beside what must be covered. */
  readonly alsoCovered?: readonly string[];
}

const LABEL = "quiesce";
const LIFETIME_SECONDS = 60;
const NONE: FieldParameters = new Map();

/**
 * The header lines to add to the request: `content-digest` where it has a body, `signature-input` and `signature`.
 * Throws an `AuthError` for a request that the other end would refuse.
 */
export async function signRequest(
  request: AuthRequest,
  signer: Signer | AsyncSigner,
  options: SigningOptions,
): Promise<HeaderLine[]> {
  const digest: HeaderLine[] = bodyLengthBytes(request) > 0 ? [[CONTENT_DIGEST, contentDigest(request)]] : [];
  const complete = { ...request, headers: [...request.headers, ...digest] };
  const headers = new RequestHeaders(complete.headers);
  for (const name of [SIGNATURE_INPUT, SIGNATURE])
    if (headers.has(name)) throw new AuthError("auth/header-twice", name);
  const names = new Set([...requiredComponents(complete, headers), ...(options.alsoCovered ?? [])]);
  const covered: InnerList = {
    items: [...names].map((value) => ({ value, parameters: NONE })),
    parameters: parametersOf(signer.kid, options),
  };
  const base = signatureBase(complete, covered, headers);
  const signature = await signer.sign(new TextEncoder().encode(base));
  return [
    ...digest,
    [SIGNATURE_INPUT, `${LABEL}=${innerListText(covered)}`],
    [SIGNATURE, `${LABEL}=${itemText({ value: signature, parameters: NONE })}`],
  ];
}

function parametersOf(kid: Uint8Array, options: SigningOptions): FieldParameters {
  const createdSeconds = Math.floor(options.nowMs / 1000);
  const expiresSeconds = createdSeconds + (options.lifetimeSeconds ?? LIFETIME_SECONDS);
  const nonce = options.nonce ?? randomBytes(NONCE_BYTES_MIN).toString("base64url");
  const keyid = Buffer.from(kid).toString("hex");
  checkParameters({ createdSeconds, expiresSeconds, keyid, nonce });
  return new Map<string, string | number>([
    ["created", createdSeconds],
    ["expires", expiresSeconds],
    ["keyid", keyid],
    ["nonce", nonce],
    ["alg", ALGORITHM],
    ["tag", SIGNATURE_TAG],
  ]);
}
