/** For auditors: usage, what could still leak, the policy, the audit trail. */
import type { App, RouteContext } from "../app-types.ts";
import { jsonAnswer, operation } from "../operation.ts";
import { Audit, AuditQuery, LeakBound, Policy, Usage, UsageQuery } from "../schemas/oversight.ts";
import { leakJson, usageJson } from "../views.ts";

export function oversightRoutes(app: App, { service, policy }: RouteContext): void {
  app.get(
    "/v1/usage",
    operation({
      route: "usage.read",
      name: "readUsage",
      tag: "oversight",
      summary: "Licensed and reported work by class, added up by owner, site, model, or over the fleet.",
      query: UsageQuery,
      answers: { 200: jsonAnswer("the books", Usage) },
    }),
    async (request) => ({ usage: (await service.usage(request.query.by ?? "fleet")).map(usageJson) }),
  );

  app.get(
    "/v1/leak-bound",
    operation({
      route: "leak-bound.read",
      name: "readLeakBound",
      tag: "oversight",
      summary:
        "The most work and the longest time that a pause ordered now could still see, for the fleet as it stands.",
      answers: { 200: jsonAnswer("the bound of docs/policy.md", LeakBound) },
    }),
    async () => leakJson(await service.leak()),
  );

  app.get(
    "/v1/policy",
    operation({
      route: "policy.read",
      name: "readPolicy",
      tag: "oversight",
      summary: "What the parties here sign licenses by.",
      answers: { 200: jsonAnswer("the policy as a document", Policy) },
    }),
    async () => policy,
  );

  app.get(
    "/v1/audit",
    operation({
      route: "audit.read",
      name: "readAudit",
      tag: "oversight",
      summary: "The audit trail, the newest first.",
      query: AuditQuery,
      answers: { 200: jsonAnswer("a page of entries", Audit) },
    }),
    async (request) => service.audit(request.query),
  );
}
