/** What is signed of a request: the signature base of RFC 9421 section 2.5. */
import { AuthError } from "./errors.ts";
import { type InnerList, innerListText, itemText } from "./fields.ts";
import { RequestHeaders } from "./headers.ts";
import { type AuthRequest, type RequestTarget, requestTarget } from "./request.ts";

type Derive = (request: AuthRequest, target: RequestTarget) => string;

/** RFC 9421 section 2.2. `@status` is of responses, and `@query-param` nobody needs here: neither is known. */
const DERIVED: ReadonlyMap<string, Derive> = new Map<string, Derive>([
  ["@method", ({ method }) => method],
  ["@authority", (_, { authority }) => authority],
  ["@scheme", ({ scheme }) => scheme],
  ["@target-uri", ({ scheme }, { authority, path, query = "" }) => `${scheme}://${authority}${path}${query}`],
  ["@request-target", (_, { path, query = "" }) => `${path}${query}`],
  ["@path", (_, { path }) => path],
  ["@query", (_, { query = "?" }) => query],
]);

/** RFC 9110 section 5.1, in the lower case that RFC 9421 section 2.1 asks for. */
const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

export function signatureBase(
  request: AuthRequest,
  covered: InnerList,
  headers = new RequestHeaders(request.headers),
): string {
  const target = requestTarget(request);
  const lines = new Map<string, string>();
  for (const item of covered.items) {
    const { value: name, parameters } = item;
    // Parameters (sf, key, bs, req, tr) give a component another value: none is known here.
    if (typeof name !== "string" || parameters.size > 0) throw new AuthError("auth/component", itemText(item));
    if (lines.has(name)) throw new AuthError("auth/component-twice", name);
    lines.set(name, `${itemText(item)}: ${componentValue(name, request, target, headers)}\n`);
  }
  return `${[...lines.values()].join("")}"@signature-params": ${innerListText(covered)}`;
}

function componentValue(name: string, request: AuthRequest, target: RequestTarget, headers: RequestHeaders): string {
  const derive = DERIVED.get(name);
  if (derive) return derive(request, target);
  if (!FIELD_NAME.test(name)) throw new AuthError("auth/component", name);
  return headers.value(name) ?? missing(name);
}

function missing(name: string): never {
  throw new AuthError("auth/component-missing", name);
}
