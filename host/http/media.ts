/**
 * Bodies: which media types an operation takes, how long a body may be, and how its bytes become what a handler gets.
 * Binary bodies are handed on as they came; JSON is parsed strictly. What is wrong is refused before anything is read.
 */
import { isUtf8 } from "node:buffer";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { HttpProblem } from "./problem-codes.ts";

export const MediaType = {
  JSON: "application/json",
  NDJSON: "application/x-ndjson",
  /** RFC 9782 section 4. */
  EAT: "application/eat+cwt",
  /** RFC 8392 section 9.2. */
  CWT: "application/cwt",
  /** RFC 9052 section 11.3. */
  COSE: "application/cose",
  LICENSE_REQUEST: "application/vnd.quiesce.license-request+cbor",
  REPORTS: "application/vnd.quiesce.reports+cbor",
  /** Of UTF-8. */
  TEXT: "text/plain",
  OPENING: "application/vnd.quiesce.opening+cbor",
  LOG_PROOF: "application/vnd.quiesce.log-proof+cbor",
} as const;
export type MediaType = (typeof MediaType)[keyof typeof MediaType];

/** What an operation takes. */
export interface BodyForm {
  readonly types: readonly MediaType[];
  readonly bytesMax: number;
}

/** A body that is longer than this is not waited for when its request is refused. */
const DRAINED_BYTES_MAX = 65_536;

/** Why a body is not even read; undefined if it is. */
export function bodyRefusal(request: FastifyRequest, form: BodyForm): HttpProblem | undefined {
  const { headers } = request.raw;
  const length = headers["content-length"];
  const isChunked = headers["transfer-encoding"] !== undefined;
  if (!isChunked && (length === undefined || length === "0")) return new HttpProblem("request/body-missing");
  const type = headers["content-type"];
  if (type === undefined || !form.types.includes(essenceOf(type) as MediaType)) {
    return new HttpProblem("request/media-type", form.types.join(" or "));
  }
  const coding = headers["content-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "identity") return new HttpProblem("request/encoding");
  if (Number(length) > form.bytesMax) return new HttpProblem("request/too-large", `over ${form.bytesMax} bytes`);
  return undefined;
}

/** Whether the connection of a refused request ends with it: else its whole body would have to be read. */
export function mustClose(request: FastifyRequest): boolean {
  const { headers } = request.raw;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > DRAINED_BYTES_MAX;
}

/** The media type without its parameters (RFC 9110 section 8.3.1): those of EAT profiles are allowed and not needed. */
export function essenceOf(contentType: string): string {
  const end = contentType.indexOf(";");
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

export function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser("error", "error");
  for (const type of Object.values(MediaType)) {
    if (type === MediaType.JSON) continue;
    app.addContentTypeParser(type, { parseAs: "buffer" }, (_request, body, done) => {
      if (body.length === 0) done(new HttpProblem("request/body-missing"));
      else done(null, body);
    });
  }
  app.addContentTypeParser(MediaType.JSON, { parseAs: "buffer" }, (request, bytes, done) => {
    const body = bytes as Buffer;
    if (body.length === 0) return done(new HttpProblem("request/body-missing"));
    if (!isUtf8(body)) return done(new HttpProblem("request/json", "not UTF-8"));
    request.rawBody = body;
    // What the parser says of an error holds a piece of the body, which is nobody's business.
    parseJson(request, body.toString("utf8"), (error, value) => {
      if (error) done(new HttpProblem("request/json"));
      else done(null, value);
    });
  });
}
