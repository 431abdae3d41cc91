/**
 * How a request to a verifier fails other than by a refusal that the protocol names (those stay `VerifierError`), in one
 * table. The class says where to look: `use`, at what was asked; `network`, at the way there, and trying again later may
 * do; `answer`, at what came back; `refused`, at what the verifier said.
 */
export type ClientErrorClass = "use" | "network" | "answer" | "refused";

// biome-ignore format: a table, one row a code
export const CLIENT_ERRORS = {
  "client/options": ["use", "the client's options are not what they must be"],
  "client/closed": ["use", "the client was closed"],
  "client/busy": ["use", "as many requests wait as may"],

  "client/connect": ["network", "the verifier cannot be reached"],
  "client/tls": ["network", "no trusted connection to the verifier"],
  "client/timeout": ["network", "the verifier did not answer in time"],
  "client/rate": ["network", "the verifier wants fewer requests"],
  "client/unavailable": ["network", "the verifier cannot serve now"],

  "client/too-large": ["answer", "the answer is longer than it may be"],
  "client/answer": ["answer", "the answer is not what the protocol says"],
  "client/status": ["answer", "the answer is no problem document, and not what was asked for"],

  "client/unauthorized": ["refused", "the verifier does not know who asks"],
  "client/forbidden": ["refused", "who asks may not do this"],
  "client/refused": ["refused", "the verifier refused for a reason that is not known here"],
  "client/quorum": ["refused", "the verifiers that answered are fewer than the quorum takes"],
} as const satisfies Record<string, readonly [ClientErrorClass, string]>;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

/** What a problem document says (RFC 9457), as far as it could be read. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly class: string;
  readonly detail: string;
  /** The verifier's own name of the request, for its logs. */
  readonly requestId?: string;
}

export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly class: ClientErrorClass;
  readonly problem: Problem | undefined;
  /** How long the verifier wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  /** `detail` says with what; the phrase of the code says what was wrong. */
  constructor(
    code: ClientErrorCode,
    detail?: string,
    options: ErrorOptions & { problem?: Problem; retryAfterMs?: number } = {},
  ) {
    const [errorClass, phrase] = CLIENT_ERRORS[code];
    super(detail === undefined ? phrase : `${phrase} (${detail})`, options);
    this.name = "ClientError";
    this.code = code;
    this.class = errorClass;
    this.problem = options.problem;
    this.retryAfterMs = options.retryAfterMs;
  }
}
