/** Agreement time: beacons for everyone, proofs for a governor that asks, and a clock that is set where it is simulated. */
import { sendBytes } from "../answers.ts";
import type { App, RouteContext } from "../app-types.ts";
import { entityTag, isFresh } from "../etag.ts";
import { MediaType } from "../media.ts";
import { bytesAnswer, jsonBody, noAnswer, operation } from "../operation.ts";
import { Clock, TimeChallenge } from "../schemas/oversight.ts";
import { hexBytes } from "../wire.ts";

/** Of the time between two beacons a cache may keep one for this part. */
const CACHE_PART = 0.5;

export function timeRoutes(app: App, { service, beaconSeconds, setClock }: RouteContext): void {
  const cacheControl = `public, max-age=${Math.max(1, Math.floor(beaconSeconds * CACHE_PART))}`;

  app.get(
    "/v1/beacon",
    operation({
      route: "beacon.read",
      name: "readBeacon",
      tag: "time",
      summary: "The newest beacon: it keeps gates alive for one lease.",
      answers: { 200: bytesAnswer("the beacon", MediaType.COSE), 304: noAnswer("as the asker has it") },
    }),
    async (request, reply) => {
      const beacon = await service.beacon();
      if (isFresh(request, reply, entityTag([beacon]), cacheControl)) return reply;
      return sendBytes(reply, 200, MediaType.COSE, beacon);
    },
  );

  app.post(
    "/v1/time-proofs",
    operation({
      route: "time-proofs.create",
      name: "createTimeProof",
      tag: "time",
      summary: "Answers a governor's time challenge, which it needs after power-up.",
      body: jsonBody(TimeChallenge),
      answers: { 201: bytesAnswer("the time, over the governor's nonce", MediaType.COSE) },
      rate: "evidence",
      isQuiet: true,
    }),
    async (request, reply) =>
      sendBytes(reply, 201, MediaType.COSE, await service.timeProof(hexBytes(request.body.nonce))),
  );

  if (setClock === undefined) return;
  app.put(
    "/v1/simulation/clock",
    operation({
      route: "simulation.clock",
      name: "setClock",
      tag: "time",
      summary: "Sets the agreement time. Only where the configuration says that the clock is simulated.",
      body: jsonBody(Clock),
      answers: { 204: noAnswer("it is set") },
    }),
    async (request, reply) => {
      setClock(request.body.nowMs);
      return reply.code(204).send();
    },
  );
}
