/** Events as they happen, for agents: see host/http/events.ts. */
import type { App, RouteContext } from "../app-types.ts";
import { bytesAnswer, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";

const RETRY_AFTER_SECONDS = 5;

export function eventRoutes(app: App, { events }: RouteContext): void {
  app.get(
    "/v1/events",
    {
      ...operation({
        route: "events.subscribe",
        name: "subscribe",
        tag: "time",
        summary: "Beacons, orders and agreements as they come: server-sent events.",
        description:
          "Event `beacon` has `{bytes}`, `order` is an Order, `agreement` has `{version}`. Nothing is kept for who is " +
          "away: fetch beacon and orders after connecting. A reader that is too slow is dropped.",
        answers: { 200: bytesAnswer("the stream", "text/event-stream") },
      }),
      exposeHeadRoute: false,
    },
    (_request, reply) => {
      if (events.isFull)
        throw new HttpProblem("server/listeners", undefined, { retryAfterSeconds: RETRY_AFTER_SECONDS });
      for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value!);
      reply.hijack();
      reply.raw.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        // Proxies of the nginx kind hold answers back unless they are told.
        "x-accel-buffering": "no",
      });
      events.add(reply.raw);
    },
  );
}
