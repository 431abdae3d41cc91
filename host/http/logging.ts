/**
 * The log: one line of JSON for each request that someone may want to know of. A line has the id, the route, what came of
 * it and who asked; never a body, a token, a signature, or an address with what was asked for in it.
 */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import { type DestinationStream, type Logger, pino, stdSerializers } from "pino";
import type { LogLevel } from "../log-levels.ts";

/** Should anyone log a request or an error whole, what is secret in it is taken out. */
const SECRET = [
  "authorization",
  "signature",
  '["signature-input"]',
  "cookie",
  "token",
  "secret",
  "passphrase",
  "body",
  "rawBody",
];

export function serviceLogger(level: LogLevel, stream?: DestinationStream, service = "quiesce-verifier"): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorLine },
    redact: {
      paths: SECRET.flatMap((name) => {
        const dotted = name.startsWith("[") ? name : `.${name}`;
        return [name, `*${dotted}`, `*.headers${dotted}`];
      }),
      censor: "[removed]",
    },
  };
  return stream ? pino(options, stream) : pino(options);
}

/** Of an error only what points into the sources: other members may hold what was asked. */
function errorLine(error: Error) {
  const { type, message, stack } = stdSerializers.err(error);
  return { type, message, stack, code: (error as NodeJS.ErrnoException).code };
}

/** Successful requests on the hot path are many: they are counted, and logged for those who debug. */
export function logRequest(
  log: FastifyBaseLogger,
  request: FastifyRequest,
  reply: FastifyReply,
  route: string,
  isQuiet: boolean,
): void {
  const { statusCode } = reply;
  const level = statusCode >= 500 ? "error" : statusCode < 400 && isQuiet ? "debug" : "info";
  if (log.level === "silent" || (level === "debug" && !isDebug(log.level))) return;
  log[level](
    {
      requestId: request.id,
      method: request.method,
      route,
      status: statusCode,
      durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
      ...(request.principal.kind !== "anonymous" && { principal: request.principal.name }),
      ...(request.outcome !== "" && { code: request.outcome }),
    },
    "request",
  );
}

function isDebug(level: string): boolean {
  return level === "debug" || level === "trace";
}
