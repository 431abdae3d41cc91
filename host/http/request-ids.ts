/** What a request is called in logs and answers: the asker's own id if it has a harmless form, else a new one. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

export const REQUEST_ID_HEADER = "x-request-id";

const FORM = /^[A-Za-z0-9._~-]{8,64}$/;

/** Ids of one process: a random beginning, and a count. */
export function requestIds(): (request: Pick<IncomingMessage, "headers">) => string {
  const beginning = randomBytes(6).toString("base64url");
  let count = 0;
  return ({ headers }) => {
    const given = headers[REQUEST_ID_HEADER];
    if (typeof given === "string" && FORM.test(given)) return given;
    count += 1;
    return `${beginning}.${count.toString(36)}`;
  };
}
