/** Requests that are refused, each with its status and code; never a fault, never a stack. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { encodeLicenseRequest } from "../../../host/objects/license-request.ts";
import { encode } from "../../../host/protocol/cbor.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { DIGEST_HEX, DRAFT, OBJECT, OBJECT_TEXT, UEID_HEX } from "./fake-service.ts";
import { type Asked, bytes, json, makeRig, type Rig } from "./rig.ts";

const EAT = "application/eat+cwt";
const COSE = "application/cose";
const LICENSE_REQUEST = "application/vnd.quiesce.license-request+cbor";
const REPORTS = "application/vnd.quiesce.reports+cbor";
const OPENING = "application/vnd.quiesce.opening+cbor";
const SQL = "'; DROP TABLE devices; --";
const TERMS = { budget: { tensor_bf16: "1" }, ticksMax: "1", windowSeconds: 1 };
const LICENSE_TERMS = { budget: new Map([[EngineClass.TENSOR_BF16, 1n]]), ticksMax: 1n, windowSeconds: 1 };
const NONCE = new Uint8Array(32);
const POINTS = { hiding: "01".repeat(32), binding: "02".repeat(32) };
const SHARE = {
  group: "01".repeat(8),
  draft: OBJECT_TEXT,
  message: OBJECT_TEXT,
  commitments: [1, 2].map((holder) => ({ holder, ...POINTS })),
};
const ENROLMENT = { endorsement: OBJECT_TEXT, certificate: OBJECT_TEXT };

const get = (url: string): Asked => ({ method: "GET", url });
const without = (asked: Asked, header: string): Asked => ({
  ...asked,
  headers: Object.fromEntries(Object.entries(asked.headers ?? {}).filter(([name]) => name !== header)),
});
const plus = (asked: Asked, headers: Record<string, string>): Asked => ({
  ...asked,
  headers: { ...asked.headers, ...headers },
});

type Row = readonly [name: string, asked: Asked, status: number, code: string];

// biome-ignore format: a table
const PUBLIC: readonly Row[] = [
  ["an address that is not there", get("/v2"), 404, "request/nothing-here"],
  ["an address with a slash too many", get("/v1/beacon/"), 404, "request/nothing-here"],
  ["an address in other letters", get("/V1/beacon"), 404, "request/nothing-here"],
  ["an address that is not there, with a body", json("/nothing", {}), 404, "request/nothing-here"],
  ["an address that is not there, with a body that is no JSON", json("/nothing", "{"), 404, "request/nothing-here"],
  ["an address that climbs", get("/v1/../../etc/passwd"), 404, "request/nothing-here"],
  ["an address that climbs in percents", get("/v1/%2e%2e/%2e%2e/etc/passwd"), 404, "request/nothing-here"],
  ["an address that cannot be decoded", get("/v1/orders/%zz"), 400, "request/address"],
  ["an address with a very long part", get(`/v1/devices/${"a".repeat(200)}`), 400, "request/address"],
  ["a method that the address does not take", { method: "DELETE", url: "/v1/beacon" }, 405, "request/method"],
  ["TRACE", { method: "TRACE", url: "/v1/beacon" }, 405, "request/method"],
  ["HEAD of a stream", { method: "HEAD", url: "/v1/events" }, 405, "request/method"],
  ["GET where only POST is taken", get("/v1/nonces"), 405, "request/method"],

  ["evidence without a media type", without(bytes("/v1/licenses", EAT, OBJECT), "content-type"), 415, "request/media-type"],
  ["evidence as JSON", json("/v1/licenses", {}), 415, "request/media-type"],
  ["evidence as bytes of no type", bytes("/v1/licenses", "application/octet-stream", OBJECT), 415, "request/media-type"],
  ["evidence as COSE", bytes("/v1/licenses", COSE, OBJECT), 415, "request/media-type"],
  ["evidence as a form", bytes("/v1/licenses", "application/x-www-form-urlencoded", "a=b"), 415, "request/media-type"],
  ["a media type that is none", bytes("/v1/licenses", "nonsense", OBJECT), 415, "request/media-type"],
  ["a media type with another behind it", bytes("/v1/licenses", `text/plain, ${EAT}`, OBJECT), 415, "request/media-type"],
  ["a batch of reports where one is wanted", bytes("/v1/evidence", REPORTS, OBJECT), 415, "request/media-type"],
  ["a compressed body", plus(bytes("/v1/licenses", EAT, OBJECT), { "content-encoding": "gzip" }), 415, "request/encoding"],

  ["no body", bytes("/v1/licenses", EAT, ""), 400, "request/body-missing"],
  ["no body where JSON is wanted", json("/v1/nonces", ""), 400, "request/body-missing"],
  ["evidence that is too long", bytes("/v1/licenses", EAT, new Uint8Array(4097)), 413, "request/too-large"],
  ["a license request that is too long", bytes("/v1/licenses", LICENSE_REQUEST, new Uint8Array(20_000)), 413, "request/too-large"],
  ["evidence to judge that is too long", bytes("/v1/evidence", EAT, new Uint8Array(4097)), 413, "request/too-large"],
  ["a report that is too long", bytes("/v1/reports", EAT, new Uint8Array(4097)), 413, "request/too-large"],
  ["a batch that is too long", bytes("/v1/reports", REPORTS, new Uint8Array(3_000_000)), 413, "request/too-large"],
  ["an opening that is too long", bytes("/v1/openings", OPENING, new Uint8Array(5000)), 413, "request/too-large"],
  ["JSON that is too long", json("/v1/nonces", { ueid: "0".repeat(70_000) }), 413, "request/too-large"],

  ["JSON that does not end", json("/v1/nonces", `{"ueid": "${UEID_HEX}`), 400, "request/json"],
  ["JSON with a comma too many", json("/v1/nonces", `{"ueid": "${UEID_HEX}",}`), 400, "request/json"],
  ["two JSON documents", json("/v1/nonces", "{}{}"), 400, "request/json"],
  ["JSON that is not UTF-8", { ...json("/v1/nonces", ""), body: Uint8Array.of(0x22, 0xff, 0x22) }, 400, "request/json"],
  ["a __proto__", json("/v1/nonces", `{"ueid": "${UEID_HEX}", "__proto__": {"a": 1}}`), 400, "request/json"],
  ["a constructor with a prototype", json("/v1/nonces", '{"constructor": {"prototype": {"a": 1}}}'), 400, "request/json"],
  ["deep JSON", json("/v1/nonces", "[".repeat(30_000)), 400, "request/json"],
  ["a document that is a list", json("/v1/nonces", []), 400, "request/field"],
  ["a document that is null", json("/v1/nonces", "null"), 400, "request/field"],
  ["a document without a member", json("/v1/nonces", {}), 400, "request/field"],
  ["a member that is not known", json("/v1/nonces", { ueid: UEID_HEX, extra: 1 }), 400, "request/field"],
  ["a member of another type", json("/v1/nonces", { ueid: 5 }), 400, "request/field"],
  ["a UEID in capitals", json("/v1/nonces", { ueid: UEID_HEX.toUpperCase() }), 400, "request/field"],
  ["a UEID that is too short", json("/v1/nonces", { ueid: UEID_HEX.slice(2) }), 400, "request/field"],
  ["a UEID with a line end", json("/v1/nonces", { ueid: `${UEID_HEX}\n` }), 400, "request/field"],
  ["SQL for a UEID", json("/v1/nonces", { ueid: SQL }), 400, "request/field"],
  ["SQL for a nonce", json("/v1/time-proofs", { nonce: SQL }), 400, "request/field"],
  ["an endorsement with padding", json("/v1/devices", { ...ENROLMENT, endorsement: "0oRDoQEyoQ==" }), 400, "request/field"],
  ["an endorsement with idle bits", json("/v1/devices", { ...ENROLMENT, endorsement: "0oRDoQEyoQF" }), 400, "request/field"],
  ["an endorsement in plain base64", json("/v1/devices", { ...ENROLMENT, endorsement: "+/+/" }), 400, "request/field"],
  ["an endorsement of nothing", json("/v1/devices", { ...ENROLMENT, endorsement: "" }), 400, "request/field"],
  ["an endorsement that is SQL", json("/v1/devices", { ...ENROLMENT, endorsement: SQL }), 400, "request/field"],
  ["an owner from whoever comes", json("/v1/devices", { ...ENROLMENT, owner: "Lab A" }), 403, "request/owner"],

  ["an epoch that is no number", get("/v1/orders?after=x"), 400, "request/field"],
  ["an epoch with a sign", get("/v1/orders?after=-1"), 400, "request/field"],
  ["an epoch with a point", get("/v1/orders?after=1.0"), 400, "request/field"],
  ["an epoch with a zero before it", get("/v1/orders?after=01"), 400, "request/field"],
  ["an epoch that is too large", get("/v1/orders?after=4294967296"), 400, "request/field"],
  ["an epoch beyond what numbers hold", get(`/v1/orders?after=${"9".repeat(400)}`), 400, "request/field"],
  ["two epochs", get("/v1/orders?after=1&after=2"), 400, "request/field"],
  ["an empty epoch", get("/v1/orders?after="), 400, "request/field"],
  ["SQL for an epoch", get(`/v1/orders?after=${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["SQL for an epoch in the path", get(`/v1/orders/${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["a query that is not known", get("/v1/orders?epoch=1"), 400, "request/field"],
  ["a __proto__ in the query", get("/v1/orders?__proto__=1"), 400, "request/field"],
  ["an epoch without an order", get("/v1/orders/7"), 404, "request/nothing-here"],
  ["the order before the first", get("/v1/orders/0"), 404, "request/nothing-here"],
  ["openings without a UEID", get("/v1/openings"), 400, "request/field"],

  ["a license request that is empty", bytes("/v1/licenses", LICENSE_REQUEST, encode(new Map())), 400, "request/cbor"],
  ["a license request that is a list", bytes("/v1/licenses", LICENSE_REQUEST, encode([1])), 400, "request/cbor"],
  ["a license request of another member", bytes("/v1/licenses", LICENSE_REQUEST, encode(new Map([[1, OBJECT], [9, OBJECT]]))), 400, "request/cbor"],
  ["terms for a recovery", bytes("/v1/recoveries", LICENSE_REQUEST, encode(new Map<number, Uint8Array | Map<number, unknown>>([[1, OBJECT], [2, new Map<number, unknown>([[1, new Map([[2, new Uint8Array(16).fill(1)]])], [2, 1], [3, 1]])]]) as never)), 400, "request/cbor"],
  ["terms for evidence that is only judged", bytes("/v1/evidence", LICENSE_REQUEST, encodeLicenseRequest({ evidence: OBJECT, terms: LICENSE_TERMS })), 400, "request/cbor"],
  ["a draft beside evidence that is only judged", bytes("/v1/evidence", LICENSE_REQUEST, encodeLicenseRequest({ evidence: OBJECT, draft: OBJECT })), 400, "request/cbor"],
  ["a nonce twice beside evidence", bytes("/v1/evidence", LICENSE_REQUEST, encode(new Map<number, Uint8Array | Uint8Array[]>([[1, OBJECT], [4, [NONCE, NONCE]]]))), 400, "request/cbor"],
  ["a batch without reports", bytes("/v1/reports", REPORTS, encode([])), 400, "request/cbor"],
  ["a batch of 257 reports", bytes("/v1/reports", REPORTS, encode(Array.from({ length: 257 }, () => [OBJECT, null]))), 400, "request/cbor"],
  ["a batch that is cut short", bytes("/v1/reports", REPORTS, encode([[OBJECT, null]]).slice(0, -1)), 400, "request/cbor"],
  ["a batch with a byte too many", bytes("/v1/reports", REPORTS, Buffer.concat([encode([[OBJECT, null]]), Buffer.of(0)])), 400, "request/cbor"],

  ["the registry without credentials", get("/v1/devices"), 401, "auth/needed"],
  ["a change without credentials", json(`/v1/devices/${UEID_HEX}`, { site: "x" }, "PATCH"), 401, "auth/needed"],
  ["a change without credentials, whatever the body", json("/v1/orders", "{"), 401, "auth/needed"],
  ["a token where none is needed, that is none", plus(get("/v1/beacon"), { authorization: "Bearer abc" }), 401, "auth/token-malformed"],
  ["a password", plus(get("/v1/beacon"), { authorization: "Basic YTpi" }), 401, "auth/authorization"],
  ["half a signature", plus(get("/v1/beacon"), { signature: "a=:AA==:" }), 401, "auth/signature-missing"],
];

// biome-ignore format: a table
const WITH_ALL_ROLES: readonly Row[] = [
  ["a device that is not enrolled", get(`/v1/devices/01${"00".repeat(32)}`), 404, "device/unknown"],
  ["a UEID in the path that is none", get("/v1/devices/xyz"), 400, "request/field"],
  ["SQL for a UEID in the path", get(`/v1/devices/${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["SQL for a digest", get(`/v1/verdicts/${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["a digest that is too long", get(`/v1/verdicts/${DIGEST_HEX}00`), 400, "request/field"],
  ["SQL for a status", get(`/v1/devices?status=${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["SQL for a cursor", get(`/v1/devices?cursor=${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["SQL for a limit", get(`/v1/audit?limit=${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["SQL for what is added up", get(`/v1/usage?by=${encodeURIComponent(SQL)}`), 400, "request/field"],
  ["a page of nothing", get("/v1/devices?limit=0"), 400, "request/field"],
  ["a page that is too long", get("/v1/devices?limit=1001"), 400, "request/field"],
  ["an owner with a line end", get("/v1/devices?owner=a%0ab"), 400, "request/field"],
  ["an owner that is too long", get(`/v1/devices?owner=${"a".repeat(129)}`), 400, "request/field"],
  ["a change of nothing", json(`/v1/devices/${UEID_HEX}`, {}, "PATCH"), 400, "request/field"],
  ["a change of what is not to be changed", json(`/v1/devices/${UEID_HEX}`, { model: "x" }, "PATCH"), 400, "request/field"],
  ["a status that is none", json(`/v1/devices/${UEID_HEX}`, { status: "on" }, "PATCH"), 400, "request/field"],
  ["an order without an action", json("/v1/orders", {}), 400, "request/field"],
  ["an action that is none", json("/v1/orders", { action: "stop" }), 400, "request/field"],
  ["a rate of 1,000 thousandths", json("/v1/orders", { action: "slow", permille: 1000 }), 400, "request/field"],
  ["a scope of nobody", json("/v1/orders", { action: "pause", scope: [] }), 400, "request/field"],
  ["a scope that names a device twice", json("/v1/orders", { action: "pause", scope: [UEID_HEX, UEID_HEX] }), 400, "request/field"],
  ["a scope of too many", json("/v1/orders", { action: "pause", scope: Array.from({ length: 33 }, (_, i) => `01${i.toString(16).padStart(64, "0")}`) }), 400, "request/field"],
  ["an amount in another form", json("/v1/orders", { action: "pause", drain: { copy: "0x10" } }), 400, "request/field"],
  ["an amount as a number", json("/v1/orders", { action: "pause", drain: { copy: 5 } }), 400, "request/field"],
  ["an amount over 128 bits", json("/v1/orders", { action: "pause", drain: { copy: "9".repeat(39) } }), 400, "request/field"],
  ["a class that is none", json("/v1/orders", { action: "pause", drain: { tensor: "5" } }), 400, "request/field"],
  ["ticks over 64 bits", json("/v1/orders", { action: "pause", drainTicks: "99999999999999999999" }), 400, "request/field"],
  ["a time with a point", json("/v1/orders", { action: "pause", notBeforeSeconds: 1.5 }), 400, "request/field"],
  ["an order in CBOR of no type", bytes("/v1/orders", EAT, OBJECT), 415, "request/media-type"],
  ["a draft that is not there", get(`/v1/orders/drafts/${DRAFT.id + 1}`), 404, "order/unknown"],
  ["a draft with a negative number", get("/v1/orders/drafts/-1"), 400, "request/field"],
  ["an approval by nobody", json("/v1/orders/drafts/1/approvals", { party: "" }), 400, "request/field"],
  ["a share of an order by evidence", json("/v1/frost/shares", { ...SHARE, purpose: "order", evidence: OBJECT_TEXT }), 400, "request/field"],
  ["a share of a license without evidence", json("/v1/frost/shares", { ...SHARE, purpose: "license" }), 400, "request/field"],
  ["a share of something else", json("/v1/frost/shares", { ...SHARE, purpose: "agreement" }), 400, "request/field"],
  ["an offline license for nobody", json("/v1/licenses/offline", { ueids: [], terms: TERMS }), 400, "request/field"],
  ["an offline license without terms", json("/v1/licenses/offline", { ueids: [UEID_HEX] }), 400, "request/field"],
  ["an offline license for no time", json("/v1/licenses/offline", { ueids: [UEID_HEX], terms: { ...TERMS, windowSeconds: 0 } }), 400, "request/field"],
  ["a draft of a license that is no base64url", json("/v1/licenses/offline", { ueids: [UEID_HEX], terms: TERMS, draft: "+" }), 400, "request/field"],
  ["an import of nothing but lines", bytes("/v1/devices/import", "application/x-ndjson", "\n\n"), 400, "request/body-missing"],
  ["an import that is not UTF-8", bytes("/v1/devices/import", "application/x-ndjson", Uint8Array.of(0xff)), 400, "request/json"],
  ["an import of too many lines", bytes("/v1/devices/import", "application/x-ndjson", "{}\n".repeat(10_001)), 413, "request/too-large"],
  ["an import that is too long", bytes("/v1/devices/import", "application/x-ndjson", " ".repeat(100_001)), 413, "request/too-large"],
  ["an import as JSON", json("/v1/devices/import", []), 415, "request/media-type"],
  ["a clock that stands at a text", json("/v1/simulation/clock", { nowMs: "now" }, "PUT"), 400, "request/field"],
];

let rig: Rig;
let everyone: { authorization: string };
beforeAll(async () => {
  rig = await makeRig();
  everyone = await rig.as("admin", "approver", "registrar", "auditor", "agent", "peer");
});
afterAll(() => rig.app.close());

async function expectRefusal(asked: Asked, status: number, code: string) {
  const answer = await rig.ask(asked);
  expect(answer.statusCode, answer.body).toBe(status);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.headers["cache-control"]).toBe("no-store");
  if (asked.method === "HEAD") return;
  const problem = answer.json();
  expect(problem).toMatchObject({ status, code, type: `urn:x-quiesce:problem:${code}` });
  expect(problem.requestId).toBe(answer.headers["x-request-id"]);
  expect(problem.detail.length).toBeLessThan(400);
  expect(answer.body).not.toMatch(/\bat \S+ \(|node_modules|\.ts:\d/);
}

describe("a request is refused with its status and code", () => {
  it.each(PUBLIC)("%s", (_name, asked, status, code) => expectRefusal(asked, status, code));
});

describe("a request of someone who may do everything is refused with its status and code", () => {
  it.each(WITH_ALL_ROLES)("%s", (_name, asked, status, code) => expectRefusal(plus(asked, everyone), status, code));
});

describe.runIf(sharedIsHere)("malformed CBOR", () => {
  const vectors = sharedIsHere
    ? sharedJson<{ hex: string; comment: string }[]>("vectors/cbor/qcbor_not_well_formed_a.json")
    : [];

  it("of every vector is refused by name, wherever CBOR is taken apart", async () => {
    expect(vectors.length).toBeGreaterThan(50);
    for (const { hex, comment } of vectors) {
      const body = Buffer.from(hex, "hex");
      if (body.length === 0) continue;
      for (const [url, type] of [
        ["/v1/licenses", LICENSE_REQUEST],
        ["/v1/recoveries", LICENSE_REQUEST],
        ["/v1/reports", REPORTS],
      ] as const) {
        const answer = await rig.ask(bytes(url, type, body));
        expect(answer.statusCode, comment).toBe(400);
        expect(answer.json(), comment).toMatchObject({ code: "request/cbor", refusal: expect.stringMatching(/^0x02/) });
      }
    }
  });
});

describe("an address that is known", () => {
  it("says with a 405 what it takes", async () => {
    const answer = await rig.ask({ method: "DELETE", url: `/v1/devices/${UEID_HEX}` });
    expect(answer.headers.allow).toBe("GET, HEAD, OPTIONS, PATCH");
  });

  it("answers OPTIONS with what it takes, and nothing else", async () => {
    const answer = await rig.ask({ method: "OPTIONS", url: "/v1/licenses" });
    expect([answer.statusCode, answer.headers.allow, answer.body]).toEqual([204, "OPTIONS, POST", ""]);
  });

  it("answers HEAD as GET, without the body", async () => {
    const [head, get] = await Promise.all(["HEAD", "GET"].map((method) => rig.ask({ method, url: "/v1/beacon" })));
    expect(head!.body).toBe("");
    for (const name of ["content-type", "content-length", "etag", "cache-control"]) {
      expect(head!.headers[name]).toBe(get!.headers[name]);
    }
  });
});

describe("whoever is refused", () => {
  it("with a 401 is told how to come in", async () => {
    expect((await rig.ask(get("/v1/devices"))).headers["www-authenticate"]).toBe('Bearer realm="quiesce"');
  });

  it("for a media type is told which would do", async () => {
    expect((await rig.ask(json("/v1/licenses", {}))).json().detail).toContain(`${EAT} or ${LICENSE_REQUEST}`);
  });

  it("for a field is told which one", async () => {
    expect((await rig.ask(json("/v1/nonces", { ueid: UEID_HEX, extra: 1 }))).json().detail).toContain("extra");
    expect((await rig.ask(json("/v1/nonces", { ueid: "zz" }))).json().detail).toContain("body/ueid");
  });

  it("never hears a control character of his own", async () => {
    const { body } = await rig.ask(json("/v1/nonces", '{"\\u001b[2J\\n": 1}'));
    expect(body).not.toMatch(/\\u001b|\\n/);
  });
});
