/**
 * What every request passes before its handler: its body's form, who asks, whether that one may, and how often. A token
 * is judged before the body is read, a signature after it, since it is over the body too; of a long body's signature all
 * that can be judged before is, or anyone could fill the memory.
 */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from "fastify";
import { authorize, isAllowed } from "../auth/access.ts";
import { authenticate, challengeFor, type Trust } from "../auth/authenticate.ts";
import { AuthError } from "../auth/errors.ts";
import { headerLinesOf } from "../auth/headers.ts";
import { ANONYMOUS } from "../auth/principal.ts";
import type { AuthRequest } from "../auth/request.ts";
import { signerAhead } from "../auth/verify.ts";
import type { Lifecycle } from "./app-types.ts";
import { bodyRefusal, mustClose } from "./media.ts";
import type { Operation } from "./operation.ts";
import type { Rates } from "./rates.ts";
import { REQUEST_ID_HEADER } from "./request-ids.ts";

export interface GateOptions {
  readonly trust: Omit<Trust, "nowMs">;
  readonly rates: Rates;
  readonly lifecycle: Lifecycle;
  /** Whether clients reach the service by https: signatures are over their URL. */
  readonly scheme: "http" | "https";
  /** Wall clock: tokens and signatures live by it, whatever the agreement time. */
  readonly now: () => number;
}

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Headers of every answer, and the checks that need no body. */
  arrival(operation: Operation) {
    const { rates } = this.#options;
    const isOpen = isAllowed(ANONYMOUS, operation.id);
    return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
      this.greet(request, reply);
      const credentials = credentialsOf(request);
      if (credentials === "none") {
        const refusal = isOpen ? rates.refusal(operation.rate, request) : new AuthError("auth/needed", operation.id);
        admit(operation, request, reply, done, refusal);
      } else if (credentials === "signature" && operation.body && !mustClose(request)) {
        admit(operation, request, reply, done);
      } else if (credentials === "signature" && operation.body) {
        this.#judge(request, reply, () => this.#foresee(operation, request)).then((refusal) =>
          admit(operation, request, reply, done, refusal),
        );
      } else {
        this.#identify(operation, request, reply, undefined).then((refusal) =>
          admit(operation, request, reply, done, refusal),
        );
      }
    };
  }

  /** For operations with a body: a signature over it. */
  body(operation: Operation) {
    return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
      if (credentialsOf(request) === "signature") {
        const body = request.rawBody ?? (request.body as Uint8Array | undefined);
        this.#identify(operation, request, reply, body).then(done);
      } else {
        done();
      }
    };
  }

  /** Of every answer, a refusal at any address too. */
  greet(request: FastifyRequest, reply: FastifyReply): void {
    request.principal = ANONYMOUS;
    // What may be cached says so itself.
    reply
      .header(REQUEST_ID_HEADER, request.id)
      .header("x-content-type-options", "nosniff")
      .header("cache-control", "no-store");
    if (this.#options.lifecycle.isClosing) reply.header("connection", "close");
  }

  /** Who asks, if that one may; else what is answered instead. Those who fail too often hear only that. */
  async #identify(
    operation: Operation,
    request: FastifyRequest,
    reply: FastifyReply,
    body: Uint8Array | undefined,
  ): Promise<Error | undefined> {
    const { trust, rates, now } = this.#options;
    return this.#judge(request, reply, async () => {
      request.principal = await authenticate(this.#authRequest(request, body), { ...trust, nowMs: now() });
      authorize(request.principal, operation.id);
      return rates.refusal(operation.rate, request);
    });
  }

  /** Whether a signed body is worth reading. */
  async #foresee(operation: Operation, request: FastifyRequest): Promise<undefined> {
    const { trust, now } = this.#options;
    const { name, roles, kid } = await signerAhead(this.#authRequest(request, undefined), { ...trust, nowMs: now() });
    authorize({ kind: "service", name, roles, kid }, operation.id);
  }

  /** What `work` says, or the refusal that it throws; one for credentials that do not hold counts. */
  async #judge(
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<Error | undefined>,
  ): Promise<Error | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AuthError) || error.class !== "unauthorized") return error as Error;
      reply.header("www-authenticate", challengeFor(error.code));
      return this.#options.rates.failure(request) ?? error;
    }
  }

  #authRequest({ raw }: FastifyRequest, body: Uint8Array | undefined): AuthRequest {
    return {
      method: raw.method ?? "",
      scheme: this.#options.scheme,
      authority: raw.headers.host ?? "",
      target: raw.url ?? "",
      headers: headerLinesOf(raw.rawHeaders),
      body,
    };
  }
}

/** On to the body, unless it is refused already, or will be. */
function admit(
  { body }: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  done: HookHandlerDoneFunction,
  refused?: Error,
): void {
  const refusal = refused ?? (body && bodyRefusal(request, body));
  if (refusal && mustClose(request)) reply.header("connection", "close");
  done(refusal);
}

function credentialsOf(request: FastifyRequest): "none" | "token" | "signature" {
  const { headers } = request.raw;
  if (headers.authorization !== undefined) return "token";
  const isSigned = headers.signature !== undefined || headers["signature-input"] !== undefined;
  return isSigned ? "signature" : "none";
}
