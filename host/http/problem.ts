/**
 * Refusals as problem documents (RFC 9457). A refusal that is meant to be told has a literal code and a class, whoever
 * threw it; everything else is a fault, of which the asker learns nothing but the id to ask about.
 */
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from "fastify";
import { challengeFor } from "../auth/authenticate.ts";
import { AUTH_ERRORS } from "../auth/errors.ts";
import { KeyError } from "../keys/errors.ts";
import { STORE_ERRORS, StoreError } from "../store/errors.ts";
import { VERIFIER_ERRORS, VerifierError } from "../verifier/errors.ts";
import { CLASS_STATUS, HTTP_PROBLEMS, HttpProblem, type HttpProblemCode, type ProblemClass } from "./problem-codes.ts";
import { REQUEST_ID_HEADER } from "./request-ids.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** A refusal as it is told. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly class: ProblemClass;
  readonly title: string;
  readonly detail: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds?: number;
}

/** Fastify's own refusals, by its code. All others that it has are faults of ours. */
const FASTIFY_PROBLEMS: Readonly<Record<string, HttpProblemCode>> = {
  FST_ERR_VALIDATION: "request/field",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "request/media-type",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "request/length",
  FST_ERR_CTP_BODY_TOO_LARGE: "request/too-large",
  FST_ERR_CTP_EMPTY_JSON_BODY: "request/body-missing",
  FST_ERR_CTP_EMPTY_TYPE: "request/media-type",
  FST_ERR_BAD_URL: "request/address",
  FST_ERR_MAX_PARAM_LENGTH: "request/address",
};

const DETAIL_CHARACTERS_MAX = 300;

/** What is told of anything that was thrown; undefined for a fault, which is not told. */
export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, class: errorClass } = error as { code?: unknown; class?: unknown };
  if (typeof code !== "string") return undefined;
  if (error instanceof KeyError) return error.class === "signer" ? ofCode("server/signer") : undefined;
  if (error instanceof StoreError) return ofStore(error);
  const own = FASTIFY_PROBLEMS[code];
  if (own) return ofCode(own, code === "FST_ERR_VALIDATION" ? error.message : undefined);
  if (typeof errorClass !== "string" || !Object.hasOwn(CLASS_STATUS, errorClass)) return undefined;
  const known = errorClass as ProblemClass;
  const { members, retryAfterSeconds = retryAfter(error, known) } = error as Partial<Problem>;
  const title = phraseOf(code) ?? error.message;
  return {
    status: CLASS_STATUS[known],
    code,
    class: known,
    title,
    detail: told(error.message),
    ...(members && { members }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

/** What the verifier cannot do yet it can do soon. */
function retryAfter(error: Error, problemClass: ProblemClass): number | undefined {
  return error instanceof VerifierError && problemClass === "unavailable" ? 1 : undefined;
}

/** What a store says besides its code is for whoever runs it. */
function ofStore({ code, class: errorClass }: StoreError): Problem | undefined {
  if (errorClass === "program") return undefined;
  const title = STORE_ERRORS[code][1];
  const isPassing = errorClass === "wait";
  return isPassing
    ? { status: CLASS_STATUS.unavailable, code, class: "unavailable", title, detail: title, retryAfterSeconds: 1 }
    : ofCode("server/unavailable");
}

/** Its document. */
export function problemText(problem: Problem, requestId: string): string {
  const { status, code, title, detail } = problem;
  const type = `urn:x-quiesce:problem:${code}`;
  return JSON.stringify({ type, title, status, detail, code, class: problem.class, requestId, ...problem.members });
}

/** The answer to whatever a hook, a parser or a handler threw. */
export function answerError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error);
  // Of what is wrong here, and not with the request, the log has all.
  if (problem === undefined || problem.status >= 500) {
    request.log.error({ requestId: request.id, err: error }, problem?.title ?? "fault");
  }
  sendProblem(problem ?? ofCode("server/internal"), request, reply);
}

/** What a schema refuses: where, and which member is one too many. */
export function fieldError(errors: readonly FastifySchemaValidationError[], part: string): Error {
  const [first] = errors;
  const { additionalProperty } = (first?.params ?? {}) as { additionalProperty?: string };
  const what = additionalProperty === undefined ? "" : `: ${additionalProperty}`;
  return new HttpProblem("request/field", `${part}${first?.instancePath ?? ""} ${first?.message ?? ""}${what}`);
}

export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  request.outcome = problem.code;
  reply.code(problem.status).header("content-type", PROBLEM_TYPE).header("cache-control", "no-store");
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", problem.retryAfterSeconds);
  if (problem.class === "unauthorized" && !reply.hasHeader("www-authenticate")) {
    reply.header("www-authenticate", challengeFor("auth/needed"));
  }
  reply.header(REQUEST_ID_HEADER, request.id);
  // As bytes: to text Fastify would add a charset, which JSON has not.
  reply.send(Buffer.from(problemText(problem, request.id)));
}

export function ofCode(code: HttpProblemCode, detail?: string): Problem {
  return problemOf(new HttpProblem(code, detail))!;
}

function phraseOf(code: string): string | undefined {
  const tables: Readonly<Record<string, readonly [string, string]>>[] = [VERIFIER_ERRORS, HTTP_PROBLEMS, AUTH_ERRORS];
  return tables.find((table) => Object.hasOwn(table, code))?.[code]?.[1];
}

/** What comes back of a request's own text is short and has nothing that a terminal acts on. */
function told(message: string): string {
  const plain = message.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  return plain.length > DETAIL_CHARACTERS_MAX ? `${plain.slice(0, DETAIL_CHARACTERS_MAX)}...` : plain;
}
