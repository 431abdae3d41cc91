/** Who sent a request: nobody known, a person by a token, or a service by its signature. */
import { AuthError, type AuthErrorCode } from "./errors.ts";
import { RequestHeaders } from "./headers.ts";
import { ANONYMOUS, type Principal } from "./principal.ts";
import { SIGNATURE, SIGNATURE_INPUT } from "./profile.ts";
import type { AuthRequest } from "./request.ts";
import type { TokenStore } from "./stores.ts";
import { bearerToken, verifyToken } from "./token.ts";
import { type SignatureTrust, verifySignature } from "./verify.ts";

export interface Trust extends SignatureTrust {
  readonly tokens: Pick<TokenStore, "tokenByHash">;
}

/**
 * Credentials that do not hold are refused where none would be needed too: who sends them means something by it.
 * Throws an `AuthError`; what a store throws is passed on.
 */
export async function authenticate(request: AuthRequest, trust: Trust): Promise<Principal> {
  const headers = new RequestHeaders(request.headers);
  const authorization = headers.value("authorization");
  const isSigned = headers.has(SIGNATURE_INPUT) || headers.has(SIGNATURE);
  if (authorization !== undefined && isSigned) throw new AuthError("auth/ambiguous");
  if (authorization !== undefined) {
    const { name, roles, id } = await verifyToken(bearerToken(authorization), trust.tokens, trust.nowMs);
    return { kind: "person", name, roles, tokenId: id };
  }
  if (!isSigned) return ANONYMOUS;
  const { name, roles, kid } = await verifySignature(request, trust);
  return { kind: "service", name, roles, kid };
}

/** `WWW-Authenticate` of an answer 401 (RFC 9110 section 11.6.1), with the error of RFC 6750 section 3.1. */
export function challengeFor(code: AuthErrorCode): string {
  const scheme = 'Bearer realm="quiesce"';
  if (code.startsWith("auth/token-")) return `${scheme}, error="invalid_token"`;
  return code === "auth/authorization" ? `${scheme}, error="invalid_request"` : scheme;
}
