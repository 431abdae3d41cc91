/** The two rounds of FROST (RFC 9591), asked by a verifier that gathers the signature of a key that no one holds. */
import type { FrostSubject } from "../../service/service.ts";
import type { App, RouteContext } from "../app-types.ts";
import { jsonAnswer, jsonBody, operation } from "../operation.ts";
import { FrostCommitment, FrostGroupKid, FrostShare, FrostShareRequest } from "../schemas/frost.ts";
import { base64urlBytes, hexBytes, hexText } from "../wire.ts";

export function frostRoutes(app: App, { service }: RouteContext): void {
  app.post(
    "/v1/frost/commitments",
    operation({
      route: "frost.commit",
      name: "createFrostCommitment",
      tag: "frost",
      summary: "Round one: a commitment of the holder that is here, good for one share.",
      body: jsonBody(FrostGroupKid),
      answers: { 201: jsonAnswer("the commitment", FrostCommitment) },
      problems: ["unknown"],
      rate: "evidence",
      isQuiet: true,
    }),
    async (request, reply) => {
      const { holder, hiding, binding } = await service.frostCommitment(hexBytes(request.body.group));
      reply.code(201);
      return { holder, hiding: hexText(hiding), binding: hexText(binding) };
    },
  );

  app.post(
    "/v1/frost/shares",
    operation({
      route: "frost.share",
      name: "createFrostShare",
      tag: "frost",
      summary: "Round two: a share of the group's signature, if this verifier would sign the draft itself.",
      description:
        "Of a license or recovery the evidence is judged here and the policy is asked, as for POST /v1/licenses with " +
        "this draft. An order must stand here as a draft that may still become active, and a person must have approved " +
        "it here for the group; a share for one order of an epoch is the only one. A license without evidence must have " +
        "been issued here by a person, as POST /v1/licenses/offline with its draft.",
      body: jsonBody(FrostShareRequest),
      answers: { 201: jsonAnswer("the share", FrostShare) },
      problems: ["invalid", "policy", "unknown"],
      rate: "evidence",
      isQuiet: true,
    }),
    async (request, reply) => {
      const { body } = request;
      const share = await service.frostShare({
        ...subjectOf(body),
        message: base64urlBytes(body.message, "message"),
        commitments: body.commitments.map(({ holder, hiding, binding }) => ({
          holder,
          hiding: hexBytes(hiding),
          binding: hexBytes(binding),
        })),
      });
      reply.code(201);
      return { share: hexText(share) };
    },
  );
}

function subjectOf(body: FrostShareRequest): FrostSubject {
  const subject = { group: hexBytes(body.group), draft: base64urlBytes(body.draft, "draft") };
  if (!("evidence" in body)) return { ...subject, purpose: body.purpose };
  return {
    ...subject,
    purpose: body.purpose,
    evidence: base64urlBytes(body.evidence, "evidence"),
    ...(body.nonces && { nonces: body.nonces.map(hexBytes) }),
  };
}
