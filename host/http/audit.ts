/**
 * The audit trail of what people and services ask for: who, what, about what, with which outcome. Written before the
 * answer goes out. Of those who were not even recognized the log alone tells: else anyone could fill the trail.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { VerifierService } from "../service/service.ts";
import type { Operation } from "./operation.ts";

export function auditHook(operation: Operation, service: Pick<VerifierService, "record">) {
  return async (request: FastifyRequest, _reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const { principal, outcome } = request;
    if (principal.kind === "anonymous") return payload;
    const actor = `${principal.name} (${principal.kid ?? principal.tokenId})`;
    const entry = { actor, action: operation.id, subject: subjectOf(request), outcome: outcome || "ok" };
    try {
      await service.record(entry);
    } catch (err) {
      // What was decided stands and is answered; that the trail lacks it must be seen.
      request.log.error({ requestId: request.id, err, entry }, "the audit trail could not be written");
    }
    return payload;
  };
}

function subjectOf({ subject, params }: FastifyRequest): string {
  return subject !== "" ? subject : Object.values((params ?? {}) as Record<string, unknown>).join(" ");
}
