/** The log over HTTP: static resources as C2SP tlog-tiles has them, which caches may keep, and proofs for agents. */
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { decodeBundle } from "../../../host/log/tiles.ts";
import type { VerifierService } from "../../../host/service/service.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import { CHECKPOINT, DIGEST, DIGEST_HEX, LOG, OBJECT } from "./fake-service.ts";
import { makeRig, type Rig } from "./rig.ts";

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.app.close();
  rig = undefined;
});

const FOREVER = "public, max-age=31536000, immutable";

async function ask(url: string, headers: Record<string, string> = {}, overrides: Partial<VerifierService> = {}) {
  rig ??= await makeRig({ overrides });
  return rig.ask({ method: "GET", url, headers });
}

const asked = () => rig!.service.calls.filter(({ name }) => /^log[A-Z]/.test(name));

describe("GET /log/checkpoint", () => {
  it("is the signed note, kept for no longer than a few seconds", async () => {
    const answer = await ask("/log/checkpoint");
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(answer.headers["cache-control"]).toBe("public, max-age=2");
    expect(answer.body).toBe(CHECKPOINT);
    const again = await ask("/log/checkpoint", { "if-none-match": String(answer.headers.etag) });
    expect([again.statusCode, again.body]).toEqual([304, ""]);
  });

  it("is refused while there is none, and says when to ask again", async () => {
    const logCheckpoint = async () => {
      throw new VerifierError("log/unpublished");
    };
    const answer = await ask("/log/checkpoint", {}, { logCheckpoint });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.json()).toMatchObject({ code: "log/unpublished", class: "unavailable" });
  });
});

describe("GET /log/tile", () => {
  it.each([
    ["0/000", { level: 0, index: 0, width: 256 }],
    ["0/000.p/5", { level: 0, index: 0, width: 5 }],
    ["2/x001/x234/067", { level: 2, index: 1_234_067, width: 256 }],
    ["63/x001/234.p/255", { level: 63, index: 1234, width: 255 }],
  ])("%s is a tile that never changes", async (path, tile) => {
    const answer = await ask(`/log/tile/${path}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/octet-stream");
    expect(answer.headers["cache-control"]).toBe(FOREVER);
    expect(answer.rawPayload).toHaveLength(32 * tile.width);
    expect(asked()).toEqual([{ name: "logTile", args: [tile] }]);
    const again = await ask(`/log/tile/${path}`, { "if-none-match": String(answer.headers.etag) });
    expect(again.statusCode).toBe(304);
  });

  it("entries are a bundle, compressed for those who take that", async () => {
    const plain = await ask("/log/tile/entries/x001/000.p/3");
    expect(plain.headers["cache-control"]).toBe(FOREVER);
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(decodeBundle(new Uint8Array(plain.rawPayload))).toEqual([OBJECT, OBJECT, OBJECT]);
    expect(asked()).toEqual([{ name: "logEntries", args: [{ index: 1000, width: 3 }] }]);
    const packed = await ask("/log/tile/entries/x001/000.p/3", { "accept-encoding": "br, gzip" });
    expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(gunzipSync(packed.rawPayload)).toEqual(plain.rawPayload);
    expect(packed.headers.etag).not.toBe(plain.headers.etag);
    const refused = await ask("/log/tile/entries/x001/000.p/3", { "accept-encoding": "gzip;q=0" });
    expect(refused.headers["content-encoding"]).toBeUndefined();
  });

  it.each([
    "0/0",
    "00/000",
    "64/000",
    "0/000.p/0",
    "0/000.p/256",
    "0/000.p/05",
    "0/x000/001",
    "0/x001",
    "0/1000",
    "0/-01",
    "entries",
    "entries/000/",
    "entries/../checkpoint",
    "0/%30%30%30.p/1/",
    "",
  ])("%j is no address of the log", async (path) => {
    const answer = await ask(`/log/tile/${path}`);
    expect(answer.statusCode).toBe(404);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(asked()).toEqual([]);
  });

  it("is not there before a head covers it", async () => {
    const logTile = async () => {
      throw new VerifierError("log/tile-unknown");
    };
    const answer = await ask("/log/tile/0/000.p/200", {}, { logTile });
    expect([answer.statusCode, answer.json().code]).toEqual([404, "log/tile-unknown"]);
  });
});

describe("GET /v1/log/proofs", () => {
  const proofs = `/v1/log/proofs/${DIGEST_HEX}`;

  it.each([
    ["", 0],
    ["?from=17", 17],
    ["?from=9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("gives the proof to agents and auditors: %j", async (query, from) => {
    rig = await makeRig();
    const answer = await ask(proofs + query, await rig.as("agent"));
    expect(answer.headers["content-type"]).toBe("application/vnd.quiesce.log-proof+cbor");
    expect(answer.rawPayload).toEqual(Buffer.from(OBJECT));
    expect(asked()).toEqual([{ name: "logProof", args: [DIGEST, from] }]);
  });

  it.each([
    ["log/entry-unknown", 404, undefined],
    ["log/not-agreed", 404, undefined],
    ["log/head-ahead", 409, undefined],
    ["log/not-cosigned", 503, "1"],
  ] as const)("is refused with %s by %d", async (code, status, retryAfter) => {
    const logProof = async () => {
      throw new VerifierError(code);
    };
    rig = await makeRig({ overrides: { logProof } });
    const answer = await ask(proofs, await rig.as("auditor"));
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect(answer.headers["retry-after"]).toBe(retryAfter);
  });

  it.each(["?from=-1", "?from=01", "?from=9007199254740992", "?from=1.5", "?size=1"])("takes no %s", async (query) => {
    rig = await makeRig();
    const answer = await ask(proofs + query, await rig.as("agent"));
    expect([answer.statusCode, answer.json().code]).toEqual([400, "request/field"]);
  });
});

describe("GET /v1/log", () => {
  it("says how far the log is, and how its witnesses are", async () => {
    rig = await makeRig();
    const answer = await ask("/v1/log", await rig.as("auditor"));
    expect(answer.json()).toEqual({ ...LOG, root: DIGEST_HEX });
  });
});
