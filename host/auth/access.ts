/** Who may do what: one row a route, as data; docs/auth.md shows it. */
import { AuthError } from "./errors.ts";
import type { Principal, Role } from "./principal.ts";

/**
 * `public`: anyone. `evidence`: anyone who brings it; a device's evidence, report or endorsement is signed in itself,
 * and the verifier judges it. Else one of these roles; none implies another.
 */
export type Access = "public" | "evidence" | readonly Role[];

// biome-ignore format: a table, one row a route
export const ROUTES = {
  "health.live": "public",
  "health.ready": "public",
  "metrics.read": "public",
  "openapi.read": "public",
  "about.read": "public",

  "agreements.list": "public",
  "agreements.amend": ["admin"],

  "tokens.list": ["admin"],
  "tokens.create": ["admin"],
  "tokens.revoke": ["admin"],
  "clients.list": ["admin"],
  "clients.add": ["admin"],
  "clients.revoke": ["admin"],

  "nonces.create": "public",
  "licenses.issue": "evidence",
  "licenses.offline": ["approver"],
  "licenses.import": "evidence",
  "recoveries.issue": "evidence",
  "recoveries.import": "evidence",
  "evidence.appraise": "evidence",
  "verdicts.read": ["auditor", "agent"],

  "frost.commit": ["peer"],
  "frost.share": ["peer"],

  "reports.upload": "evidence",
  "openings.list": "public",
  "openings.upload": "evidence",

  "devices.enrol": "evidence",
  "devices.describe": ["registrar", "agent"],
  "devices.import": ["registrar"],
  "devices.list": ["auditor", "agent"],
  "devices.read": ["auditor", "agent"],
  "devices.books": ["auditor", "agent"],
  "devices.change": ["registrar"],

  "orders.list": "public",
  "orders.read": "public",
  "orders.propose": ["approver", "peer"],
  "orders.import": ["approver", "peer"],
  "orders.delivery": ["auditor"],
  "drafts.list": ["approver", "auditor"],
  "drafts.read": ["approver", "auditor"],
  "drafts.approve": ["approver"],

  "beacon.read": "public",
  "time-proofs.create": "public",
  "events.subscribe": "public",

  "log.checkpoint": "public",
  "log.tile": "public",
  "log.read": ["auditor", "agent"],
  "log.prove": ["auditor", "agent"],
  "log.heads": "public",
  "log.offer-head": "evidence",

  "usage.read": ["auditor"],
  "leak-bound.read": ["auditor"],
  "policy.read": ["auditor"],
  "audit.read": ["auditor"],

  "simulation.clock": ["admin"],
} as const satisfies Record<string, Access>;

export type RouteId = keyof typeof ROUTES;

const ACCESS: ReadonlyMap<string, Access> = new Map<string, Access>(Object.entries(ROUTES));

/** @throws RangeError for a route that has no row: a fault of the program, and nobody gets in by it. */
export function isAllowed(principal: Principal, routeId: RouteId): boolean {
  const access = ACCESS.get(routeId);
  if (access === undefined) throw new RangeError(`no route has the id ${routeId}`);
  return typeof access === "string" || principal.roles.some((role) => access.includes(role));
}

/** Returns if the principal may. */
export function authorize(principal: Principal, routeId: RouteId): void {
  if (isAllowed(principal, routeId)) return;
  throw new AuthError(principal.kind === "anonymous" ? "auth/needed" : "auth/role", routeId);
}
