/** Evidence in; licenses, recoveries and verdicts out. */
import { Limit } from "../../../firmware/protocol/limits.ts";
import { decodeLicenseRequest, LICENSE_REQUEST_BOUNDS } from "../../objects/license-request.ts";
import type { LicenseCall } from "../../service/service.ts";
import type { LicenseRequest } from "../../verifier/licensing.ts";
import { sendBytes, sendSigned } from "../answers.ts";
import type { App, RouteContext } from "../app-types.ts";
import { decodeBody } from "../cbor-body.ts";
import { essenceOf, MediaType } from "../media.ts";
import { bytesAnswer, bytesBody, jsonAnswer, jsonBody, noAnswer, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import { DigestPath, EvidenceDigest, OfflineLicense, type Terms } from "../schemas/licenses.ts";
import { base64urlBytes, hexBytes, hexText, ratesOf, u64Of, worksOf } from "../wire.ts";

const REQUEST = bytesBody([MediaType.EAT, MediaType.LICENSE_REQUEST], LICENSE_REQUEST_BOUNDS.bytesMax);
const SIGNED = {
  200: bytesAnswer("the one that this evidence was answered with before", MediaType.CWT),
  201: bytesAnswer("signed by the whole quorum", MediaType.CWT),
};
const EVIDENCE = {
  rate: "evidence",
  isQuiet: true,
  problems: ["invalid", "policy", "unknown", "signatures"],
} as const;

export function licenseRoutes(app: App, { service, metrics }: RouteContext): void {
  app.post(
    "/v1/licenses",
    operation({
      ...EVIDENCE,
      route: "licenses.issue",
      name: "issueLicense",
      tag: "licenses",
      summary: "A license on evidence; the same evidence gets the same license again.",
      description:
        "Evidence alone asks for what the policy gives. A request (CDDL in docs/protocol.md) names terms, and carries " +
        "the draft and the nonces where parties of several verifiers sign.",
      body: REQUEST,
      answers: SIGNED,
    }),
    async (request, reply) => {
      const answer = await service.license(callOf(request.body, request.headers["content-type"]!));
      metrics.answered(answer);
      return sendSigned(reply, answer);
    },
  );

  app.post(
    "/v1/recoveries",
    operation({
      ...EVIDENCE,
      route: "recoveries.issue",
      name: "issueRecovery",
      tag: "licenses",
      summary: "A recovery for a board that lost its journal: what it may have done by now counts as done.",
      body: REQUEST,
      answers: SIGNED,
    }),
    async (request, reply) => {
      const { terms, ...call } = callOf(request.body, request.headers["content-type"]!);
      if (terms) throw new HttpProblem("request/cbor", "a recovery has no terms");
      return sendSigned(reply, await service.recovery(call));
    },
  );

  app.post(
    "/v1/recoveries/import",
    operation({
      ...EVIDENCE,
      problems: ["invalid", "policy", "unknown"],
      route: "recoveries.import",
      name: "importRecovery",
      tag: "licenses",
      summary: "A recovery with its whole quorum that others signed without this verifier.",
      description:
        "Reports and evidence that go on from it are taken from then on, and what it states is counted as done. What is " +
        "here already changes nothing.",
      body: bytesBody([MediaType.CWT], Limit.MESSAGE_BYTES_MAX),
      answers: { 204: noAnswer("it is here") },
    }),
    async (request, reply) => {
      await service.importRecovery(request.body);
      return reply.code(204).send();
    },
  );

  app.post(
    "/v1/evidence",
    operation({
      ...EVIDENCE,
      problems: ["invalid", "policy", "unknown"],
      route: "evidence.appraise",
      name: "appraiseEvidence",
      tag: "licenses",
      summary: "Judges evidence and books what it says, without a license: what closes the books.",
      description:
        "A request (CDDL in docs/protocol.md) carries the nonces where several verifiers judge one evidence, and neither " +
        "terms nor a draft.",
      body: REQUEST,
      answers: { 201: jsonAnswer("by this digest its verdict is found", EvidenceDigest) },
    }),
    async (request, reply) => {
      const { evidence, terms, draft, nonces } = callOf(request.body, request.headers["content-type"]!);
      if (terms || draft) throw new HttpProblem("request/cbor", "an appraisal has neither terms nor a draft");
      const digest = await service.appraise(evidence, nonces);
      reply.code(201);
      return { digest: hexText(digest) };
    },
  );

  app.get(
    "/v1/verdicts/:digest",
    operation({
      route: "verdicts.read",
      name: "readVerdict",
      tag: "licenses",
      summary: "The attestation result (EAR) on evidence that was judged here, by the evidence's SHA-256.",
      params: DigestPath,
      answers: { 200: bytesAnswer("an EAT attestation result, signed", MediaType.EAT) },
      problems: ["unknown"],
    }),
    async (request, reply) =>
      sendBytes(reply, 200, MediaType.EAT, await service.verdict(hexBytes(request.params.digest))),
  );

  app.post(
    "/v1/licenses/offline",
    operation({
      route: "licenses.offline",
      name: "issueOfflineLicense",
      tag: "licenses",
      summary: "A license without a nonce, for one device or a cohort at an air-gapped site.",
      description:
        "The same draft again is the license that was issued here by it, with the signatures that can be had by now; " +
        "without a draft every request is another license.",
      body: jsonBody(OfflineLicense),
      answers: SIGNED,
      problems: ["invalid", "policy", "unknown", "signatures"],
      isAudited: true,
    }),
    async (request, reply) => {
      const { ueids, terms, notBeforeSeconds, draft } = request.body;
      request.subject = ueids.join(" ");
      const answer = await service.offlineLicense({
        ueids: ueids.map(hexBytes),
        terms: termsOf(terms),
        ...(notBeforeSeconds !== undefined && { notBeforeSeconds }),
        ...(draft !== undefined && { draft: base64urlBytes(draft, "draft") }),
      });
      metrics.answered(answer);
      return sendSigned(reply, answer);
    },
  );

  app.post(
    "/v1/licenses/import",
    operation({
      ...EVIDENCE,
      problems: ["invalid", "policy", "unknown"],
      route: "licenses.import",
      name: "importLicense",
      tag: "licenses",
      summary: "A license with its whole quorum that others signed while this verifier was away.",
      description: "Reports and evidence under it are taken from then on. What is here already changes nothing.",
      body: bytesBody([MediaType.CWT], Limit.MESSAGE_BYTES_MAX),
      answers: { 204: noAnswer("it is here") },
    }),
    async (request, reply) => {
      await service.importLicense(request.body);
      return reply.code(204).send();
    },
  );
}

function callOf(body: Uint8Array, contentType: string): LicenseCall {
  if (essenceOf(contentType) === MediaType.LICENSE_REQUEST) return decodeBody(body, decodeLicenseRequest);
  if (body.length > Limit.MESSAGE_BYTES_MAX) throw new HttpProblem("request/too-large", "evidence is one message");
  return { evidence: body };
}

function termsOf({ budget, ticksMax, windowSeconds, rate, drain }: Terms): LicenseRequest {
  return {
    budget: worksOf(budget, "terms.budget"),
    ticksMax: u64Of(ticksMax, "terms.ticksMax"),
    windowSeconds,
    ...(rate && { rate: ratesOf(rate, "terms.rate") }),
    ...(drain && { drain: worksOf(drain, "terms.drain") }),
  };
}
