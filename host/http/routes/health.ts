/** For whoever runs the service: is it alive, does it serve, what does it count; and what it is for whoever calls it. */
import { Type } from "@sinclair/typebox";
import type { App, RouteContext } from "../app-types.ts";
import { entityTag, isFresh } from "../etag.ts";
import { bytesAnswer, jsonAnswer, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import { About, Health } from "../schemas/oversight.ts";
import { hexText } from "../wire.ts";

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function healthRoutes(app: App, { service, metrics, lifecycle }: RouteContext): void {
  app.get(
    "/healthz",
    operation({
      route: "health.live",
      name: "isAlive",
      tag: "operations",
      summary: "Whether the process answers.",
      answers: { 200: jsonAnswer("it does", Health) },
      rate: "none",
    }),
    async () => ({ ok: true }),
  );

  app.get(
    "/readyz",
    operation({
      route: "health.ready",
      name: "isReady",
      tag: "operations",
      summary: "Whether it serves: not while its store does not answer, and not while it is being stopped.",
      answers: { 200: jsonAnswer("it does", Health) },
      rate: "none",
    }),
    async () => {
      if (lifecycle.isClosing) throw new HttpProblem("server/unavailable", "it is being stopped");
      if (!(await service.ready().catch(() => false))) throw new HttpProblem("server/unavailable", "its store");
      return { ok: true };
    },
  );

  app.get(
    "/metrics",
    operation({
      route: "metrics.read",
      name: "readMetrics",
      tag: "operations",
      summary: "Counters, gauges and histograms for Prometheus.",
      answers: { 200: bytesAnswer("the text format of Prometheus", "text/plain") },
      rate: "none",
    }),
    async (_request, reply) => reply.header("content-type", METRICS_TYPE).send(await metrics.registry.metrics()),
  );

  let document: { text: string; tag: string } | undefined;
  app.get(
    "/openapi.json",
    operation({
      route: "openapi.read",
      name: "readOpenApi",
      tag: "operations",
      summary: "This document.",
      answers: {
        200: jsonAnswer("OpenAPI 3.1", Type.Object({}, { additionalProperties: true })),
        304: { description: "as the asker has it", type: "null" },
      },
    }),
    async (request, reply) => {
      if (document === undefined) {
        const text = JSON.stringify(app.swagger());
        document = { text, tag: entityTag([text]) };
      }
      if (isFresh(request, reply, document.tag, "public, max-age=300")) return reply;
      return reply.header("content-type", "application/json; charset=utf-8").send(document.text);
    },
  );

  app.get(
    "/v1",
    operation({
      route: "about.read",
      name: "about",
      tag: "verifier",
      summary: "Which agreement is in force, its parties, the epoch, the agreement time.",
      answers: { 200: jsonAnswer("about this verifier", About) },
    }),
    async () => {
      const about = await service.about();
      return {
        ...about,
        agreementDigest: hexText(about.agreementDigest),
        parties: about.parties.map(({ name, kid, here }) => ({ name, kid: hexText(kid), here })),
      };
    },
  );
}
