/**
 * Requests made from the OpenAPI document, good ones and others: whatever is asked, the answer is one that the document
 * has for it, and never a fault.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLES } from "../../../host/auth/principal.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { ServiceWorld } from "../service/world.ts";
import { type Asked, makeRig, type Rig } from "./rig.ts";
import { arbitraryOf, misfit, type Schema, type Schemas } from "./schema-arbitrary.ts";

type Media = Readonly<Record<string, { schema?: Schema }>>;
type Operation = {
  parameters?: { name: string; in: string; schema: Schema; required: boolean }[];
  requestBody?: { content: Media };
  responses: Record<string, { content?: Media }>;
};
type Case = { path: string; method: string; operation: Operation };

/** Each operation so often, with good requests and with others. */
const RUNS = 25;

const probe = await makeRig();
const document = (await probe.ask({ method: "GET", url: "/openapi.json" })).json();
await probe.app.close();
const schemas: Schemas = document.components.schemas;
const cases: Case[] = Object.entries(document.paths as Record<string, Record<string, Operation>>)
  // A stream has no end: events.test.ts listens to it.
  .filter(([path]) => path !== "/v1/events")
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );

/** A service that says yes, and a real one with a device, over SQLite: most of what it is asked, it refuses. */
const BEHIND = ["a service that grants everything", "a real verifier"] as const;
const rigs = new Map<(typeof BEHIND)[number], { rig: Rig; everyone: { authorization: string } }>();
let world: ServiceWorld;
const folder = mkdtempSync(join(tmpdir(), "quiesce-generated-"));
beforeAll(async () => {
  world = await ServiceWorld.open({ folder });
  await world.enrolled();
  for (const behind of BEHIND) {
    const rig = await makeRig(behind === "a real verifier" ? { behind: world.service } : {});
    rigs.set(behind, { rig, everyone: await rig.as(...ROLES) });
  }
});
afterAll(async () => {
  for (const { rig } of rigs.values()) await rig.app.close();
  await world.close();
  rmSync(folder, { recursive: true });
});

const isJson = (type: string) => type === "application/json";
const bytes = fc.uint8Array({ maxLength: 300 });

