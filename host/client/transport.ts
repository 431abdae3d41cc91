/**
 * Requests over HTTP, and nothing about what they mean: kept connections, TLS, Unix sockets, a bound on everything, and
 * another try where a request may be repeated and the failure may pass.
 */
import { type Dispatcher, Pool } from "undici";
import { ClientError } from "./errors.ts";
import {
  type ClientOptions,
  CONNECT_TIMEOUT_MS,
  type HeaderLine,
  IN_FLIGHT_MAX,
  readTarget,
  TIMEOUT_MS,
  TRIES_MAX,
  WAITING_MAX,
} from "./options.ts";
import { errorOf } from "./problem.ts";
import { readRetryAfter, retryDelayMs, wait } from "./retry.ts";
import { Slots } from "./slots.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** With its query. */
  readonly path: string;
  readonly accept: string;
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  readonly headers?: readonly HeaderLine[];
  /** Whether twice is as good as once (RFC 9110 section 9.2.2), whatever the method says. */
  readonly isIdempotent: boolean;
  readonly answerBytesMax?: number;
  /** Whether 404 is an answer, and no failure. */
  readonly mayBeMissing?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Media type without parameters; empty where there is none. */
  readonly type: string;
  readonly etag: string | undefined;
  /** How the body is coded, in small letters; empty where it is as it is. */
  readonly encoding: string;
  readonly body: Uint8Array;
}

/** What tests turn: chance, and the passing of time. */
export interface TransportParts {
  readonly random?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A page of a thousand devices, and more. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const PROBLEM_BYTES_MAX = 65_536;
const KEEP_ALIVE_MS = 30_000;
const HEADER_BYTES_MAX = 16_384;

export class Transport {
  readonly #options: ClientOptions;
  readonly #target: ReturnType<typeof readTarget>;
  readonly #pool: Pool;
  readonly #slots: Slots;
  readonly #random: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Of what is on the way, and of waits between tries. */
  readonly #under = new Set<AbortController>();
  #isClosed = false;

  /** Connects nothing yet. Throws `ClientError` (`client/options`). */
  constructor(options: ClientOptions, parts: TransportParts = {}) {
    const inFlightMax = options.inFlightMax ?? IN_FLIGHT_MAX;
    this.#options = options;
    this.#target = readTarget(options);
    this.#random = parts.random ?? Math.random;
    this.#wait = parts.wait ?? wait;
    this.#slots = new Slots(inFlightMax, options.waitingMax ?? WAITING_MAX, () => new ClientError("client/busy"));
    this.#pool = poolOf(options, this.#target.origin, inFlightMax);
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs ?? TIMEOUT_MS;
  }

