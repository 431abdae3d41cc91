/** Who may come in: tokens, signatures, roles, and how often. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../../host/auth/access.ts";
import { createClient } from "../../../host/auth/client.ts";
import { ROLES, type Role } from "../../../host/auth/principal.ts";
import { createToken } from "../../../host/auth/token.ts";
import { ed25519Signer } from "../../../host/protocol/cose.ts";
import { DIGEST_HEX, OBJECT, OBJECT_TEXT, UEID_HEX } from "./fake-service.ts";
import { type Asked, bytes, DAY_MS, json, makeRig, NO_RATES, NOW_MS, OLD_ID, type Rig, signed } from "./rig.ts";

const get = (url: string): Asked => ({ method: "GET", url });
const TERMS = { budget: { copy: "1" }, ticksMax: "1", windowSeconds: 1 };
const ENROLMENT = { endorsement: OBJECT_TEXT, certificate: OBJECT_TEXT };

const COMMITMENT = { hiding: "01".repeat(32), binding: "02".repeat(32) };
const SHARE_REQUEST = {
  group: "01".repeat(8),
  purpose: "license",
  evidence: OBJECT_TEXT,
  draft: OBJECT_TEXT,
  message: OBJECT_TEXT,
  commitments: [
    { holder: 1, ...COMMITMENT },
    { holder: 2, ...COMMITMENT },
  ],
};

/** One good request for each row of the table of access. */
const REQUESTS: Readonly<Record<keyof typeof ROUTES, Asked>> = {
  "health.live": get("/healthz"),
  "health.ready": get("/readyz"),
  "metrics.read": get("/metrics"),
  "openapi.read": get("/openapi.json"),
  "about.read": get("/v1"),
  "agreements.list": get("/v1/agreements"),
  "agreements.amend": bytes("/v1/agreements", "application/cose", OBJECT),
  "tokens.list": get("/v1/tokens"),
  "tokens.create": json("/v1/tokens", { name: "Bo", roles: ["auditor"], days: 1 }),
  "tokens.revoke": json(`/v1/tokens/${OLD_ID}`, { status: "revoked" }, "PATCH"),
  "clients.list": get("/v1/clients"),
  "clients.add": json("/v1/clients", { publicKey: "ab".repeat(32), name: "Bo", roles: ["agent"] }),
  "clients.revoke": json(`/v1/clients/${OLD_ID}`, { status: "revoked" }, "PATCH"),
  "nonces.create": json("/v1/nonces", { ueid: UEID_HEX }),
  "licenses.issue": bytes("/v1/licenses", "application/eat+cwt", OBJECT),
  "licenses.import": bytes("/v1/licenses/import", "application/cwt", OBJECT),
  "licenses.offline": json("/v1/licenses/offline", { ueids: [UEID_HEX], terms: TERMS }),
  "recoveries.issue": bytes("/v1/recoveries", "application/eat+cwt", OBJECT),
  "recoveries.import": bytes("/v1/recoveries/import", "application/cwt", OBJECT),
  "evidence.appraise": bytes("/v1/evidence", "application/eat+cwt", OBJECT),
  "verdicts.read": get(`/v1/verdicts/${DIGEST_HEX}`),
  "reports.upload": bytes("/v1/reports", "application/eat+cwt", OBJECT),
  "openings.list": get(`/v1/openings?ueid=${UEID_HEX}`),
  "openings.upload": bytes("/v1/openings", "application/vnd.quiesce.opening+cbor", OBJECT),
  "devices.enrol": json("/v1/devices", ENROLMENT),
  "devices.describe": json("/v1/devices", { ...ENROLMENT, owner: "Lab A" }),
  "devices.import": bytes("/v1/devices/import", "application/x-ndjson", JSON.stringify(ENROLMENT)),
  "devices.list": get("/v1/devices"),
  "devices.read": get(`/v1/devices/${UEID_HEX}`),
  "devices.books": get(`/v1/devices/${UEID_HEX}/books`),
  "devices.change": json(`/v1/devices/${UEID_HEX}`, { site: "hall 2" }, "PATCH"),
  "orders.list": get("/v1/orders"),
  "orders.read": get("/v1/orders/1"),
  "orders.propose": json("/v1/orders", { action: "pause" }),
  "orders.import": bytes("/v1/orders", "application/cose", OBJECT),
  "orders.delivery": get("/v1/orders/1/delivery"),
  "drafts.list": get("/v1/orders/drafts"),
  "drafts.read": get("/v1/orders/drafts/1"),
  "drafts.approve": json("/v1/orders/drafts/1/approvals", { party: "North" }),
  "log.heads": get("/v1/log/heads"),
  "log.offer-head": bytes("/v1/log/heads", "text/plain", Buffer.from("old 0")),
  "beacon.read": get("/v1/beacon"),
  "time-proofs.create": json("/v1/time-proofs", { nonce: DIGEST_HEX }),
  // A stream has no end to wait for: its row is judged by what a HEAD of it says.
  "events.subscribe": { method: "HEAD", url: "/v1/events" },
  "log.checkpoint": get("/log/checkpoint"),
  "log.tile": get("/log/tile/0/x001/234.p/5"),
  "log.read": get("/v1/log"),
  "log.prove": get(`/v1/log/proofs/${DIGEST_HEX}?from=7`),
  "usage.read": get("/v1/usage"),
  "leak-bound.read": get("/v1/leak-bound"),
  "frost.commit": json("/v1/frost/commitments", { group: "01".repeat(8) }),
  "frost.share": json("/v1/frost/shares", SHARE_REQUEST),
  "policy.read": get("/v1/policy"),
  "audit.read": get("/v1/audit"),
  "simulation.clock": json("/v1/simulation/clock", { nowMs: 1 }, "PUT"),
};

