/** The log tells who asked what and what came of it, and never what was secret in it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serviceLogger } from "../../../host/http/logging.ts";
import type { LogLevel } from "../../../host/log-levels.ts";
import { OBJECT, UEID_HEX } from "./fake-service.ts";
import { type Asked, bytes, json, makeRig, type Rig, signed } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
beforeEach(() => {
  rig.log.length = 0;
});
afterAll(() => rig.app.close());

const lines = () => rig.log.map((line) => JSON.parse(line) as Record<string, unknown>);

describe("a line of the log", () => {
  it("has id, route, status, time, who asked, and the code of a refusal", async () => {
    const headers = await rig.as("auditor");
    await rig.ask({ method: "GET", url: `/v1/devices/01${"00".repeat(32)}`, headers });
    expect(lines()).toEqual([
      {
        level: 30,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        service: "quiesce-verifier",
        requestId: expect.stringMatching(/^[A-Za-z0-9._~-]{8,64}$/),
        method: "GET",
        route: "/v1/devices/:ueid",
        status: 404,
        durationMs: expect.any(Number),
        principal: "Ada",
        code: "device/unknown",
        msg: "request",
      },
    ]);
  });

  // biome-ignore format: a table
  it.each<[string, Asked, number]>([
    ["a license is one of many: debug", bytes("/v1/licenses", "application/eat+cwt", OBJECT), 20],
    ["a read is one of many: debug", { method: "GET", url: "/v1/beacon" }, 20],
    ["a proposal of an order is not: info", json("/v1/orders", { action: "pause" }), 30],
    ["a refusal is not: info", json("/v1/nonces", {}), 30],
  ])("%s", async (_name, asked, level) => {
    await rig.ask({ ...asked, headers: { ...asked.headers, ...(await rig.as("approver")) } });
    expect(lines().map((line) => line.level)).toEqual([level]);
  });

  it.each<[LogLevel, number]>([
    ["debug", 1],
    ["info", 0],
    ["silent", 0],
  ])("of a read is written at level %s: %i", async (level, count) => {
    const written: string[] = [];
    const quiet = await makeRig({ logger: serviceLogger(level, { write: (line: string) => written.push(line) }) });
    await quiet.ask({ method: "GET", url: "/v1/beacon" });
    expect(written).toHaveLength(count);
    await quiet.app.close();
  });
});

describe("what is secret", () => {
  const MARK = "s3cr3t-mark";

  it("is in no line, whatever is asked and however it ends", async () => {
    const [token, agent] = [await rig.token("auditor", "registrar"), await rig.client("agent")];
    const bearer = { authorization: `Bearer ${token}` };
    const good = await signed(json("/v1/nonces", { ueid: UEID_HEX }), agent);
    const asked: Asked[] = [
      { method: "GET", url: "/v1/devices", headers: bearer },
      { method: "GET", url: `/v1/devices?owner=${MARK}`, headers: bearer },
      { method: "GET", url: `/v1/devices?${MARK}=1`, headers: bearer },
      { method: "GET", url: `/${MARK}`, headers: { ...bearer, cookie: MARK } },
      { method: "GET", url: "/v1", headers: { authorization: `Bearer ${token}x` } },
      { method: "GET", url: "/v1", headers: { authorization: `Basic ${MARK}` } },
      good,
      good,
      { ...good, body: MARK },
      json("/v1/nonces", `{"ueid": "${MARK}`),
      json("/v1/nonces", { ueid: MARK }),
      bytes("/v1/licenses", "application/eat+cwt", MARK),
      bytes("/v1/licenses", "application/vnd.quiesce.license-request+cbor", MARK),
      bytes("/v1/devices/import", "application/x-ndjson", `{"endorsement": "${MARK}"}`),
    ];
    for (const one of asked) await rig.ask(one);
    const text = rig.log.join("");
    expect(rig.log.length).toBeGreaterThanOrEqual(asked.length);
    for (const secret of [token, token.slice(4), MARK, good.headers!.signature!, good.headers!["signature-input"]!]) {
      expect(text).not.toContain(secret);
    }
  });

  it("is taken out of requests that someone would log whole", () => {
    const written: string[] = [];
    const logger = serviceLogger("info", { write: (line: string) => written.push(line) });
    const headers = { authorization: MARK, signature: MARK, "signature-input": MARK, cookie: MARK, host: "kept" };
    logger.info({ req: { headers, body: MARK }, headers, token: MARK, passphrase: MARK }, "by mistake");
    expect(written.join("")).not.toContain(MARK);
    expect(written.join("")).toContain("kept");
  });

  it("is taken out of errors: a line has what points into the sources, and no member that holds what was asked", () => {
    const written: string[] = [];
    const logger = serviceLogger("info", { write: (line: string) => written.push(line) });
    logger.error({ err: Object.assign(new Error("it failed"), { body: MARK, parameters: [MARK], code: "E1" }) });
    expect(written.join("")).not.toContain(MARK);
    expect(JSON.parse(written[0]!).err).toMatchObject({ type: "Error", message: "it failed", code: "E1" });
  });
});
