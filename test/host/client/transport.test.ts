/** Requests to a verifier: what goes wrong on the way has a name, a bound, and another try where that may help. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { CLIENT_ERRORS, ClientError } from "../../../host/client/errors.ts";
import type { ClientOptions, UnsignedRequest } from "../../../host/client/options.ts";
import { errorOf, requestIdOf } from "../../../host/client/problem.ts";
import { backOffMs, readRetryAfter } from "../../../host/client/retry.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import { certificateFor, makeAuthority } from "./certificates.ts";
import { FakeHttp, type Fault, json, problem, send } from "./fake-http.ts";
import { FakeVerifier, FakeWorld } from "./fake-service.ts";

const UEID = new Uint8Array(33).fill(1);
const NONCE = { nonce: "0f".repeat(32), expiresMs: 1 };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(fault?: Fault, at?: Parameters<typeof FakeHttp.start>[1]): Promise<FakeHttp> {
  const http = await FakeHttp.start(undefined, at);
  if (fault) http.fault = fault;
  closing.push(() => http.close());
  return http;
}

/** Waits for nothing, and says for how long it would have. */
function clientOf(options: ClientOptions, waits: number[] = [], random = () => 0.5): VerifierClient {
  const wait = async (ms: number) => void waits.push(ms);
  const client = new VerifierClient(options, { random, wait });
  closing.push(() => client.close());
  return client;
}

/** Answers each request with the next of these; the last one again and again. */
function inTurn(...replies: readonly (ReturnType<typeof json> | "cut")[]): Fault {
  let count = 0;
  return (_asked, response) => {
    const reply = replies[Math.min(count++, replies.length - 1)]!;
    if (reply === "cut") response.destroy();
    else send(response, reply);
    return true;
  };
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    (error) => (error instanceof ClientError || error instanceof VerifierError ? error.code : error),
  );

describe("a refusal over HTTP", () => {
  it("is the error that a verifier in this process would throw, and names the request for its logs", async () => {
    const detail = "the nonce was given too long ago (61 s)";
    const http = await serve(inTurn(problem(403, "evidence/nonce-expired", "policy", detail)));
    const error = await clientOf({ url: http.url })
      .nonce(UEID)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(VerifierError);
    expect(error).toMatchObject({ code: "evidence/nonce-expired", class: "policy", message: detail });
    expect(requestIdOf(error)).toBe("r-1");
    expect(http.asked).toHaveLength(1);
  });

  it.each([
    [401, "auth/needed", "unauthorized", "client/unauthorized"],
    [403, "auth/role", "forbidden", "client/forbidden"],
    [415, "request/media-type", "media-type", "client/refused"],
    [500, "server/internal", "internal", "client/refused"],
  ])("with status %i and code %s that no verifier has is a %s of the client", async (status, code, cls, expected) => {
    const http = await serve(inTurn(problem(status, code, cls, "no")));
    const error = await clientOf({ url: http.url })
      .about()
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ code: expected, problem: { status, code, class: cls, requestId: "r-1" } });
    expect(http.asked).toHaveLength(1);
  });

  it("of whatever form is one of the known errors, and shows nothing that a terminal acts on", () => {
    const status = fc.integer({ min: 300, max: 599 });
    const type = fc.constantFrom("application/problem+json", "application/json", "text/html", "");
    const member = fc.oneof(fc.string(), fc.constant("\u001b[2J"), fc.jsonValue());
    const document = fc.record(
      { code: member, class: member, detail: member, requestId: member },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 50 }),
      document.map((value) => Buffer.from(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(status, type, body, (status, type, body) => {
        const error = errorOf({ status, type, body, retryAfterMs: undefined });
        expect(error instanceof ClientError || error instanceof VerifierError).toBe(true);
        expect(error.message).not.toMatch(/[\p{Cc}]/u);
        expect(error.message.length).toBeLessThan(1000);
      }),
    );
  });
});