const rows = Object.entries(REQUESTS)
  .filter(([route]) => route !== "events.subscribe")
  .map(([route, asked]) => ({ route: route as keyof typeof ROUTES, asked }));

let rig: Rig;
const tokens = new Map<Role, { authorization: string }>();
beforeAll(async () => {
  rig = await makeRig();
  for (const role of ROLES) tokens.set(role, await rig.as(role));
});
afterAll(() => rig.app.close());

const plus = (asked: Asked, headers: Record<string, string>): Asked => ({
  ...asked,
  headers: { ...asked.headers, ...headers },
});
const isIn = (status: number) => status >= 200 && status < 300;

describe("the table of access", () => {
  it.each(rows)("$route: those who may, and nobody else", async ({ route, asked }) => {
    const access = ROUTES[route];
    const isOpen = typeof access === "string";
    const anonymous = await rig.ask(asked);
    // That only some are believed says a 403 of its own.
    const refusal = route === "devices.describe" ? 403 : 401;
    expect(anonymous.statusCode, anonymous.body).toBe(isOpen ? expectedOf(route) : refusal);
    for (const role of ROLES) {
      const answer = await rig.ask(plus(asked, tokens.get(role)!));
      const may = isOpen || (access as readonly Role[]).includes(role);
      expect(isIn(answer.statusCode), `${role}: ${answer.body}`).toBe(may);
      if (!may) expect(answer.statusCode).toBe(403);
    }
  });

  it("covers every route of the app", async () => {
    const { paths } = (await rig.ask(get("/openapi.json"))).json();
    const operations = Object.values(paths as Record<string, object>).flatMap((path) => Object.values(path));
    // Two rows are one operation with two kinds of body, and a third is what an enrolment says besides.
    expect(operations).toHaveLength(Object.keys(ROUTES).length - 2);
  });
});

function expectedOf(route: keyof typeof ROUTES): number {
  const asked = REQUESTS[route];
  if (asked.method !== "POST") return 200;
  if (["openings.upload", "licenses.import", "recoveries.import"].includes(route)) return 204;
  return ["reports.upload", "log.offer-head"].includes(route) ? 200 : 201;
}

