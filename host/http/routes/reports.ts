/** Usage reports, and the openings that are asked of boards whose reports came without intervals. */
import { Limit } from "../../../firmware/protocol/limits.ts";
import { decodeReportBatch, REPORT_BATCH_BOUNDS } from "../../objects/report-batch.ts";
import type { ReportItem } from "../../service/service.ts";
import type { App, RouteContext } from "../app-types.ts";
import { decodeBody } from "../cbor-body.ts";
import { essenceOf, MediaType } from "../media.ts";
import { bytesBody, jsonAnswer, noAnswer, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import { OpeningsWanted, UeidPath } from "../schemas/devices.ts";
import { ReportResults } from "../schemas/licenses.ts";
import { openingJson, outcomeJson } from "../views.ts";
import { hexBytes } from "../wire.ts";

export function reportRoutes(app: App, { service, metrics }: RouteContext): void {
  app.post(
    "/v1/reports",
    operation({
      route: "reports.upload",
      name: "uploadReports",
      tag: "reports",
      summary: "Takes usage reports: 1 to 256 with or without their intervals, or one as it is.",
      description: "Each has its own outcome, in the order of the upload; one that is refused does not hold up others.",
      body: bytesBody([MediaType.REPORTS, MediaType.EAT], REPORT_BATCH_BOUNDS.bytesMax),
      answers: { 200: jsonAnswer("one outcome a report", ReportResults) },
      rate: "evidence",
      isQuiet: true,
    }),
    async (request) => {
      const outcomes = await service.reports(itemsOf(request.body, request.headers["content-type"]!));
      metrics.reported(outcomes);
      return { results: outcomes.map(outcomeJson) };
    },
  );

  app.get(
    "/v1/openings",
    operation({
      route: "openings.list",
      name: "listOpenings",
      tag: "reports",
      summary: "The intervals that a board is asked to open.",
      query: UeidPath,
      answers: { 200: jsonAnswer("what is wanted", OpeningsWanted) },
      problems: ["policy", "unknown"],
    }),
    async (request) => {
      const openings = await service.openingsWanted(hexBytes(request.query.ueid));
      return { openings: openings.map(openingJson) };
    },
  );

  app.post(
    "/v1/openings",
    operation({
      route: "openings.upload",
      name: "uploadOpening",
      tag: "reports",
      summary: "Takes an interval with its way to the root of the report.",
      body: bytesBody([MediaType.OPENING], Limit.MESSAGE_BYTES_MAX),
      answers: { 204: noAnswer("it is the report's") },
      problems: ["invalid", "policy", "unknown"],
      rate: "evidence",
      isQuiet: true,
    }),
    async (request, reply) => {
      await service.open(request.body);
      return reply.code(204).send();
    },
  );
}

function itemsOf(body: Uint8Array, contentType: string): readonly ReportItem[] {
  if (essenceOf(contentType) === MediaType.REPORTS) return decodeBody(body, decodeReportBatch);
  if (body.length > Limit.MESSAGE_BYTES_MAX) throw new HttpProblem("request/too-large", "a report is one message");
  return [{ report: body }];
}
