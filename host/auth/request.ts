/** A request as authentication sees it, whatever carried it. */
import { createHash } from "node:crypto";
import { AuthError } from "./errors.ts";
import type { HeaderLine } from "./headers.ts";

/** Of a body that was hashed as it came. */
export interface BodyDigest {
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
  readonly sha512: Uint8Array;
}

export interface AuthRequest {
  readonly method: string;
  /** That of the client's URL: "https" too where a proxy ends TLS. */
  readonly scheme: "http" | "https";
  /** Host and port, as in `Host` or `:authority`. */
  readonly authority: string;
  /** Path and query as they stand in the request, nothing decoded. */
  readonly target: string;
  /** Every line, in the order of the request. */
  readonly headers: readonly HeaderLine[];
  /** The bytes as they came, before any content coding is undone. Absent or empty: there is none. */
  readonly body?: Uint8Array | BodyDigest | undefined;
}

/** The parts of a request's target, each in one form. */
export interface RequestTarget {
  readonly authority: string;
  readonly path: string;
  /** With its question mark; `undefined` without a query. */
  readonly query: string | undefined;
}

const TARGET_CHARACTERS_MAX = 8192;
const METHOD = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}$/;
/** A name or an IPv4 address, or an IPv6 address in brackets; a port. */
const AUTHORITY = /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;
/** The characters of RFC 3986 sections 3.3 and 3.4, and what clients send as it is; no space, no `#`. */
const PATH = /^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/;
const QUERY = /^\?[\x21\x22\x24-\x7e]+$/;
const DEFAULT_PORTS = { http: ":80", https: ":443" } as const;

/** RFC 9421 section 2.2.3: in lower case, without the scheme's own port. */
export function normalAuthority(authority: string, scheme: "http" | "https"): string {
  if (!AUTHORITY.test(authority)) throw new AuthError("auth/target", "authority");
  const lower = authority.toLowerCase();
  const port = DEFAULT_PORTS[scheme];
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

/**
 * RFC 9421 sections 2.2.6 and 2.2.7. A bare question mark at the end is refused: its component has the same value as
 * that of no query at all.
 */
export function requestTarget(request: AuthRequest): RequestTarget {
  if (!METHOD.test(request.method)) throw new AuthError("auth/target", "method");
  const { target } = request;
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? undefined : target.slice(question);
  if (target.length > TARGET_CHARACTERS_MAX || !PATH.test(path)) throw new AuthError("auth/target", "path");
  if (query !== undefined && !QUERY.test(query)) throw new AuthError("auth/target", "query");
  return { authority: normalAuthority(request.authority, request.scheme), path, query };
}

/**
 * What is no bytes must never count as no body: that would be signed by nobody.
 * @throws TypeError for a body that was parsed already: a fault of the program.
 */
export function bodyLengthBytes({ body }: AuthRequest): number {
  if (body === undefined) return 0;
  const lengthBytes = body instanceof Uint8Array ? body.length : body.lengthBytes;
  if (!Number.isSafeInteger(lengthBytes)) throw new TypeError("a body is bytes, or the digest of bytes");
  return lengthBytes;
}

export function bodyDigest({ body }: AuthRequest, algorithm: "sha256" | "sha512"): Uint8Array {
  if (body !== undefined && !(body instanceof Uint8Array)) return body[algorithm];
  return createHash(algorithm)
    .update(body ?? new Uint8Array())
    .digest();
}
