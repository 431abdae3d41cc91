/** Gossip: heads of the agreements' logs come in, and whoever asks sees them, and every split view. */
import { isUtf8 } from "node:buffer";
import { ADD_CHECKPOINT_BYTES_MAX } from "../../log/add-checkpoint.ts";
import type { App, RouteContext } from "../app-types.ts";
import { MediaType } from "../media.ts";
import { bytesBody, jsonAnswer, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import { HeadAnswer, LogHeads } from "../schemas/log-heads.ts";
import { logHeadsJson } from "../views.ts";

export function logHeadRoutes(app: App, { service }: RouteContext): void {
  app.get(
    "/v1/log/heads",
    operation({
      route: "log.heads",
      name: "listLogHeads",
      tag: "log",
      summary: "Heads of the agreements' logs that were shown here, and split views.",
      answers: { 200: jsonAnswer("what is known", LogHeads) },
    }),
    async () => logHeadsJson(await service.logHeads()),
  );

  app.post(
    "/v1/log/heads",
    operation({
      route: "log.offer-head",
      name: "offerLogHead",
      tag: "log",
      summary: "Shows this verifier a head of an agreement's log.",
      description:
        "In the form of add-checkpoint (C2SP tlog-witness): `old 0` without a path, or the size of a head that is known " +
        "here and the consistency path from it. What contradicts a head that is known is kept as a split view.",
      body: bytesBody([MediaType.TEXT], ADD_CHECKPOINT_BYTES_MAX),
      answers: { 200: jsonAnswer("what became of it", HeadAnswer) },
      problems: ["invalid", "unknown"],
      isQuiet: true,
    }),
    async (request) => service.offerLogHead(textOf(request.body)),
  );
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new HttpProblem("request/text");
  return Buffer.from(bytes).toString("utf8");
}
