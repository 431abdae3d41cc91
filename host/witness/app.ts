/**
 * The witness over HTTP (C2SP tlog-witness): `POST /add-checkpoint`, `GET /<origin hash>/checkpoint`; and for whoever runs
 * it `/healthz`, `/readyz` and `/metrics`. Nobody is asked who he is: a checkpoint is signed by its log, or refused.
 */
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, LogController } from "fastify";
import type { Logger } from "pino";
import { requestIds } from "../http/request-ids.ts";
import type { ServedApp } from "../http/serve.ts";
import { KeyError } from "../keys/errors.ts";
import { ADD_CHECKPOINT_BYTES_MAX } from "../log/add-checkpoint.ts";
import { StoreError } from "../store/errors.ts";
import { WitnessMetrics } from "./metrics.ts";
import type { WitnessStore } from "./store.ts";
import type { Witness, WitnessReply } from "./witness.ts";

export interface WitnessAppOptions {
  readonly logger: Logger;
  /** Default: new ones. */
  readonly metrics?: WitnessMetrics;
}

const SIZE_TYPE = "text/x.tlog.size";
const TEXT_TYPE = "text/plain; charset=utf-8";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** Hex of an origin's SHA-256, and no address that is longer. */
const PARAMETER_CHARACTERS_MAX = 64;
const RETRY_SECONDS = 1;

export async function buildWitnessApp(
  witness: Witness,
  store: WitnessStore,
  { logger, metrics = new WitnessMetrics() }: WitnessAppOptions,
): Promise<ServedApp & { app: FastifyInstance }> {
  const lifecycle = { isClosing: false };
  const app: FastifyInstance = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (parent) => parent,
    genReqId: requestIds(),
    bodyLimit: ADD_CHECKPOINT_BYTES_MAX,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX, caseSensitive: true, ignoreTrailingSlash: false },
  });
  metrics.observe(store);
  app.removeAllContentTypeParsers();
  // The specification names no media type of a request: its form says what it is.
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  app.post("/add-checkpoint", async (request, reply) => {
    const answer = await witness.addCheckpoint((request.body as Buffer | undefined) ?? new Uint8Array(0));
    logger[answer.status === 200 ? "debug" : "info"](lineOf(answer, request.id), "add-checkpoint");
    return send(reply, answer);
  });

  app.get<{ Params: { hash: string } }>("/:hash/checkpoint", async ({ params }, reply) => {
    const note = witness.checkpoint(params.hash);
    if (note === undefined) return notFound(reply, "no checkpoint of such a log was cosigned here");
    return reply.header("content-type", TEXT_TYPE).header("cache-control", "public, max-age=5").send(note);
  });

  app.get("/healthz", async (_request, reply) => reply.header("content-type", TEXT_TYPE).send("ok\n"));
  app.get("/readyz", async (_request, reply) => {
    if (lifecycle.isClosing) return away(reply, "the witness is being stopped");
    store.heads();
    return reply.header("content-type", TEXT_TYPE).send("ok\n");
  });
  app.get("/metrics", async (_request, reply) =>
    reply.header("content-type", METRICS_TYPE).send(await metrics.registry.metrics()),
  );

  app.addHook("onResponse", async (request, reply) => {
    if (request.routeOptions.url === "/add-checkpoint") metrics.done(reply.statusCode, reply.elapsedTime / 1000);
    // One that came before the witness was stopped was told that its connection would be kept.
    if (lifecycle.isClosing) request.raw.socket.end();
  });
  app.setNotFoundHandler((_request, reply) => notFound(reply, "there is nothing at this address"));
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof StoreError || error instanceof KeyError) {
      logger.error({ requestId: request.id, err: error }, "nothing was cosigned");
      return away(reply, "the witness cannot cosign now");
    }
    const { statusCode } = error;
    if (statusCode !== undefined && statusCode < 500) return text(reply, statusCode, "the request cannot be read");
    logger.error({ requestId: request.id, err: error }, "fault");
    return text(reply, 500, "a fault of the witness");
  });
  await app.ready();
  return { app, lifecycle };
}

/** For the log: what came of it, and of which log where that is known to be one. */
function lineOf(answer: WitnessReply, requestId: string) {
  const { status } = answer;
  if (answer.status === 200) return { requestId, status, origin: answer.head.origin, size: answer.head.size };
  return { requestId, status, ...(answer.status !== 409 && { code: answer.code }) };
}

function send(reply: FastifyReply, { status, text }: WitnessReply) {
  // As bytes: to text Fastify would add a charset.
  const type = status === 409 ? SIZE_TYPE : TEXT_TYPE;
  return reply.code(status).header("content-type", type).header("cache-control", "no-store").send(Buffer.from(text));
}

function text(reply: FastifyReply, status: number, line: string) {
  return reply.code(status).header("content-type", TEXT_TYPE).send(`${line}\n`);
}

function notFound(reply: FastifyReply, line: string) {
  return text(reply, 404, line);
}

function away(reply: FastifyReply, line: string) {
  return text(reply.header("retry-after", RETRY_SECONDS), 503, line);
}