describe("another try", () => {
  const busy = (headers = {}) => ({ ...problem(503, "server/unavailable", "unavailable", "later"), headers });

  it("follows where a verifier is busy, asks for fewer requests, or cuts the connection", async () => {
    for (const bad of [busy(), problem(429, "request/rate", "rate", "slower"), "cut"] as const) {
      const http = await serve(inTurn(bad, bad, json(201, NONCE)));
      expect(await codeOf(clientOf({ url: http.url }).nonce(UEID))).toBe("done");
      expect(http.asked).toHaveLength(3);
    }
  });

  it("comes later each time, spread by chance, and not before the verifier said", async () => {
    const http = await serve(inTurn(busy(), busy(), busy({ "retry-after": "7" }), json(201, NONCE)));
    const waits: number[] = [];
    await clientOf({ url: http.url }, waits).nonce(UEID);
    expect(waits).toEqual([100, 200, 7_400]);
  });

  it("comes at any time from now to a bound that doubles up to five seconds", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (count, chance) => {
          const delay = backOffMs(count, () => chance);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThan(Math.min(5_000, 200 * 2 ** (count - 1)));
        },
      ),
    );
  });

  it("ends after as many as are allowed, with the last failure", async () => {
    const http = await serve(inTurn(busy()));
    expect(await codeOf(clientOf({ url: http.url, triesMax: 3 }).about())).toBe("client/unavailable");
    expect(http.asked).toHaveLength(3);
  });

  it("is left to the caller where the verifier wants to be left alone for long", async () => {
    const http = await serve(inTurn(busy({ "retry-after": "600" })));
    const error = await clientOf({ url: http.url })
      .about()
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "client/unavailable", retryAfterMs: 600_000 });
    expect(http.asked).toHaveLength(1);
  });

  it("never follows a request that would do something twice", async () => {
    const http = await serve(inTurn(busy()));
    const client = clientOf({ url: http.url });
    expect(await codeOf(client.proposeOrder({ action: OrderAction.PAUSE }))).toBe("client/unavailable");
    expect(await codeOf(client.approveOrder(1, "north"))).toBe("client/unavailable");
    expect(http.asked).toHaveLength(2);
  });

  it("reads both forms of Retry-After, and nothing else", () => {
    const nowMs = Date.UTC(2030, 0, 1);
    expect(readRetryAfter("120", nowMs)).toBe(120_000);
    expect(readRetryAfter(new Date(nowMs + 5_000).toUTCString(), nowMs)).toBe(5_000);
    expect(readRetryAfter(new Date(nowMs - 5_000).toUTCString(), nowMs)).toBe(0);
    for (const text of [undefined, "", "-1", "1.5", "soon", "99999999999"])
      expect(readRetryAfter(text, nowMs)).toBeUndefined();
  });
});

describe("the way to a verifier", () => {
  it("that nobody listens on, or that stays silent, is named", async () => {
    const http = await serve();
    const { url } = http;
    await http.close();
    closing.pop();
    expect(await codeOf(clientOf({ url }).about())).toBe("client/connect");
    const silent = await serve(() => true);
    const client = clientOf({ url: silent.url, timeoutMs: 50, triesMax: 1 });
    expect(await codeOf(client.about())).toBe("client/timeout");
  });

  it("that breaks off in the middle of an answer is tried again", async () => {
    let count = 0;
    const http = await serve((_asked, response) => {
      if (count++ > 0) send(response, json(201, NONCE));
      else response.writeHead(200, { "content-length": "100" }).write("half", () => response.destroy());
      return true;
    });
    expect(await codeOf(clientOf({ url: http.url }).nonce(UEID))).toBe("done");
  });

  it("with an answer that has no end is left", async () => {
    const http = await serve((_asked, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
      };
      response.on("drain", more);
      more();
      return true;
    });
    expect(await codeOf(clientOf({ url: http.url }).about())).toBe("client/too-large");
  });

  it("leads elsewhere only if the operator says so: redirections are not followed", async () => {
    const target = await serve(inTurn(json(200, {})));
    const http = await serve(inTurn({ status: 307, headers: { location: target.url } }));
    expect(await codeOf(clientOf({ url: http.url }).about())).toBe("client/status");
    expect(target.asked).toHaveLength(0);
  });

  it.each([
    ["a page", { status: 200, type: "text/html", body: "<html>" }],
    ["no JSON", { status: 200, type: "application/json", body: "{" }],
    ["another document", json(200, { nonce: 1 })],
    ["a list", json(200, [])],
  ])("that answers with %s answers with nothing", async (_what, reply) => {
    const http = await serve(inTurn(reply));
    expect(await codeOf(clientOf({ url: http.url }).about())).toBe("client/answer");
  });

  it("takes so many requests at a time, and lets so many wait", async () => {
    const held: (() => void)[] = [];
    const http = await serve(async (_asked, response) => {
      await new Promise<void>((resolve) => held.push(resolve));
      send(response, json(201, NONCE));
      return true;
    });
    const client = clientOf({ url: http.url, inFlightMax: 2, waitingMax: 3 });
    let arrived = http.next(() => http.asked.length === 2);
    const calls = Array.from({ length: 5 }, () => codeOf(client.nonce(UEID)));
    expect(await codeOf(client.nonce(UEID))).toBe("client/busy");
    await arrived;
    expect(http.asked).toHaveLength(2);
    for (let done = 1; done <= 5; done++) {
      const isLast = done > 3;
      arrived = http.next(() => http.asked.length === 2 + done);
      held.shift()!();
      if (!isLast) await arrived;
      expect(http.asked.length).toBeLessThanOrEqual(2 + done);
    }
    expect(await Promise.all(calls)).toEqual(new Array(5).fill("done"));
  });

  it("is given up when the client is closed, and a closed one asks nothing", async () => {
    const http = await serve(() => true);
    const client = clientOf({ url: http.url });
    const arrived = http.next(() => true);
    const call = codeOf(client.about());
    await arrived;
    await client.close();
    expect(await call).toBe("client/closed");
    expect(await codeOf(client.about())).toBe("client/closed");
  });

  it("may be a Unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quiesce-client-"));
    closing.push(async () => rmSync(folder, { recursive: true }));
    const path = join(folder, "verifier.sock");
    const world = new FakeWorld();
    const http = await FakeHttp.start(new FakeVerifier(world, "north"), { path });
    closing.push(() => http.close());
    const about = await clientOf({ url: "http://north.example", socketPath: path, token: "secret" }).about();
    expect(about.parties.map(({ name }) => name)).toEqual(world.agreement.parties.map(({ name }) => name));
    expect(http.asked[0]!.headers).toMatchObject({ host: "north.example", authorization: "Bearer secret" });
  });
});