describe("a token", () => {
  const ask = (token: string) => rig.ask(plus(get("/v1/devices"), { authorization: `Bearer ${token}` }));

  it("that has expired is refused, on public addresses too", async () => {
    const { token, record } = createToken({
      name: "Bo",
      roles: ["auditor"],
      expiresMs: NOW_MS,
      nowMs: NOW_MS - DAY_MS,
    });
    await rig.tokens.addToken(record);
    const answer = await ask(token);
    expect([answer.statusCode, answer.json().code]).toEqual([401, "auth/token-expired"]);
    expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
    const open = await rig.ask(plus(get("/v1/beacon"), { authorization: `Bearer ${token}` }));
    expect(open.statusCode).toBe(401);
  });

  it("that was revoked is refused from then on", async () => {
    const { token, record } = createToken({ name: "Bo", roles: ["auditor"], expiresMs: NOW_MS + 1, nowMs: NOW_MS });
    await rig.tokens.addToken(record);
    expect((await ask(token)).statusCode).toBe(200);
    await rig.tokens.revokeToken(record.id, NOW_MS);
    expect((await ask(token)).json().code).toBe("auth/token-revoked");
  });

  it("of another verifier is refused", async () => {
    const { token } = createToken({ name: "Bo", roles: ["auditor"], expiresMs: NOW_MS + 1, nowMs: NOW_MS });
    expect((await ask(token)).json().code).toBe("auth/token-unknown");
  });
});

describe("an admin", () => {
  const admin = () => tokens.get("admin")!;
  const asAdmin = (asked: Asked) => rig.ask(plus(asked, admin()));

  it("makes a token that lets its owner in, is shown once, and is revoked for good", async () => {
    const made = await asAdmin(json("/v1/tokens", { name: "Cy", roles: ["auditor"], days: 2 }));
    expect([made.statusCode, made.headers["cache-control"]]).toEqual([201, "no-store"]);
    const { token, id, ...rest } = made.json();
    expect(rest).toEqual({ name: "Cy", roles: ["auditor"], createdMs: NOW_MS, expiresMs: NOW_MS + 2 * DAY_MS });
    const cy = plus(get("/v1/devices"), { authorization: `Bearer ${token}` });
    expect((await rig.ask(cy)).statusCode).toBe(200);
    const list = await asAdmin(get("/v1/tokens"));
    expect(list.body).not.toContain(token);
    expect(list.json().tokens).toContainEqual({ id, ...rest });
    const revoked = await asAdmin(json(`/v1/tokens/${id}`, { status: "revoked" }, "PATCH"));
    expect(revoked.json()).toMatchObject({ id, revokedMs: NOW_MS });
    expect((await rig.ask(cy)).json().code).toBe("auth/token-revoked");
    expect(rig.service.trail.map(({ action, subject }) => [action, subject])).toEqual(
      expect.arrayContaining([
        ["tokens.create", `${id} Cy: auditor`],
        ["tokens.revoke", id],
      ]),
    );
    expect(JSON.stringify(rig.service.trail)).not.toContain(token);
  });

  it("lets a program in by its key, once, and out for good", async () => {
    const signer = ed25519Signer(new Uint8Array(32).fill(77));
    const publicKey = Buffer.from(signer.publicKey).toString("hex");
    const added = await asAdmin(json("/v1/clients", { publicKey, name: "agent 7", roles: ["agent"] }));
    expect(added.statusCode).toBe(201);
    const { kid } = added.json();
    expect((await rig.ask(await signed(get("/v1/devices"), signer))).statusCode).toBe(200);
    const again = await asAdmin(json("/v1/clients", { publicKey, name: "agent 8", roles: ["admin"] }));
    expect([again.statusCode, again.json().code]).toEqual([400, "auth/client-exists"]);
    await asAdmin(json(`/v1/clients/${kid}`, { status: "revoked" }, "PATCH"));
    expect((await rig.ask(await signed(get("/v1/devices"), signer))).json().code).toBe("auth/key-revoked");
  });

  // biome-ignore format: a table
  it.each<[string, Asked, number, string]>([
    ["a role that is none", json("/v1/tokens", { name: "Cy", roles: ["root"], days: 1 }), 400, "request/field"],
    ["a token without a role", json("/v1/tokens", { name: "Cy", roles: [], days: 1 }), 400, "request/field"],
    ["a token for ever", json("/v1/tokens", { name: "Cy", roles: ["auditor"], days: 367 }), 400, "request/field"],
    ["a name that a terminal acts on", json("/v1/tokens", { name: "C\u001b[2Jy", roles: ["auditor"], days: 1 }), 400, "auth/name"],
    ["a name of too many bytes", json("/v1/clients", { name: "é".repeat(40), roles: ["agent"], publicKey: "cd".repeat(32) }), 400, "auth/name"],
    ["a key that is too short", json("/v1/clients", { name: "a", roles: ["agent"], publicKey: "cd" }), 400, "request/field"],
    ["a token that is not there", json(`/v1/tokens/${"f".repeat(16)}`, { status: "revoked" }, "PATCH"), 404, "request/nothing-here"],
    ["a client that is not there", json(`/v1/clients/${"f".repeat(16)}`, { status: "revoked" }, "PATCH"), 404, "request/nothing-here"],
    ["a token that is to come back", json(`/v1/tokens/${OLD_ID}`, { status: "good" }, "PATCH"), 400, "request/field"],
  ])("is refused %s", async (_name, asked, status, code) => {
    const answer = await asAdmin(asked);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
  });
});

