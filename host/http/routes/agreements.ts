/** Agreements: what devices and other verifiers are given, and how the next one comes into force. */
import { Limit } from "../../../firmware/protocol/limits.ts";
import type { App, RouteContext } from "../app-types.ts";
import { entityTag, isFresh } from "../etag.ts";
import { MediaType } from "../media.ts";
import { bytesBody, jsonAnswer, noAnswer, operation } from "../operation.ts";
import { AfterVersion, Agreements, AgreementVersion } from "../schemas/oversight.ts";
import { base64urlText } from "../wire.ts";

export function agreementRoutes(app: App, { service }: RouteContext): void {
  app.get(
    "/v1/agreements",
    operation({
      route: "agreements.list",
      name: "listAgreements",
      tag: "agreements",
      summary: "The agreements of later versions than `after`, oldest first: a device takes them in turn.",
      query: AfterVersion,
      answers: { 200: jsonAnswer("agreements, signed", Agreements), 304: noAnswer("as the asker has them") },
    }),
    async (request, reply) => {
      const agreements = await service.agreementsAfter(request.query.after ?? 0);
      if (isFresh(request, reply, entityTag(agreements), "public, max-age=5")) return reply;
      return { agreements: agreements.map(base64urlText) };
    },
  );

  app.post(
    "/v1/agreements",
    operation({
      route: "agreements.amend",
      name: "amendAgreement",
      tag: "agreements",
      summary: "Puts an agreement in force that the amend quorum of the one before has signed.",
      body: bytesBody([MediaType.COSE], Limit.MESSAGE_BYTES_MAX),
      answers: { 200: jsonAnswer("it is in force", AgreementVersion) },
      problems: ["invalid"],
      isAudited: true,
    }),
    async (request) => {
      const { version } = await service.amend(request.body);
      request.subject = `version ${version}`;
      return { version };
    },
  );
}