  /** The answer to a request that succeeded (2xx, or 304, or 404 where it may). Rejects with `ClientError` and `VerifierError`. */
  async request(call: Call): Promise<HttpAnswer> {
    const triesMax = call.isIdempotent ? (this.#options.triesMax ?? TRIES_MAX) : 1;
    for (let count = 1; ; count++) {
      try {
        return await this.#slots.run(() => this.#try(call));
      } catch (error) {
        const delayMs = count < triesMax ? retryDelayMs(error, count, this.#random) : undefined;
        if (delayMs === undefined) throw error;
        await this.#until((signal) => this.#wait(delayMs, signal));
      }
    }
  }

  /**
   * The body of an answer that has no end, piece by piece; a silence of `silenceMs` ends it. Leaving the loop ends the
   * connection. Rejects as `request` does.
   */
  async *stream(path: string, accept: string, silenceMs: number): AsyncGenerator<Uint8Array> {
    const ending = this.#begin();
    try {
      const answer = await this.#send({ method: "GET", path, accept, isIdempotent: true }, ending.signal, silenceMs);
      if (answer.statusCode !== 200) throw await failureOf(answer);
      for await (const piece of answer.body) yield piece as Uint8Array;
    } catch (error) {
      throw networkError(error, ending.signal);
    } finally {
      this.#under.delete(ending);
      ending.abort();
    }
  }

  /** What is on the way is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const ending of this.#under) ending.abort(new ClientError("client/closed"));
    await this.#pool.destroy();
  }

  #begin(): AbortController {
    if (this.#isClosed) throw new ClientError("client/closed");
    const ending = new AbortController();
    this.#under.add(ending);
    return ending;
  }

  /** Does something that ends with the client at the latest. */
  async #until<T>(work: (signal: AbortSignal) => Promise<T>, timeoutMs?: number): Promise<T> {
    const ending = this.#begin();
    const late = () => ending.abort(new ClientError("client/timeout", `${timeoutMs} ms`));
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    try {
      return await work(ending.signal);
    } catch (error) {
      throw networkError(error, ending.signal);
    } finally {
      clearTimeout(timer);
      this.#under.delete(ending);
    }
  }

  #try(call: Call): Promise<HttpAnswer> {
    return this.#until(async (signal) => {
      const answer = await this.#send(call, signal, this.timeoutMs);
      const { statusCode: status } = answer;
      const isAnswer = status === 304 || (status === 404 && call.mayBeMissing === true);
      if (!isAnswer && (status < 200 || status > 299)) throw await failureOf(answer);
      const body = await readBody(answer.body, call.answerBytesMax ?? ANSWER_BYTES_MAX);
      const { headers } = answer;
      const encoding = (headerOf(headers, "content-encoding") ?? "").trim().toLowerCase();
      return { status, type: typeOf(headers), etag: headerOf(headers, "etag"), encoding, body };
    }, this.timeoutMs);
  }

  async #send(call: Call, signal: AbortSignal, bodyTimeoutMs: number): Promise<Dispatcher.ResponseData> {
    const { scheme, authority, prefix } = this.#target;
    const { method, body } = call;
    const target = `${prefix}${call.path}`;
    const headers: HeaderLine[] = [["accept", `${call.accept}, application/problem+json`]];
    if (body) headers.push(["content-type", body.type]);
    if (this.#options.token !== undefined) headers.push(["authorization", `Bearer ${this.#options.token}`]);
    headers.push(...(call.headers ?? []));
    const signed = await this.#options.sign?.({ method, scheme, authority, target, headers, body: body?.bytes });
    return this.#pool.request({
      method,
      path: target,
      headers: [...headers, ...(signed ?? [])].flat(),
      body: body?.bytes,
      signal,
      headersTimeout: this.timeoutMs,
      bodyTimeout: bodyTimeoutMs,
    });
  }
}

async function failureOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Error> {
  return errorOf({
    status: statusCode,
    type: typeOf(headers),
    body: await readBody(body, PROBLEM_BYTES_MAX),
    retryAfterMs: readRetryAfter(headerOf(headers, "retry-after"), Date.now()),
  });
}

function poolOf(options: ClientOptions, origin: string, inFlightMax: number): Pool {
  const { ca, cert, key, socketPath } = options;
  return new Pool(origin, {
    // One more than requests: a subscription to events keeps one.
    connections: inFlightMax + 1,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    connect: { timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, ca, cert, key, socketPath },
  });
}

async function readBody(body: Dispatcher.ResponseData["body"], bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += (piece as Uint8Array).length;
    // Leaving the loop ends the connection: what is still to come is not read.
    if (length > bytesMax) throw new ClientError("client/too-large", `over ${bytesMax} bytes`);
    pieces.push(piece as Uint8Array);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

function headerOf(headers: Dispatcher.ResponseData["headers"], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function typeOf(headers: Dispatcher.ResponseData["headers"]): string {
  return (headerOf(headers, "content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);
/** Node's and OpenSSL's codes of certificates and handshakes. */
const TLS =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$|HOSTNAME_MISMATCH|INVALID_CA)/;
const LOST = /^(?:E[A-Z]+|UND_ERR_[A-Z_]+)$/;

/** Of what undici, TLS and the system throw; anything else is a fault, and stays what it is. */
function networkError(error: unknown, signal: AbortSignal): unknown {
  // Why it was given up says more than that it was.
  if (signal.aborted) return signal.reason;
  if (!(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== "string") return error;
  if (TIMEOUTS.has(code)) return new ClientError("client/timeout", code, { cause: error });
  if (TLS.test(code)) return new ClientError("client/tls", code, { cause: error });
  return LOST.test(code) ? new ClientError("client/connect", code, { cause: error }) : error;
}
