/**
 * Refusals of the HTTP layer itself, in one table; docs/verifier.md lists them. What the verifier refuses has the
 * codes of host/verifier/errors.ts, who may not come in those of host/auth.
 */

/** The status of every class of refusal (RFC 9110 section 15), of this table and of all others. */
export const CLASS_STATUS = {
  malformed: 400,
  unauthorized: 401,
  policy: 403,
  forbidden: 403,
  unknown: 404,
  method: 405,
  timeout: 408,
  signatures: 409,
  ahead: 409,
  "too-large": 413,
  "media-type": 415,
  invalid: 422,
  rate: 429,
  "header-size": 431,
  internal: 500,
  unavailable: 503,
} as const;

export type ProblemClass = keyof typeof CLASS_STATUS;

// biome-ignore format: a table, one row a code
export const HTTP_PROBLEMS = {
  "request/not-http": ["malformed", "the bytes are no HTTP request"],
  "request/address": ["malformed", "the address cannot be read"],
  "request/body-missing": ["malformed", "the request needs a body and has none"],
  "request/length": ["malformed", "the body is not as long as its header says"],
  "request/json": ["malformed", "the body is not JSON in UTF-8"],
  "request/text": ["malformed", "the body is not UTF-8"],
  "request/field": ["malformed", "a field is missing, unknown, or not of its form"],
  "request/cbor": ["malformed", "the body is not the deterministic CBOR that it should be"],
  "request/credentials": ["malformed", "the request has credentials more than once, or of two kinds"],
  "request/owner": ["forbidden", "only a registrar or an agent says whose a device is and where it stands"],
  "request/nothing-here": ["unknown", "there is nothing at this address"],
  "request/method": ["method", "this address does not take the method"],
  "request/timeout": ["timeout", "the request did not arrive in time"],
  "request/too-large": ["too-large", "the body is longer than anything that is taken here"],
  "request/media-type": ["media-type", "the body's media type is not one that is taken here"],
  "request/encoding": ["media-type", "bodies are taken as they are, without a content coding"],
  "request/rate": ["rate", "too many requests: wait as long as Retry-After says"],
  "request/header-size": ["header-size", "the header is longer than is taken here"],
  "quorum/incomplete": ["signatures", "more parties must sign: bring the draft to the verifiers of the others"],
  "server/listeners": ["unavailable", "as many listen to events as may: try again later"],
  "server/signer": ["unavailable", "the signer does not answer: try again later"],
  "server/unavailable": ["unavailable", "the verifier cannot answer now: try again later"],
  "server/internal": ["internal", "a fault of the verifier: its log knows more under the request's id"],
} as const satisfies Record<string, readonly [ProblemClass, string]>;

export type HttpProblemCode = keyof typeof HTTP_PROBLEMS;

type ProblemExtras = {
  members?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
};

/** Thrown by hooks, parsers and routes; whoever carries the answer makes a problem document of it. */
export class HttpProblem extends Error {
  readonly code: HttpProblemCode;
  readonly class: ProblemClass;
  /** Further members of the problem document (RFC 9457 section 3.2). */
  readonly members: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: HttpProblemCode, detail?: string, { members, retryAfterSeconds }: ProblemExtras = {}) {
    const [problemClass, phrase] = HTTP_PROBLEMS[code];
    super(detail === undefined ? phrase : `${phrase} (${detail})`);
    this.name = "HttpProblem";
    this.code = code;
    this.class = problemClass;
    this.members = members;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
