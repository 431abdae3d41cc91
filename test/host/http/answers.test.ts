/** What the service is asked, and what goes out of its answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { KeyError } from "../../../host/keys/errors.ts";
import { encodeLicenseRequest } from "../../../host/objects/license-request.ts";
import { encodeReportBatch } from "../../../host/objects/report-batch.ts";
import type { LicenseCall, SignedAnswer } from "../../../host/service/service.ts";
import { StoreError } from "../../../host/store/errors.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import { DEVICE, DIGEST, DIGEST_HEX, DRAFT, OBJECT, OBJECT_TEXT, UEID, UEID_HEX } from "./fake-service.ts";
import { bytes, json, makeRig, NOW_MS, type Rig } from "./rig.ts";

const EAT = "application/eat+cwt";
const LICENSE_REQUEST = "application/vnd.quiesce.license-request+cbor";

let rig: Rig;
let everyone: { authorization: string };
let signedAnswer: SignedAnswer;
let failure: Error | undefined;
let clockMs = 0;
beforeAll(async () => {
  const sign = async () => {
    if (failure) throw failure;
    return signedAnswer;
  };
  const setClock = (nowMs: number) => {
    clockMs = nowMs;
  };
  rig = await makeRig({ setClock, overrides: { license: sign, recovery: sign, offlineLicense: sign } });
  everyone = await rig.as("admin", "approver", "registrar", "auditor", "agent", "peer");
});
beforeEach(() => {
  signedAnswer = { complete: true, bytes: OBJECT, repeated: false };
  failure = undefined;
  rig.service.calls.length = 0;
  rig.service.trail.length = 0;
});
afterAll(() => rig.app.close());

const asked = () => rig.service.calls.filter(({ name }) => name !== "record");

describe("a license", () => {
  it("is asked for with evidence alone, and comes as it was signed", async () => {
    const answer = await rig.ask(bytes("/v1/licenses", EAT, OBJECT));
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([201, "application/cwt"]);
    expect(new Uint8Array(answer.rawPayload)).toEqual(OBJECT);
    expect(asked()).toMatchObject([{ name: "license", args: [{ evidence: Buffer.from(OBJECT) }] }]);
  });

  it("is a 200 when it was given before", async () => {
    signedAnswer = { complete: true, bytes: OBJECT, repeated: true };
    expect((await rig.ask(bytes("/v1/licenses", EAT, OBJECT))).statusCode).toBe(200);
  });

  it("may be asked for with parameters of the media type, which EATs have", async () => {
    const type = 'Application/EAT+CWT; eat_profile="urn:example"';
    expect((await rig.ask(bytes("/v1/licenses", type, OBJECT))).statusCode).toBe(201);
  });

  it("takes terms, draft and nonces of a request", async () => {
    const call: LicenseCall = {
      evidence: OBJECT,
      terms: { budget: new Map([[EngineClass.TENSOR_BF16, 2n ** 100n]]), ticksMax: 7n, windowSeconds: 60 },
      draft: DIGEST,
      nonces: [DIGEST],
    };
    const answer = await rig.ask(bytes("/v1/licenses", LICENSE_REQUEST, encodeLicenseRequest(call)));
    expect(answer.statusCode).toBe(201);
    expect(asked()[0]!.args).toEqual([call]);
  });

  it("that wants more signatures is a 409 with the draft and how many", async () => {
    signedAnswer = { complete: false, draft: OBJECT, have: 1, need: 2 };
    for (const url of ["/v1/licenses", "/v1/recoveries"]) {
      const answer = await rig.ask(bytes(url, EAT, OBJECT));
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toMatchObject({ code: "quorum/incomplete", draft: OBJECT_TEXT, have: 1, need: 2 });
    }
  });

  it("offline is asked for in JSON, with amounts that no number holds", async () => {
    const terms = {
      budget: { tensor_bf16: (2n ** 128n - 1n).toString(), copy: "0" },
      rate: { copy: "5" },
      drain: {},
      ticksMax: (2n ** 64n - 1n).toString(),
      windowSeconds: 60,
    };
    const document = { ueids: [UEID_HEX], terms, notBeforeSeconds: 5, draft: OBJECT_TEXT };
    const answer = await rig.ask({ ...json("/v1/licenses/offline", document), headers: jsonAs(everyone) });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([201, "application/cwt"]);
    expect(asked()[0]!.args).toEqual([
      {
        ueids: [UEID],
        terms: {
          budget: new Map([
            [EngineClass.TENSOR_BF16, 2n ** 128n - 1n],
            [EngineClass.COPY, 0n],
          ]),
          rate: new Map([[EngineClass.COPY, 5n]]),
          drain: new Map(),
          ticksMax: 2n ** 64n - 1n,
          windowSeconds: 60,
        },
        notBeforeSeconds: 5,
        draft: OBJECT,
      },
    ]);
  });
});

function jsonAs(who: { authorization: string }) {
  return { "content-type": "application/json", ...who };
}

// biome-ignore format: a table
const FAILURES: readonly (readonly [string, () => Error, number, string])[] = [
  ["malformed evidence", () => new VerifierError("evidence/malformed", "cut short"), 400, "evidence/malformed"],
  ["a forged signature", () => new VerifierError("evidence/signature"), 422, "evidence/signature"],
  ["a nonce that expired", () => new VerifierError("evidence/nonce-expired"), 403, "evidence/nonce-expired"],
  ["a device that is not known", () => new VerifierError("device/unknown"), 404, "device/unknown"],
  ["a store that is busy", () => new StoreError("store/busy"), 503, "store/busy"],
  ["a connection lost while committing", () => new StoreError("store/commit-unknown"), 503, "store/commit-unknown"],
  ["a disk that is full", () => new StoreError("store/full", "/secret/place"), 503, "server/unavailable"],
  ["a signer that does not answer", () => new KeyError("keys/signer-timeout", "key 01"), 503, "server/signer"],
  ["a row that contradicts another", () => new StoreError("store/constraint", "select secret"), 500, "server/internal"],
  ["a key that cannot be opened", () => new KeyError("keys/corrupt", "/secret/place"), 500, "server/internal"],
  ["a fault", () => new TypeError("undefined is not a function of /secret/place"), 500, "server/internal"],
  ["what is not even an error", () => "secret" as unknown as Error, 500, "server/internal"],
];

describe("what the service throws", () => {
  it.each(FAILURES)(
    "%s is told with its status and code, and without what is ours to know",
    async (_, make, status, code) => {
      failure = make();
      const answer = await rig.ask(bytes("/v1/licenses", EAT, OBJECT));
      expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
      expect(answer.body).not.toContain("secret");
      expect(answer.json().requestId).toMatch(/^[A-Za-z0-9._~-]{8,64}$/);
    },
  );

  it("that is a fault stands in the log, under the id that the answer names", async () => {
    failure = new TypeError("x is undefined");
    rig.log.length = 0;
    const { requestId } = (await rig.ask(bytes("/v1/licenses", EAT, OBJECT))).json();
    const fault = rig.log.map((line) => JSON.parse(line)).find(({ level }) => level === 50);
    expect(fault).toMatchObject({ requestId, err: { type: "TypeError", message: "x is undefined" } });
    expect(fault.err.stack).toContain("answers.test.ts");
  });

  it("that passes says when to come again", async () => {
    failure = new StoreError("store/busy");
    expect((await rig.ask(bytes("/v1/licenses", EAT, OBJECT))).headers["retry-after"]).toBe("1");
  });
});

describe("reports", () => {
  it("come many at once, with intervals or without, and each has its outcome", async () => {
    const items = [{ report: OBJECT }, { report: DIGEST, intervals: new Uint8Array(0) }];
    const answer = await rig.ask(
      bytes("/v1/reports", "application/vnd.quiesce.reports+cbor", encodeReportBatch(items)),
    );
    expect(answer.json()).toEqual({
      results: [
        { status: "taken", sequence: "0" },
        { status: "taken", sequence: "1" },
      ],
    });
    expect(asked()[0]!.args).toEqual([[{ report: OBJECT, intervals: undefined }, items[1]]]);
  });

  it("come one by one too", async () => {
    await rig.ask(bytes("/v1/reports", EAT, OBJECT));
    expect(asked()[0]!.args).toEqual([[{ report: Buffer.from(OBJECT) }]]);
  });

  it("that are refused have code and message, in an answer that is a 200", async () => {
    const refused = await makeRig({
      overrides: { reports: async () => [{ status: "refused", code: "report/gap", message: "reports are missing" }] },
    });
    const answer = await refused.ask(bytes("/v1/reports", EAT, OBJECT));
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { results: [{ status: "refused", code: "report/gap", message: "reports are missing" }] },
    ]);
    await refused.app.close();
  });
});

describe("a device", () => {
  const enrolment = { endorsement: OBJECT_TEXT, certificate: OBJECT_TEXT };

  it("that is new is a 201 with its place", async () => {
    const answer = await rig.ask(json("/v1/devices", enrolment));
    expect([answer.statusCode, answer.headers.location]).toEqual([201, `/v1/devices/${UEID_HEX}`]);
    expect(answer.json()).toEqual({
      ueid: UEID_HEX,
      owner: "Lab A",
      site: "hall 1",
      model: "Example 1",
      status: "active",
      enrolledMs: DEVICE.enrolledMs,
      seenMs: 0,
      epoch: 0,
      reportSequence: "9223372036854775808",
      licenseSequence: "0",
      licensedUntilSeconds: 0,
    });
    expect(asked()[0]!.args).toEqual([OBJECT, OBJECT, undefined]);
  });

  it("that was known is a 200", async () => {
    const again = await makeRig({ overrides: { enrol: async () => ({ ...DEVICE, isNew: false }) } });
    expect((await again.ask(json("/v1/devices", enrolment))).statusCode).toBe(200);
    await again.app.close();
  });

  it("is somebody's by the word of an agent", async () => {
    const headers = jsonAs(await rig.as("agent"));
    await rig.ask({ ...json("/v1/devices", { ...enrolment, owner: "Lab B" }), headers });
    expect(asked()[0]!.args).toEqual([OBJECT, OBJECT, { owner: "Lab B" }]);
  });

  it("is found page by page", async () => {
    const answer = await rig.ask({ method: "GET", url: "/v1/devices?owner=Lab%20A&limit=5", headers: everyone });
    expect(answer.json()).toMatchObject({ items: [{ ueid: UEID_HEX }], cursor: "next" });
    expect(asked()[0]!.args).toEqual([{ owner: "Lab A", limit: 5 }]);
  });

  it("has books with amounts that no number holds", async () => {
    const answer = await rig.ask({ method: "GET", url: `/v1/devices/${UEID_HEX}/books`, headers: everyone });
    expect(answer.json()).toEqual({
      books: [{ engineClass: "tensor_bf16", licensed: (2n ** 100n).toString(), reported: "7" }],
    });
  });

  it("is enrolled with others in lines, each of which has its outcome", async () => {
    const lines = [JSON.stringify(enrolment), "", "{", JSON.stringify({ ...enrolment, owner: 5 })].join("\n");
    const headers = { "content-type": "application/x-ndjson", ...everyone };
    const answer = await rig.ask({ ...bytes("/v1/devices/import", "", lines), headers });
    expect(answer.json()).toMatchObject({
      results: [
        { line: 1, status: "enrolled", ueid: UEID_HEX },
        { line: 3, status: "refused", code: "request/json" },
        { line: 4, status: "refused", code: "request/field" },
      ],
    });
  });
});

describe("an order", () => {
  it("is proposed in JSON, and is a draft with a place", async () => {
    const document = { action: "slow", permille: 500, scope: [UEID_HEX], drain: { copy: "9" }, drainTicks: "8" };
    const answer = await rig.ask({ ...json("/v1/orders", document), headers: jsonAs(everyone) });
    expect([answer.statusCode, answer.headers.location]).toEqual([201, "/v1/orders/drafts/1"]);
    expect(answer.json()).toEqual({
      id: 1,
      epoch: 2,
      action: "resume",
      quorum: 2,
      approvals: ["North"],
      awaiting: [],
      active: false,
      bytes: OBJECT_TEXT,
    });
    expect(asked()).toEqual([
      {
        name: "proposeOrder",
        args: [
          {
            action: OrderAction.SLOW,
            permille: 500,
            scope: [UEID],
            drain: new Map([[EngineClass.COPY, 9n]]),
            drainTicks: 8n,
          },
        ],
      },
    ]);
  });

  it("of another verifier is taken as it is", async () => {
    const headers = { "content-type": "application/cose", ...everyone };
    const answer = await rig.ask({ ...bytes("/v1/orders", "", OBJECT), headers });
    expect([answer.statusCode, answer.json().id]).toEqual([200, DRAFT.id]);
    expect(asked()).toMatchObject([{ name: "importOrder", args: [Buffer.from(OBJECT)] }]);
  });

  it("is approved by a party", async () => {
    const answer = await rig.ask({
      ...json("/v1/orders/drafts/1/approvals", { party: "South" }),
      headers: jsonAs(everyone),
    });
    expect(answer.json()).toMatchObject({ active: true, approvals: ["North", "South"] });
    expect(asked()).toEqual([{ name: "approveOrder", args: [1, "South"] }]);
  });

  it("is listed with its digest and bytes, and read by its epoch", async () => {
    const list = await rig.ask({ method: "GET", url: "/v1/orders" });
    expect(list.json()).toEqual({
      orders: [{ epoch: 1, action: "pause", notBeforeSeconds: 1_790_000_000, digest: DIGEST_HEX, bytes: OBJECT_TEXT }],
    });
    const one = await rig.ask({ method: "GET", url: "/v1/orders/1" });
    expect(one.headers["content-type"]).toBe("application/cose");
    expect(new Uint8Array(one.rawPayload)).toEqual(OBJECT);
  });

  it("has a delivery that names who lacks it", async () => {
    const answer = await rig.ask({ method: "GET", url: "/v1/orders/1/delivery", headers: everyone });
    expect(answer.json()).toEqual({ epoch: 1, delivered: 1, missing: 1, behind: [UEID_HEX] });
  });
});

describe("caches", () => {
  // biome-ignore format: a table
  it.each([
    ["/v1/beacon", "public, max-age=5"],
    ["/v1/orders", "public, max-age=1"],
    ["/v1/orders/1", "public, max-age=31536000, immutable"],
    ["/v1/agreements", "public, max-age=5"],
    ["/openapi.json", "public, max-age=300"],
  ])("may keep %s, and ask with its tag whether it is the newest", async (url, cacheControl) => {
    const first = await rig.ask({ method: "GET", url });
    expect(first.headers["cache-control"]).toBe(cacheControl);
    const etag = String(first.headers.etag);
    for (const held of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await rig.ask({ method: "GET", url, headers: { "if-none-match": held } });
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, "", etag]);
    }
    const stale = await rig.ask({ method: "GET", url, headers: { "if-none-match": '"other"' } });
    expect([stale.statusCode, stale.body]).toEqual([200, first.body]);
  });

  it("keep nothing of what is somebody's", async () => {
    const answer = await rig.ask({ method: "GET", url: "/v1/devices", headers: everyone });
    expect(answer.headers["cache-control"]).toBe("no-store");
  });
});

describe("the audit trail", () => {
  it("has who changed what, and what was refused, by name and credential", async () => {
    await rig.ask({ ...json(`/v1/devices/${UEID_HEX}`, { site: "hall 2" }, "PATCH"), headers: jsonAs(everyone) });
    const other = "01".repeat(33);
    await rig.ask({ ...json(`/v1/devices/${other}`, { site: "hall 2" }, "PATCH"), headers: jsonAs(everyone) });
    const actor = expect.stringMatching(/^Ada \([0-9a-f]{16}\)$/);
    expect(rig.service.trail).toEqual([
      { actor, action: "devices.change", subject: UEID_HEX, outcome: "ok" },
      { actor, action: "devices.change", subject: other, outcome: "device/unknown" },
    ]);
  });

  it("has attempts of people whose role does not do, and nothing of strangers", async () => {
    await rig.ask({ ...json("/v1/orders", { action: "pause" }), headers: jsonAs(await rig.as("auditor")) });
    await rig.ask(json("/v1/orders", { action: "pause" }));
    expect(rig.service.trail).toMatchObject([{ action: "orders.propose", outcome: "auth/role" }]);
  });

  it("that cannot be written does not undo what was done, and is seen in the log", async () => {
    const failing = await makeRig({
      overrides: {
        record: async () => {
          throw new StoreError("store/full");
        },
      },
    });
    const headers = jsonAs(await failing.as("approver"));
    expect((await failing.ask({ ...json("/v1/orders", { action: "pause" }), headers })).statusCode).toBe(201);
    expect(failing.log.join("")).toContain("the audit trail could not be written");
    await failing.app.close();
  });
});

describe("other answers", () => {
  it("a nonce", async () => {
    const answer = await rig.ask(json("/v1/nonces", { ueid: UEID_HEX }));
    expect([answer.statusCode, answer.json()]).toEqual([201, { nonce: "0f".repeat(32), expiresMs: 1_790_000_060_000 }]);
    expect(asked()).toEqual([{ name: "nonce", args: [UEID] }]);
  });

  it("a time proof", async () => {
    const answer = await rig.ask(json("/v1/time-proofs", { nonce: DIGEST_HEX }));
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([201, "application/cose"]);
    expect(asked()).toEqual([{ name: "timeProof", args: [DIGEST] }]);
  });

  it("a verdict", async () => {
    const answer = await rig.ask({ method: "GET", url: `/v1/verdicts/${DIGEST_HEX}`, headers: everyone });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, EAT]);
    expect(asked()).toEqual([{ name: "verdict", args: [DIGEST] }]);
  });

  it("the digest of evidence that closes the books", async () => {
    const answer = await rig.ask(bytes("/v1/evidence", EAT, OBJECT));
    expect([answer.statusCode, answer.json()]).toEqual([201, { digest: DIGEST_HEX }]);
  });

  it("the digest of evidence that several verifiers judge, each by its nonce in the list", async () => {
    const request = encodeLicenseRequest({ evidence: OBJECT, nonces: [DIGEST] });
    const answer = await rig.ask(bytes("/v1/evidence", LICENSE_REQUEST, request));
    expect([answer.statusCode, answer.json()]).toEqual([201, { digest: DIGEST_HEX }]);
    expect(asked()).toEqual([{ name: "appraise", args: [OBJECT, [DIGEST]] }]);
  });

  it("openings that are wanted, and one that is taken", async () => {
    const wanted = await rig.ask({ method: "GET", url: `/v1/openings?ueid=${UEID_HEX}` });
    expect(wanted.json()).toEqual({ openings: [{ ueid: UEID_HEX, reportSequence: "9", index: 2 }] });
    const taken = await rig.ask(bytes("/v1/openings", "application/vnd.quiesce.opening+cbor", OBJECT));
    expect([taken.statusCode, taken.body]).toEqual([204, ""]);
  });

  it("the leak bound", async () => {
    const answer = await rig.ask({ method: "GET", url: "/v1/leak-bound", headers: everyone });
    expect(answer.json()).toEqual({
      policy: "none",
      devices: 1,
      groups: [{ model: "Example 1", devices: 1, accelerator: "h100" }],
      bound: { workByClass: { tensor_bf16: "5" }, operations: "5", seconds: 300.5 },
    });
  });

  it("usage by what is asked, by default over the fleet", async () => {
    await rig.ask({ method: "GET", url: "/v1/usage?by=site", headers: everyone });
    await rig.ask({ method: "GET", url: "/v1/usage", headers: everyone });
    expect(asked().map(({ args }) => args)).toEqual([["site"], ["fleet"]]);
  });

  it("the policy as it is configured", async () => {
    const answer = await rig.ask({ method: "GET", url: "/v1/policy", headers: everyone });
    expect(answer.json()).toEqual({ format: "quiesce-policy/1", name: "none", counting: "native" });
  });

  it("agreements, and the version of one that is put in force", async () => {
    const list = await rig.ask({ method: "GET", url: "/v1/agreements?after=2" });
    expect(list.json()).toEqual({ agreements: [OBJECT_TEXT] });
    const headers = { "content-type": "application/cose", ...everyone };
    expect((await rig.ask({ ...bytes("/v1/agreements", "", OBJECT), headers })).json()).toEqual({ version: 4 });
  });

  it("a simulated clock is set by an admin", async () => {
    const answer = await rig.ask({
      ...json("/v1/simulation/clock", { nowMs: NOW_MS }, "PUT"),
      headers: jsonAs(everyone),
    });
    expect([answer.statusCode, clockMs]).toEqual([204, NOW_MS]);
  });

  it("there is no clock to be set where it is not simulated", async () => {
    const real = await makeRig({ setClock: undefined as never });
    const answer = await real.ask({
      ...json("/v1/simulation/clock", { nowMs: NOW_MS }, "PUT"),
      headers: jsonAs(await real.as("admin")),
    });
    expect(answer.statusCode).toBe(404);
    await real.app.close();
  });

  it("a request's own id, if it is harmless, and a new one else", async () => {
    const ask = async (id: string) =>
      (await rig.ask({ method: "GET", url: "/v1", headers: { "x-request-id": id } })).headers;
    expect((await ask("job-17.retry~2"))["x-request-id"]).toBe("job-17.retry~2");
    for (const id of ["short", "with space", 'quote"quote', "a".repeat(65), "söme-thing"]) {
      expect((await ask(id))["x-request-id"]).not.toBe(id);
    }
  });
});

describe("readiness", () => {
  it("is a 503 while the store does not answer, and while the service is being stopped", async () => {
    const health = await makeRig({ overrides: { ready: async () => false } });
    expect((await health.ask({ method: "GET", url: "/readyz" })).statusCode).toBe(503);
    expect((await health.ask({ method: "GET", url: "/healthz" })).statusCode).toBe(200);
    await health.app.close();
    const stopping = await makeRig();
    expect((await stopping.ask({ method: "GET", url: "/readyz" })).statusCode).toBe(200);
    stopping.lifecycle.isClosing = true;
    const answer = await stopping.ask({ method: "GET", url: "/readyz" });
    expect([answer.statusCode, answer.headers.connection]).toEqual([503, "close"]);
    await stopping.app.close();
  });
});
