/**
 * The transparency log: for everyone as static resources that any cache may keep (C2SP tlog-tiles), and for agents the
 * proofs that their governors take.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { encodeBundle, parsePath } from "../../log/tiles.ts";
import { sendBytes } from "../answers.ts";
import type { App, RouteContext } from "../app-types.ts";
import { entityTag, isFresh } from "../etag.ts";
import { MediaType } from "../media.ts";
import { bytesAnswer, jsonAnswer, noAnswer, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import { DigestPath } from "../schemas/licenses.ts";
import { Log, ProofQuery, TilePath } from "../schemas/log.ts";
import { hexBytes, hexText } from "../wire.ts";

const NOTE_TYPE = "text/plain; charset=utf-8";
const TILE_TYPE = "application/octet-stream";
/** A head is followed by another one any time. */
const NEWEST = "public, max-age=2";
/** A hash or an entry that was published never changes. */
const FOREVER = "public, max-age=31536000, immutable";

const compressed = promisify(gzip);

export function logRoutes(app: App, { service }: RouteContext): void {
  app.get(
    "/log/checkpoint",
    operation({
      route: "log.checkpoint",
      name: "readCheckpoint",
      tag: "log",
      summary: "The newest published head of the log, with the cosignatures of witnesses that are there by now.",
      answers: {
        200: bytesAnswer("a checkpoint (C2SP tlog-checkpoint)", "text/plain"),
        304: noAnswer("as the asker has it"),
      },
    }),
    async (request, reply) => {
      const note = await service.logCheckpoint();
      if (isFresh(request, reply, entityTag([note]), NEWEST)) return reply;
      return sendBytes(reply, 200, NOTE_TYPE, Buffer.from(note));
    },
  );

  app.get(
    "/log/tile/*",
    operation({
      route: "log.tile",
      name: "readTile",
      tag: "log",
      summary: "A tile of the log's tree, or a bundle of its entries.",
      description: "What no published head covers yet is not there. Partial tiles stay when the full one is there.",
      params: TilePath,
      answers: {
        200: bytesAnswer("hashes, or entries each after its length (C2SP tlog-tiles)", TILE_TYPE),
        304: noAnswer("as the asker has it"),
      },
      problems: ["unknown"],
    }),
    async (request, reply) => {
      const name = parsePath(`tile/${request.params["*"]}`);
      if (!name) throw new HttpProblem("request/nothing-here");
      const { level, index, width } = name;
      if (level === undefined)
        return sendBundle(request, reply, encodeBundle(await service.logEntries({ index, width })));
      const bytes = await service.logTile({ level, index, width });
      if (isFresh(request, reply, entityTag([bytes]), FOREVER)) return reply;
      return sendBytes(reply, 200, TILE_TYPE, bytes);
    },
  );

  app.get(
    "/v1/log",
    operation({
      route: "log.read",
      name: "readLog",
      tag: "log",
      summary: "The log's name and key, how far it is published and cosigned, and how its witnesses are.",
      answers: { 200: jsonAnswer("about the log", Log) },
    }),
    async () => {
      const { root, ...view } = await service.log();
      return { ...view, ...(root && { root: hexText(root) }) };
    },
  );

  app.get(
    "/v1/log/proofs/:digest",
    operation({
      route: "log.prove",
      name: "readLogProof",
      tag: "log",
      summary:
        "What shows a governor that the message of this SHA-256 is in the log, and goes on from the head it holds.",
      description:
        "Up to the newest head that the witness quorum of the message's agreement has cosigned. Where that is still to " +
        "come, it is 503 with `Retry-After`. CDDL: docs/protocol.md.",
      params: DigestPath,
      query: ProofQuery,
      answers: { 200: bytesAnswer("a log proof", MediaType.LOG_PROOF) },
      problems: ["unknown", "ahead"],
      isQuiet: true,
      rate: "evidence",
    }),
    async (request, reply) => {
      const proof = await service.logProof(hexBytes(request.params.digest), request.query.from ?? 0);
      return sendBytes(reply, 200, MediaType.LOG_PROOF, proof);
    },
  );
}

/** Texts of licenses are much alike: a bundle is a fraction of its length where the asker takes that. */
async function sendBundle(request: FastifyRequest, reply: FastifyReply, bytes: Uint8Array): Promise<FastifyReply> {
  const coding = /(?:^|[\s,])gzip(?![^,]*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(request.headers["accept-encoding"] ?? "");
  reply.header("vary", "accept-encoding");
  if (isFresh(request, reply, entityTag([bytes, coding ? "gzip" : ""]), FOREVER)) return reply;
  if (!coding) return sendBytes(reply, 200, TILE_TYPE, bytes);
  return sendBytes(reply.header("content-encoding", "gzip"), 200, TILE_TYPE, await compressed(bytes));
}