describe("a signed request", () => {
  it("lets a client in, with a body and without", async () => {
    const agent = await rig.client("agent", "peer");
    expect((await rig.ask(await signed(get("/v1/devices?limit=3"), agent))).statusCode).toBe(200);
    const enrolment = json("/v1/devices", { ...ENROLMENT, site: "hall 9" });
    expect((await rig.ask(await signed(enrolment, agent))).statusCode).toBe(201);
    expect((await rig.ask(await signed(bytes("/v1/orders", "application/cose", OBJECT), agent))).statusCode).toBe(200);
  });

  it("is taken once", async () => {
    const asked = await signed(json("/v1/devices", ENROLMENT), await rig.client("agent"));
    expect((await rig.ask(asked)).statusCode).toBe(201);
    const again = await rig.ask(asked);
    expect([again.statusCode, again.json().code]).toEqual([401, "auth/replayed"]);
  });

  it("with another body is refused, and does not reach the service", async () => {
    const agent = await rig.client("agent");
    const asked = await signed(json("/v1/devices", ENROLMENT), agent);
    rig.service.calls.length = 0;
    const answer = await rig.ask({ ...asked, body: JSON.stringify({ ...ENROLMENT, owner: "me" }) });
    expect([answer.statusCode, answer.json().code]).toEqual([401, "auth/digest"]);
    expect(rig.service.calls).toEqual([]);
  });

  it("for another address, another method or with another query is refused", async () => {
    const agent = await rig.client("agent", "registrar");
    const asked = await signed(get("/v1/devices?limit=3"), agent);
    for (const changed of [
      { ...asked, url: "/v1/devices?limit=4" },
      { ...asked, url: `/v1/devices/${UEID_HEX}` },
      { ...asked, method: "HEAD" },
    ]) {
      expect((await rig.ask(changed)).statusCode).toBe(401);
    }
  });

  it("for another verifier is refused", async () => {
    const asked = await signed(get("/v1/devices"), await rig.client("agent"));
    const answer = await rig.ask(plus(asked, { host: "other.example" }));
    expect([answer.statusCode, answer.json().code]).toEqual([401, "auth/authority"]);
  });

  it("that has expired, is of the future, or of nobody known is refused", async () => {
    const agent = await rig.client("agent");
    const codeAt = async (nowMs: number, signer = agent) =>
      (await rig.ask(await signed(get("/v1/devices"), signer, nowMs))).json().code;
    expect(await codeAt(NOW_MS - 61_000)).toBe("auth/expired");
    expect(await codeAt(NOW_MS + 60_000)).toBe("auth/not-yet-valid");
    expect(await codeAt(NOW_MS, ed25519Signer(new Uint8Array(32).fill(9)))).toBe("auth/key-unknown");
  });

  it("by a key that was revoked is refused", async () => {
    const signer = ed25519Signer(new Uint8Array(32).fill(8));
    const client = createClient({ publicKey: signer.publicKey, name: "old", roles: ["agent"], nowMs: NOW_MS });
    await rig.clients.addClient(client);
    await rig.clients.revokeClient(client.kid, NOW_MS);
    expect((await rig.ask(await signed(get("/v1/devices"), signer))).json().code).toBe("auth/key-revoked");
  });

  it("beside a token is refused", async () => {
    const asked = await signed(get("/v1/devices"), await rig.client("agent"));
    expect((await rig.ask(plus(asked, tokens.get("agent")!))).json().code).toBe("auth/ambiguous");
  });

  it("is not read beyond what the address takes", async () => {
    const asked = await signed(json("/v1/nonces", "x".repeat(70_000)), await rig.client("agent"));
    expect((await rig.ask(asked)).statusCode).toBe(413);
  });
});

