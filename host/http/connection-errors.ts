/**
 * What never became a request: bytes that are no HTTP, headers that are too long, requests that do not end in time. There
 * is no app to answer, so the answer is written by hand, and the connection ends with it.
 */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { ofCode, PROBLEM_TYPE, problemText } from "./problem.ts";
import type { HttpProblemCode } from "./problem-codes.ts";

const CODES: Readonly<Record<string, HttpProblemCode>> = {
  HPE_HEADER_OVERFLOW: "request/header-size",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "request/header-size",
  ERR_HTTP_REQUEST_TIMEOUT: "request/timeout",
};

/** For a server's `clientError`. Undefined: nobody is there to be answered. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  requestId: string,
): HttpProblemCode | undefined {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const code = CODES[error.code ?? ""] ?? "request/not-http";
  const problem = ofCode(code);
  const body = problemText(problem, requestId);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      "Connection: close",
      `Content-Type: ${PROBLEM_TYPE}`,
      "Cache-Control: no-store",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n"),
    // Whoever goes on sending is not waited for.
    () => socket.destroy(),
  );
  return code;
}
