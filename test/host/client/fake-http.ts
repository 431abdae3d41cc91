/** A fake verifier's HTTP: the rows of the API that agents use, and whatever fault a test wants. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { actionName } from "../../../host/client/views.ts";
import { decodeLicenseRequest } from "../../../host/objects/license-request.ts";
import { decodeReportBatch } from "../../../host/objects/report-batch.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";
import type { LicenseCall, OrderView, ServiceEvent, SignedAnswer } from "../../../host/service/service.ts";
import { hexOf } from "../../../host/verifier/bytes.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import { modelText } from "../../../host/verifier/registry.ts";
import type { DeviceRecord } from "../../../host/verifier/storage.ts";
import type { FakeVerifier } from "./fake-service.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Gives the answer itself, or says by `false` that the verifier is to give it. */
export type Fault = (asked: Asked, response: ServerResponse) => boolean | Promise<boolean>;

const CLASS_STATUS = {
  malformed: 400,
  invalid: 422,
  policy: 403,
  signatures: 409,
  ahead: 409,
  unknown: 404,
  unavailable: 503,
} as const;

export class FakeHttp {
  readonly asked: Asked[] = [];
  fault: Fault = () => false;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  #waiting: { isIt: (asked: Asked) => boolean; resolve: (asked: Asked) => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** On a free port of this machine, or on a socket. */
  static async start(
    verifier: FakeVerifier | undefined,
    at: { path?: string; port?: number; tls?: TlsOptions } = {},
  ): Promise<FakeHttp> {
    let http: FakeHttp;
    const listener: RequestListener = (request, response) => void http.#serve(verifier, request, response);
    const server = at.tls ? createTlsServer(at.tls, listener) : createServer(listener);
    http = new FakeHttp(server as Server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      if (at.path === undefined) server.listen(at.port ?? 0, "127.0.0.1", resolve);
      else server.listen(at.path, resolve);
    });
    return http;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }

  /** The next request that is this one. */
  next(isIt: (asked: Asked) => boolean): Promise<Asked> {
    return new Promise((resolve) => {
      this.#waiting.push({ isIt, resolve });
    });
  }

  /** Ends every subscription. */
  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(verifier: FakeVerifier | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, "http://fake");
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const asked = {
      method: request.method!,
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body: Buffer.concat(pieces),
    };
    this.asked.push(asked);
    const told = this.#waiting.filter(({ isIt }) => isIt(asked));
    this.#waiting = this.#waiting.filter((one) => !told.includes(one));
    for (const { resolve } of told) resolve(asked);
    if (await this.fault(asked, response)) return;
    if (response.destroyed) return;
    try {
      if (verifier) this.#answer(verifier, asked, response);
      else send(response, problem(404, "request/nothing-here", "unknown", "there is nothing at this address"));
    } catch (error) {
      if (error instanceof VerifierError) {
        send(response, problem(CLASS_STATUS[error.class], error.code, error.class, error.message));
      } else if (error instanceof Refusal) send(response, problem(400, "request/cbor", "malformed", error.message));
      else send(response, problem(500, "server/internal", "internal", String(error)));
    }
  }

  #answer(verifier: FakeVerifier, asked: Asked, response: ServerResponse): void {
    if (asked.path === "/v1/events") this.#stream(verifier, response);
    else send(response, (ROUTES[`${asked.method} ${asked.path}`] ?? nothing)(verifier, asked));
  }

  #stream(verifier: FakeVerifier, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": listening\n\n");
    const listener = (event: ServiceEvent) =>
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(eventJson(event))}\n\n`);
    verifier.listeners.add(listener);
    this.#streams.add(response);
    response.once("close", () => {
      verifier.listeners.delete(listener);
      this.#streams.delete(response);
    });
  }
}

type Reply = {
  readonly status: number;
  readonly type?: string;
  readonly body?: Uint8Array | string;
  readonly headers?: object;
};

const ROUTES: Readonly<Record<string, (verifier: FakeVerifier, asked: Asked) => Reply>> = {
  "GET /v1": (verifier) => {
    const about = verifier.about();
    const parties = about.parties.map(({ name, kid, here }) => ({ name, kid: hexOf(kid), here }));
    return json(200, { ...about, agreementDigest: hexOf(about.agreementDigest), parties });
  },
  "GET /v1/agreements": (verifier, { query }) => {
    return json(200, { agreements: verifier.agreementsAfter(Number(query.get("after") ?? 0)).map(base64url) });
  },
  "POST /v1/devices": (verifier, { body }) => {
    const { endorsement, certificate } = JSON.parse(body.toString());
    return json(201, deviceJson(verifier.enrol(bytesOf(endorsement, "base64url"), bytesOf(certificate, "base64url"))));
  },
  "POST /v1/nonces": (verifier, { body }) => {
    const { nonce, expiresMs } = verifier.nonce(bytesOf(JSON.parse(body.toString()).ueid, "hex"));
    return json(201, { nonce: hexOf(nonce), expiresMs });
  },
  "POST /v1/licenses": (verifier, { headers, body }) => {
    return signed(verifier.license(licenseCall(headers["content-type"], body)));
  },
  "POST /v1/licenses/import": (verifier, { body }) => {
    verifier.importLicense(body);
    return { status: 204, type: "", body: Buffer.alloc(0) };
  },
  "POST /v1/reports": (verifier, { body }) => {
    const results = verifier.reports(decodeReportBatch(body));
    return json(200, {
      results: results.map((one) => ("sequence" in one ? { ...one, sequence: one.sequence.toString() } : one)),
    });
  },
  "GET /v1/openings": (verifier, { query }) => {
    const openings = verifier.wanted.filter(({ ueid }) => hexOf(ueid) === query.get("ueid"));
    const documents = openings.map(({ ueid, reportSequence, index }) => ({
      ueid: hexOf(ueid),
      reportSequence: reportSequence.toString(),
      index,
    }));
    return json(200, { openings: documents });
  },
  "POST /v1/openings": (verifier, { body }) => {
    verifier.open(body);
    return { status: 204 };
  },
  "GET /v1/orders": (verifier, { query }) => {
    return json(200, { orders: verifier.ordersAfter(Number(query.get("after") ?? 0)).map(orderJson) });
  },
  "GET /v1/beacon": (verifier, { headers }) => {
    const body = verifier.beacon();
    const etag = `"${hexOf(body.slice(-8))}"`;
    if (headers["if-none-match"] === etag) return { status: 304, headers: { etag } };
    return { status: 200, type: "application/cose", body, headers: { etag } };
  },
  "POST /v1/time-proofs": (verifier, { body }) => {
    const proof = verifier.timeProof(bytesOf(JSON.parse(body.toString()).nonce, "hex"));
    return { status: 201, type: "application/cose", body: proof };
  },
};

function nothing(_verifier: FakeVerifier, { method, path }: Asked): Reply {
  return problem(404, "request/nothing-here", "unknown", `${method} ${path}`);
}

export function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  response.writeHead(status, { ...(type && { "content-type": type }), ...headers }).end(body);
}

export function json(status: number, document: object): Reply {
  return { status, type: "application/json; charset=utf-8", body: JSON.stringify(document) };
}

export function problem(status: number, code: string, cls: string, detail: string, more = {}): Reply {
  const type = `urn:x-quiesce:problem:${code}`;
  const document = { type, title: detail, status, code, class: cls, detail, requestId: "r-1", ...more };
  return { ...json(status, document), type: "application/problem+json" };
}

function signed(answer: SignedAnswer): Reply {
  if (answer.complete) return { status: answer.repeated ? 200 : 201, type: "application/cwt", body: answer.bytes };
  const { draft, have, need } = answer;
  const members = { draft: base64url(draft), have, need };
  return problem(409, "quorum/incomplete", "signatures", "more parties must sign", members);
}

function bytesOf(text: string, encoding: "hex" | "base64url"): Uint8Array {
  return new Uint8Array(Buffer.from(text, encoding));
}

function licenseCall(type: string | undefined, body: Buffer): LicenseCall {
  return type === "application/eat+cwt" ? { evidence: new Uint8Array(body) } : decodeLicenseRequest(body);
}

function eventJson(event: ServiceEvent): object {
  if (event.type === "beacon") return { bytes: base64url(event.bytes) };
  return event.type === "order" ? orderJson(event.order) : { version: event.version };
}

function orderJson({ epoch, action, notBeforeSeconds, scope, digest, bytes }: OrderView): object {
  const bounds = { epoch, action: actionName(action), notBeforeSeconds, scope: scope?.map(hexOf) };
  return { ...bounds, digest: hexOf(digest), bytes: base64url(bytes) };
}

function deviceJson({ ueid, endorsement, chain, sequenceIssued }: DeviceRecord): object {
  const counts = { reportSequence: chain.head.sequence.toString(), licenseSequence: sequenceIssued.toString() };
  const state = { status: "active", enrolledMs: 1, seenMs: 0, epoch: 0, licensedUntilSeconds: 0 };
  return { ueid: hexOf(ueid), owner: "", site: "", model: modelText(endorsement), ...state, ...counts };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