/** Texts that break what is put together from them. */
const hostile = fc.oneof(
  fc.constantFrom(
    "'; DROP TABLE devices; --",
    "../..",
    "%00",
    "\u0000",
    "null",
    "-1",
    "1e9",
    "NaN",
    "{}",
    "[]",
    "\u202e",
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);

function requestOf({ path, method, operation }: Case, isGood: boolean): fc.Arbitrary<Asked> {
  const parameters = operation.parameters ?? [];
  const value = (schema: Schema) => {
    const good = arbitraryOf(schema, schemas).map(String);
    return isGood ? good : fc.oneof({ weight: 2, arbitrary: good }, { weight: 1, arbitrary: hostile });
  };
  const inPath = fc.record(Object.fromEntries(only("path").map(({ name, schema }) => [name, value(schema)])));
  const query = fc.record(Object.fromEntries(only("query").map(({ name, schema }) => [name, value(schema)])), {
    requiredKeys: isGood ? only("query").flatMap(({ name, required }) => (required ? [name] : [])) : [],
  });
  const stray = isGood ? fc.constant({}) : fc.dictionary(hostile, hostile, { maxKeys: 1 });
  return fc.tuple(inPath, query, stray, bodyOf(operation, isGood)).map(([names, asked, more, body]) => {
    const address = path.replace(/\{(\w+)\}/g, (_, name) => segment(names[name]!));
    const search = new URLSearchParams({ ...asked, ...more } as Record<string, string>).toString();
    return { method, url: search === "" ? address : `${address}?${search}`, ...body };
  });

  function only(where: string) {
    return parameters.filter((parameter) => parameter.in === where);
  }
}

/** One segment of a path, that is neither empty nor a way up, nor another address. */
function segment(text: string): string {
  const isOther = text === "" || /^\.+$/.test(text) || text === "drafts" || text === "import" || text === "offline";
  return encodeURIComponent(isOther ? `_${text}` : text.toWellFormed());
}

function bodyOf({ requestBody }: Operation, isGood: boolean): fc.Arbitrary<Pick<Asked, "headers" | "body">> {
  if (!requestBody) return fc.constant({});
  const good = fc.oneof(
    ...Object.entries(requestBody.content).map(([type, { schema }]) => {
      const body: fc.Arbitrary<string | Uint8Array> = isJson(type)
        ? arbitraryOf(schema!, schemas).map((value) => JSON.stringify(value))
        : fc.uint8Array({ minLength: 1, maxLength: 300 });
      return body.map((made) => ({ headers: { "content-type": type }, body: made }));
    }),
  );
  if (isGood) return good;
  const types = [...Object.keys(requestBody.content), "text/plain", "application/json", "application/cbor", "x"];
  const spoiled = fc.tuple(fc.constantFrom(...types), fc.oneof(bytes, fc.json(), hostile)).map(([type, body]) => ({
    headers: { "content-type": type },
    body,
  }));
  return fc.oneof(spoiled, fc.tuple(good, fc.nat(), fc.jsonValue()).map(mutated));
}

/** A good body with one thing wrong: cut short, a member missing, one of another kind, or one too many. */
function mutated([asked, choice, value]: [Pick<Asked, "headers" | "body">, number, unknown]): Pick<
  Asked,
  "headers" | "body"
> {
  const { body } = asked;
  if (typeof body !== "string")
    return { ...asked, body: (body ?? new Uint8Array()).map((byte, i) => (i === choice % 8 ? byte ^ 0x80 : byte)) };
  if (choice % 4 === 0) return { ...asked, body: body.slice(0, -1 - (choice % body.length)) };
  const document = JSON.parse(body) as Record<string, unknown>;
  const names = Object.keys(document);
  const name = names[choice % Math.max(1, names.length)] ?? "x";
  if (choice % 4 === 1) delete document[name];
  else if (choice % 4 === 2) document[name] = value;
  else return { ...asked, body: `{"__proto__": ${JSON.stringify(value)}, ${body.slice(1)}` };
  return { ...asked, body: JSON.stringify(document) };
}

async function expectDocumented({ operation }: Case, asked: Asked, behind: (typeof BEHIND)[number]): Promise<number> {
  const { rig, everyone } = rigs.get(behind)!;
  const answer = await rig.ask({ ...asked, headers: { ...asked.headers, ...everyone } });
  const { statusCode } = answer;
  const shown = `${asked.method} ${asked.url} ${String(asked.body)}: ${statusCode} ${answer.body}`;
  expect(statusCode, shown).toBeLessThan(500);
  const documented = operation.responses[statusCode];
  expect(documented, shown).toBeDefined();
  expect(answer.body).not.toMatch(/\bat \S+ \(|node_modules|\.ts:\d/);
  if (answer.body === "") return statusCode;
  const type = String(answer.headers["content-type"]).split(";")[0]!;
  const media = documented!.content?.[type];
  expect(media, `${shown}, which is ${type}`).toBeDefined();
  if (type.endsWith("json")) expect(misfit(media!.schema!, answer.json(), schemas), shown).toBeUndefined();
  return statusCode;
}

describe.each(BEHIND.flatMap((behind) => cases.map((one) => ({ behind, one, ...one }))))(
  "$method $path before $behind",
  ({ behind, one }) => {
    it("answers good requests as the document says, and lets them in", async () => {
      await fc.assert(
        fc.asyncProperty(requestOf(one, true), async (asked) => {
          const status = await expectDocumented(one, asked, behind);
          expect([401, 405, 413, 415]).not.toContain(status);
        }),
        { numRuns: RUNS },
      );
    });

    it("answers all others as the document says, and never with a fault", async () => {
      await fc.assert(
        fc.asyncProperty(requestOf(one, false), async (asked) => {
          await expectDocumented(one, asked, behind);
        }),
        { numRuns: RUNS },
      );
    });
  },
);

describe.runIf(sharedIsHere)("malformed CBOR", () => {
  const vectors = sharedIsHere
    ? sharedJson<{ hex: string }[]>("vectors/cbor/qcbor_not_well_formed_a.json").map(({ hex }) =>
        Buffer.from(hex, "hex"),
      )
    : [];
  const binary = cases.flatMap((one) =>
    Object.keys(one.operation.requestBody?.content ?? {})
      .filter((type) => /cwt|cose|cbor/.test(type))
      .map((type) => ({ one, type, ...one })),
  );

  it.each(binary)(
    "of every vector is refused at $path as $type by a real verifier",
    async ({ one, type, path, method }) => {
      for (const body of vectors.filter(({ length }) => length > 0)) {
        const asked = { method, url: path, headers: { "content-type": type }, body };
        const status = await expectDocumented(one, asked, "a real verifier");
        // A report has its own outcome in an answer that is one for all.
        expect(status).toBe(path === "/v1/reports" && type === "application/eat+cwt" ? 200 : 400);
      }
    },
  );
});

describe("the check of answers", () => {
  it("finds an answer that is not as documented", () => {
    const schema: Schema = {
      type: "object",
      properties: { a: { type: "integer", minimum: 0 } },
      required: ["a"],
      additionalProperties: false,
    };
    expect(misfit(schema, { a: 1 }, {})).toBeUndefined();
    for (const value of [{}, { a: -1 }, { a: "1" }, { a: 1.5 }, { a: 1, b: 2 }, [], null]) {
      expect(misfit(schema, value, {})).toBeDefined();
    }
  });
});
