/** The document says what the app does: every address, every answer, and nothing that is not there. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES, type RouteId } from "../../../host/auth/access.ts";
import { ROLES } from "../../../host/auth/principal.ts";
import { UEID_HEX } from "./fake-service.ts";
import { json, makeRig, OLD_ID, type Rig } from "./rig.ts";

type Answer = { description: string; content?: Record<string, object>; headers?: Record<string, object> };
type Operation = {
  operationId: string;
  summary: string;
  tags: string[];
  security: Record<string, string[]>[];
  requestBody?: { content: Record<string, object> };
  parameters?: { in: string; name: string }[];
  responses: Record<string, Answer>;
  "x-route": RouteId;
  "x-access": string | string[];
};
type Document = { openapi: string; paths: Record<string, Record<string, Operation>>; components: object };

let rig: Rig;
let document: Document;
beforeAll(async () => {
  rig = await makeRig();
  document = (await rig.ask({ method: "GET", url: "/openapi.json" })).json();
});
afterAll(() => rig.app.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Asks each operation for nothing, to see that there is one. */
const addressOf = (path: string) => path.replace(/\{[\w*]+\}/g, "1");

describe("the OpenAPI document", () => {
  it("is one of version 3.1", async () => {
    expect(document.openapi).toBe("3.1.0");
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it("has every address that the app answers, and no other", async () => {
    const known = rig.app.printRoutes({ commonPrefix: false });
    for (const { path, method } of operations()) {
      expect(
        rig.app.hasRoute({
          method: method.toUpperCase() as "GET",
          url: path.replace(/\{(\w+)\}/g, ":$1").replace("{*}", "*"),
        }),
      ).toBe(true);
    }
    // Of the app's own list each line with methods is an address; HEAD goes with GET.
    const methods = [...known.matchAll(/\(([A-Z, ]+)\)/g)].flatMap(([, names]) => names!.split(", "));
    expect(methods.filter((method) => method !== "HEAD")).toHaveLength(operations().length);
  });

  it("names each operation once, with its summary, and under a tag that is explained", () => {
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { operation, path } of operations()) {
      expect(operation.summary, path).toMatch(/\.$/);
      expect(operation.tags, path).toHaveLength(1);
    }
  });

  it("says of each operation who may", () => {
    for (const { operation, path } of operations()) {
      expect(operation["x-access"], path).toEqual(ROUTES[operation["x-route"]]);
      const isOpen = typeof operation["x-access"] === "string";
      expect(
        operation.security.some((one) => Object.keys(one).length === 0),
        path,
      ).toBe(isOpen);
      expect("403" in operation.responses || isOpen, path).toBe(true);
    }
  });

  it("has the refusals of each operation, each a problem document", () => {
    for (const { operation, path, method } of operations()) {
      const statuses = Object.keys(operation.responses);
      expect(statuses, `${method} ${path}`).toEqual(expect.arrayContaining(["401", "429", "500", "503"]));
      if (operation.requestBody) expect(statuses).toEqual(expect.arrayContaining(["400", "413", "415"]));
      if (path.includes("{") || operation.parameters?.some(({ in: where }) => where === "query")) {
        expect(statuses).toContain("400");
      }
      for (const [status, answer] of Object.entries(operation.responses)) {
        expect(answer.description.length, `${method} ${path} ${status}`).toBeGreaterThan(3);
        if (Number(status) >= 400) expect(Object.keys(answer.content!)).toEqual(["application/problem+json"]);
      }
    }
  });

  it("has the media types that each operation takes", () => {
    for (const path of ["/v1/licenses", "/v1/recoveries", "/v1/evidence"]) {
      expect(Object.keys(document.paths[path]!.post!.requestBody!.content), path).toEqual([
        "application/eat+cwt",
        "application/vnd.quiesce.license-request+cbor",
      ]);
    }
    expect(Object.keys(document.paths["/v1/orders"]!.post!.requestBody!.content)).toEqual([
      "application/json",
      "application/cose",
    ]);
  });

  it("gives a whole example of every document in JSON that is sent, and the app takes it", async () => {
    const { authorization } = await rig.as(...ROLES);
    for (const { operation, path, method } of operations()) {
      const content = operation.requestBody?.content["application/json"] as { example?: unknown } | undefined;
      if (!content) continue;
      expect(content.example, path).toBeDefined();
      const url = path
        .replace("{ueid}", UEID_HEX)
        .replace("{kid}", OLD_ID)
        .replace("{id}", path.includes("tokens") ? OLD_ID : "1");
      const asked = json(url, content.example, method.toUpperCase());
      const answer = await rig.ask({ ...asked, headers: { ...asked.headers, authorization } });
      expect(answer.statusCode, answer.body).toBeLessThan(300);
    }
  });

  it("leads nowhere that is not in it", () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!);
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const found = reference
        .replace(/^#\//, "")
        .split("/")
        .reduce((value: unknown, name) => (value as Record<string, unknown> | undefined)?.[name], document);
      expect(found, reference).toBeDefined();
    }
  });

  it("is the same each time, for one version", async () => {
    const again = await makeRig();
    expect((await again.ask({ method: "GET", url: "/openapi.json" })).json()).toEqual(document);
    await again.app.close();
  });

  it("has an address for everything that is said of it: a GET of each path is not a 404 by address", async () => {
    for (const { path } of operations()) {
      const answer = await rig.ask({ method: "DELETE", url: addressOf(path) });
      expect(answer.statusCode, path).toBe(405);
    }
  });
});
