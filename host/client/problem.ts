/** From an answer that is no success to the error that it stands for: problem documents (RFC 9457), or a bare status. */
import { VERIFIER_ERRORS, VerifierError, type VerifierErrorCode } from "../verifier/errors.ts";
import { ClientError, type ClientErrorCode, type Problem } from "./errors.ts";

const PROBLEM_TYPE = "application/problem+json";
const TEXT_CHARACTERS_MAX = 400;

/** Codes of the client by the class of a problem whose code is none of the verifier's own. */
const BY_CLASS: Readonly<Record<string, ClientErrorCode>> = {
  unauthorized: "client/unauthorized",
  forbidden: "client/forbidden",
  rate: "client/rate",
  unavailable: "client/unavailable",
};

const BY_STATUS: Readonly<Record<number, ClientErrorCode>> = {
  401: "client/unauthorized",
  403: "client/forbidden",
  429: "client/rate",
  502: "client/unavailable",
  504: "client/unavailable",
  503: "client/unavailable",
};

export interface FailedAnswer {
  readonly status: number;
  /** Media type without parameters. */
  readonly type: string;
  readonly body: Uint8Array;
  readonly retryAfterMs: number | undefined;
}

/** A draft that wants more signatures is a problem too, and keeps its members. */
export class MoreSignatures extends ClientError {
  readonly members: Readonly<Record<string, unknown>>;

  constructor(problem: Problem, members: Readonly<Record<string, unknown>>) {
    super("client/quorum", problem.detail, { problem });
    this.members = members;
  }
}

export function errorOf(answer: FailedAnswer): Error {
  const { status, retryAfterMs } = answer;
  const document = answer.type === PROBLEM_TYPE ? readDocument(answer.body) : undefined;
  if (document === undefined)
    return new ClientError(BY_STATUS[status] ?? "client/status", `${status}`, { retryAfterMs });
  const problem = problemOf(document, status);
  const { code, detail } = problem;
  if (problem.class === "signatures") return new MoreSignatures(problem, document);
  const cause = new ClientError(BY_CLASS[problem.class] ?? "client/refused", `${code}: ${detail}`, {
    problem,
    retryAfterMs,
  });
  // It is not about what was asked: trying again later may do.
  if (problem.class === "unavailable") return cause;
  return verifierError(code, detail, cause) ?? cause;
}

/** The verifier's refusal of this code, as it would be thrown in one process; undefined for a code of no verifier's. */
export function verifierError(code: string, message: string, cause?: Error): VerifierError | undefined {
  if (!Object.hasOwn(VERIFIER_ERRORS, code)) return undefined;
  const known = code as VerifierErrorCode;
  return new VerifierError(known, detailOf(VERIFIER_ERRORS[known][1], message), { cause });
}

/** The verifier's own name of the request that failed. */
export function requestIdOf(error: unknown): string | undefined {
  if (error instanceof ClientError) return error.problem?.requestId;
  return error instanceof VerifierError ? requestIdOf(error.cause) : undefined;
}

/** What a message says behind the phrase of its code: the error is built with the phrase again. */
export function detailOf(phrase: string, message: string): string | undefined {
  if (message === phrase || message === "") return undefined;
  return message.startsWith(`${phrase} (`) && message.endsWith(")") ? message.slice(phrase.length + 2, -1) : message;
}

function problemOf(document: Readonly<Record<string, unknown>>, status: number): Problem {
  return {
    status,
    code: textOf(document.code) || "unknown",
    class: textOf(document.class),
    detail: textOf(document.detail) || textOf(document.title),
    ...(typeof document.requestId === "string" && { requestId: textOf(document.requestId) }),
  };
}

function readDocument(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // The status alone has to do.
    return undefined;
  }
}

/** Foreign text: bounded, and without what a terminal acts on. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?").slice(0, TEXT_CHARACTERS_MAX) : "";
}