describe("whoever asks too often", () => {
  const limit = (perSecond: number, burst: number) => ({ perSecond, burst });

  it("is told to wait, each by himself, and by his name once it is known", async () => {
    const limited = await makeRig({ rates: { ...NO_RATES, read: limit(1, 2) } });
    const agent = await limited.as("agent");
    const ask = (headers = {}) => limited.ask(plus(get("/v1"), headers));
    expect([(await ask()).statusCode, (await ask()).statusCode]).toEqual([200, 200]);
    const third = await ask();
    expect([third.statusCode, third.json().code, third.headers["retry-after"]]).toEqual([429, "request/rate", "1"]);
    expect((await ask(agent)).statusCode).toBe(200);
    await limited.app.close();
  });

  it("with credentials that do not hold hears nothing more of them", async () => {
    const limited = await makeRig({ rates: { ...NO_RATES, failures: limit(1, 3) } });
    const guess = () => limited.ask(plus(get("/v1"), { authorization: "Bearer guess" }));
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await guess()).statusCode);
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect((await limited.ask(get("/v1"))).statusCode).toBe(200);
    await limited.app.close();
  });

  it("is not known by what a stranger's X-Forwarded-For says", async () => {
    const limited = await makeRig({ rates: { ...NO_RATES, read: limit(1, 1) } });
    const ask = (from: string) => limited.ask(plus(get("/v1"), { "x-forwarded-for": from }));
    expect([(await ask("192.0.2.1")).statusCode, (await ask("192.0.2.2")).statusCode]).toEqual([200, 429]);
    await limited.app.close();
  });

  it("behind a proxy that is known is told apart", async () => {
    const limited = await makeRig({ proxies: ["127.0.0.1"], rates: { ...NO_RATES, read: limit(1, 1) } });
    const ask = (from: string) => limited.ask(plus(get("/v1"), { "x-forwarded-for": from }));
    expect([(await ask("192.0.2.1")).statusCode, (await ask("192.0.2.2")).statusCode]).toEqual([200, 200]);
    await limited.app.close();
  });

  it("may still be watched over: health and metrics have no limit", async () => {
    const limited = await makeRig({ rates: { ...NO_RATES, read: limit(1, 1) } });
    for (const url of ["/healthz", "/readyz", "/metrics", "/healthz", "/readyz", "/metrics"]) {
      expect((await limited.ask(get(url))).statusCode).toBe(200);
    }
    await limited.app.close();
  });
});