describe("who is asked, and who asks", () => {
  it("is proved by TLS: an authority of the operator's choice, and a certificate of our own", async () => {
    const authority = makeAuthority();
    const server = certificateFor("127.0.0.1", authority);
    const agent = certificateFor("agent", authority);
    const tls = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
    const http = await serve(inTurn(json(201, NONCE)), { tls });
    const url = `https://127.0.0.1:${http.port}`;
    const once = { url, triesMax: 1 };
    expect(await codeOf(clientOf({ ...once, ca: authority.cert, ...agent }).nonce(UEID))).toBe("done");
    expect(await codeOf(clientOf(once).nonce(UEID))).toBe("client/tls");
    expect(await codeOf(clientOf({ ...once, ca: makeAuthority().cert, ...agent }).nonce(UEID))).toBe("client/tls");
    const stranger = certificateFor("agent", makeAuthority());
    expect(await codeOf(clientOf({ ...once, ca: authority.cert, ...stranger }).nonce(UEID))).toMatch(
      /^client\/(?:tls|connect)$/,
    );
    expect(await codeOf(clientOf({ ...once, ca: authority.cert }).nonce(UEID))).toMatch(/^client\/(?:tls|connect)$/);
    expect(http.asked).toHaveLength(1);
  });

  it("is not asked where something else than TLS answers", async () => {
    const plain = createTcpServer((socket) => socket.end("nonsense\n"));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    closing.push(async () => void plain.close());
    const { port } = plain.address() as { port: number };
    expect(await codeOf(clientOf({ url: `https://127.0.0.1:${port}`, triesMax: 1 }).about())).toBe("client/tls");
  });

  it("signs each try anew, over what is sent", async () => {
    const bad = problem(503, "server/unavailable", "unavailable", "later");
    const http = await serve(inTurn(bad, json(201, NONCE)));
    const requests: UnsignedRequest[] = [];
    const sign: ClientOptions["sign"] = (request) => {
      requests.push(request);
      return [["signature", `number ${requests.length}`]];
    };
    await clientOf({ url: `${http.url}/north/`, sign }).nonce(UEID);
    expect(http.asked.map(({ headers }) => headers.signature)).toEqual(["number 1", "number 2"]);
    const [{ body, headers, ...request }] = requests as [UnsignedRequest];
    expect(request).toEqual({
      method: "POST",
      scheme: "http",
      authority: `127.0.0.1:${http.port}`,
      target: "/north/v1/nonces",
    });
    expect(Buffer.from(body!)).toEqual(http.asked[0]!.body);
    for (const [name, value] of headers) expect(http.asked[0]!.headers[name]).toBe(value);
    expect(http.asked[0]!.path).toBe("/north/v1/nonces");
  });

  it.each([
    ["no URL", { url: "north" }],
    ["another scheme", { url: "ftp://north" }],
    ["credentials in the address", { url: "https://me:secret@north" }],
    ["a query in the address", { url: "https://north/?a=1" }],
    ["a certificate without its key", { url: "https://north", cert: "x" }],
    ["certificates where there is no TLS", { url: "http://north", ca: "x" }],
    ["a token that could break the header", { url: "https://north", token: "a\r\nb" }],
    ["a token that anyone on the way could read", { url: "http://north.example", token: "secret" }],
  ])("is refused at once with %s, and no secret is told", (_what, options) => {
    const error = (() => {
      try {
        return new VerifierClient(options);
      } catch (thrown) {
        return thrown as ClientError;
      }
    })();
    expect(error).toMatchObject({ code: "client/options" });
    expect((error as ClientError).message).not.toContain("secret");
  });

  it("fails in ways that each have one code and one phrase", () => {
    const phrases = Object.values(CLIENT_ERRORS).map(([, phrase]) => phrase);
    expect(new Set(phrases).size).toBe(phrases.length);
  });
});
