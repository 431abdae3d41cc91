import { describe, expect, it } from "vitest";
import { authorize, isAllowed, ROUTES, type RouteId } from "../../../host/auth/access.ts";
import { ANONYMOUS, type Principal, ROLES, type Role } from "../../../host/auth/principal.ts";
import { codeOf } from "./site.ts";

const withRoles = (...roles: Role[]): Principal => ({ kind: "person", name: "Ada", roles });
const routes = Object.keys(ROUTES) as RouteId[];
const closed = routes.filter((route) => typeof ROUTES[route] !== "string");

/** The routes with a role of their own that this principal may use. */
const reach = (principal: Principal) => closed.filter((route) => isAllowed(principal, route));

describe("access", () => {
  it("is open to anyone where a device, a governor or the public asks, and nowhere else", () => {
    expect(routes.filter((route) => !closed.includes(route))).toEqual([
      ...["health.live", "health.ready", "metrics.read", "openapi.read", "about.read"],
      ...[
        "agreements.list",
        "nonces.create",
        "licenses.issue",
        "licenses.import",
        "recoveries.issue",
        "recoveries.import",
        "evidence.appraise",
      ],
      ...["reports.upload", "openings.list", "openings.upload", "devices.enrol"],
      ...["orders.list", "orders.read", "beacon.read", "time-proofs.create", "events.subscribe"],
      ...["log.checkpoint", "log.tile", "log.heads", "log.offer-head"],
    ]);
    expect(reach(ANONYMOUS)).toEqual([]);
  });

  it.each<[Role, string[]]>([
    [
      "admin",
      [
        ...["agreements.amend", "tokens.list", "tokens.create", "tokens.revoke"],
        ...["clients.list", "clients.add", "clients.revoke", "simulation.clock"],
      ],
    ],
    [
      "approver",
      ["licenses.offline", "orders.propose", "orders.import", "drafts.list", "drafts.read", "drafts.approve"],
    ],
    ["registrar", ["devices.describe", "devices.import", "devices.change"]],
    [
      "auditor",
      [
        ...["verdicts.read", "devices.list", "devices.read", "devices.books", "orders.delivery"],
        ...[
          "drafts.list",
          "drafts.read",
          "log.read",
          "log.prove",
          "usage.read",
          "leak-bound.read",
          "policy.read",
          "audit.read",
        ],
      ],
    ],
    [
      "agent",
      ["verdicts.read", "devices.describe", "devices.list", "devices.read", "devices.books", "log.read", "log.prove"],
    ],
    ["peer", ["frost.commit", "frost.share", "orders.propose", "orders.import"]],
  ])("of %s is this and no more", (role, expected) => {
    expect(reach(withRoles(role))).toEqual(expected);
  });

  it("of several roles is what each of them has", () => {
    const both = new Set([...reach(withRoles("admin")), ...reach(withRoles("registrar"))]);
    expect(new Set(reach(withRoles("admin", "registrar")))).toEqual(both);
  });

  it("leaves no route that nobody can use", () => {
    expect(reach(withRoles(...ROLES))).toEqual(closed);
  });

  it("is asked to say who, or refused for what they are", async () => {
    expect(await codeOf(() => authorize(ANONYMOUS, "audit.read"))).toBe("auth/needed");
    const device: Principal = { kind: "device", name: "device", roles: [] };
    for (const principal of [withRoles("admin"), device]) {
      expect(await codeOf(() => authorize(principal, "audit.read"))).toBe("auth/role");
    }
    expect(await codeOf(() => authorize(withRoles("auditor"), "audit.read"))).toBeUndefined();
    expect(await codeOf(() => authorize(ANONYMOUS, "beacon.read"))).toBeUndefined();
  });

  it("is never given by a route that has no row", () => {
    for (const route of ["orders.delete", "constructor", "__proto__", ""]) {
      expect(() => authorize(withRoles(...ROLES), route as RouteId)).toThrow(RangeError);
    }
  });
});
