/** On a real socket: bytes that are no request, requests that do not end, TLS, Unix sockets, and stopping in order. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ed25519Signer, type Signer } from "../../../host/protocol/cose.ts";
import type { SignedAnswer } from "../../../host/service/service.ts";
import { CLIENT, FIRST, SECOND } from "./certificates.ts";
import { OBJECT } from "./fake-service.ts";
import { type ListeningRig, listen, RawClient } from "./listening.ts";
import { AUTHORITY, bytes, signed } from "./rig.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-http-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);

describe("bytes that are no request, or could be read as two", () => {
  let open: ListeningRig;
  beforeAll(async () => {
    open = await listen();
  });
  afterAll(async () => {
    await open.listening.close();
  });

  const NONCES = "POST /v1/nonces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
  const BEACON = "GET /v1/beacon HTTP/1.1\r\nHost: a\r\n";

  // biome-ignore format: a table
  it.each([
    ["text", "hello\r\n\r\n", 400],
    ["TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
    ["another protocol", "GET /v1 SMTP/1.1\r\n\r\n", 400],
    ["a method that is none", "FETCH /v1 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a length and chunks", `${NONCES}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ["two lengths", `${NONCES}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}`, 400],
    ["a length that is a list", `${NONCES}Content-Length: 2, 2\r\n\r\n{}`, 400],
    ["a length with a sign", `${NONCES}Content-Length: +2\r\n\r\n{}`, 400],
    ["chunks in other words", `${NONCES}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ["chunks that are not last", `${NONCES}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 400],
    ["a chunk whose length is none", `${NONCES}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`, 400],
    ["a space before a colon", `${BEACON}X : a\r\n\r\n`, 400],
    ["a header line that is folded", `${BEACON}X: a\r\n b\r\n\r\n`, 400],
    ["a zero byte in a header", `${BEACON}X: a\0b\r\n\r\n`, 400],
    ["a line that ends in a bare return", `${BEACON}X: a\rY: b\r\n\r\n`, 400],
    ["no host", "GET /v1/beacon HTTP/1.1\r\n\r\n", 400],
    ["a header that is too long", `${BEACON}X: ${"a".repeat(20_000)}\r\n\r\n`, 431],
  ])("%s", async (_name, text, status) => {
    const answer = await new RawClient(open.port).send(Buffer.from(text, "latin1")).end();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(answer.toLowerCase()).toContain("connection: close\r\n");
    expect(answer).not.toMatch(/\bat \S+ \(|node_modules/);
    expect(open.rig.service.calls.map(({ name }) => name)).not.toContain("nonce");
  });

  it("are told as a problem with an id, which the log has too", async () => {
    open.rig.log.length = 0;
    const answer = await new RawClient(open.port).send("hello\r\n\r\n").end();
    const problem = JSON.parse(answer.split("\r\n\r\n")[1]!);
    expect(problem).toMatchObject({ status: 400, code: "request/not-http" });
    expect(open.rig.log.join("")).toContain(problem.requestId);
  });

  it("two tokens are none", async () => {
    const [one, other] = [await open.rig.token("auditor"), await open.rig.token("admin")];
    const lines = `Authorization: Bearer ${one}\r\nAuthorization: Bearer ${other}\r\nConnection: close\r\n\r\n`;
    const answer = await new RawClient(open.port).send(`GET /v1/devices HTTP/1.1\r\nHost: a\r\n${lines}`).end();
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain("auth/header-twice");
  });

  it("a tunnel is not built", async () => {
    const answer = await new RawClient(open.port).send("CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n").end();
    expect(answer).not.toMatch(/^HTTP\/1\.1 2/);
  });

  it("an address with its origin is read as its path (RFC 9112 section 3.2.2), and a signature over it is none", async () => {
    const request = "GET http://example.org/v1/beacon HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n";
    expect(await new RawClient(open.port).send(request).end()).toMatch(/^HTTP\/1\.1 200 /);
    const { headers } = await signed({ method: "GET", url: "/v1/beacon" }, await open.rig.client("agent"));
    const lines = Object.entries(headers!).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `GET http://${AUTHORITY}/v1/beacon HTTP/1.1\r\n${lines.join("")}Connection: close\r\n\r\n`;
    expect(await new RawClient(open.port).send(head).end()).toContain("auth/target");
  });
});

describe("a body", () => {
  const HEAD = "POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Type: application/eat+cwt\r\n";

  it("in chunks is taken as one", async () => {
    const open = await listen();
    const chunks = `${HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`;
    expect(await new RawClient(open.port).send(chunks).end()).toMatch(/^HTTP\/1\.1 201 /);
    expect(open.rig.service.calls.find(({ name }) => name === "appraise")!.args).toEqual([
      Buffer.from("abcde"),
      undefined,
    ]);
    await open.listening.close();
  });

  it("in chunks that has none is missing", async () => {
    const open = await listen();
    const chunks = `${HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`;
    expect(await new RawClient(open.port).send(chunks).end()).toContain("request/body-missing");
    await open.listening.close();
  });

  it("in chunks that does not end is refused when it is too long, and the rest is not waited for", async () => {
    const open = await listen();
    const client = new RawClient(open.port).send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    client.send(`4800\r\n${"a".repeat(0x4800)}\r\n`);
    const answer = await client.end();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain("request/too-large");
    await open.listening.close();
  });

  it("that is announced as too long is refused before it comes", async () => {
    const open = await listen();
    const answer = await new RawClient(open.port).send(`${HEAD}Content-Length: 100000000\r\n\r\n`).end();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    await open.listening.close();
  });

  it("that is long is not waited for where its signature does not hold, and read where it does", async () => {
    const open = await listen();
    const body = `${"x".repeat(70_000)}\n`;
    const asked = bytes("/v1/devices/import", "application/x-ndjson", body);
    const head = async (signer: Signer) => {
      const { headers = {} } = await signed(asked, signer);
      const lines = Object.entries({ host: AUTHORITY, ...headers, "content-length": `${body.length}` });
      return `POST ${asked.url} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    };
    const stranger = ed25519Signer(new Uint8Array(32).fill(7));
    for (const [signer, answer] of [
      [stranger, /^HTTP\/1\.1 401 [\s\S]*auth\/key-unknown/],
      [await open.rig.client("agent"), /^HTTP\/1\.1 403 [\s\S]*auth\/role/],
    ] as const) {
      expect(await new RawClient(open.port).send(await head(signer)).end()).toMatch(answer);
    }
    const registrar = new RawClient(open.port).send((await head(await open.rig.client("registrar"))) + body);
    expect(await registrar.until(/"results":\[.*\]/)).toMatch(/^HTTP\/1\.1 200 /);
    registrar.socket.destroy();
    await open.listening.close();
  });

  it("of a refused request does not become the next request", async () => {
    const open = await listen();
    const hidden = "GET /v1/beacon HTTP/1.1\r\nHost: a\r\n\r\n";
    const request = `POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`;
    const next = "GET /v1/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const answer = await new RawClient(open.port).send(request + next).end();
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(["404", "200"]);
    expect(open.rig.service.calls.map(({ name }) => name)).not.toContain("beacon");
    await open.listening.close();
  });
});

describe("a request that does not end in time", () => {
  it("is a 408: its header", async () => {
    const open = await listen({}, { limits: { headersTimeoutMs: 100 } });
    const answer = await new RawClient(open.port).send("GET /v1/beacon HTTP/1.1\r\nHost: a\r\n").end();
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain("request/timeout");
    await open.listening.close();
  });

  it("is cut off: its body", async () => {
    const open = await listen({}, { limits: { requestTimeoutMs: 100 } });
    const head =
      "POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Type: application/eat+cwt\r\nContent-Length: 9\r\n\r\n";
    const answer = await new RawClient(open.port).send(`${head}abc`).end();
    expect(answer === "" || /^HTTP\/1\.1 4/.test(answer)).toBe(true);
    expect(open.rig.service.calls.map(({ name }) => name)).not.toContain("appraise");
    await open.listening.close();
  });
});

/** An answer of the license that a test gives when it wants to. */
function pendingLicense() {
  let give: (answer: SignedAnswer) => void = () => {};
  let asked: () => void = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const license = () => {
    asked();
    return new Promise<SignedAnswer>((resolve) => {
      give = resolve;
    });
  };
  return { license, isAsked, give: () => give({ complete: true, bytes: OBJECT, repeated: false }) };
}

describe("stopping", () => {
  const LICENSE =
    "POST /v1/licenses HTTP/1.1\r\nHost: a\r\nContent-Type: application/eat+cwt\r\nContent-Length: 1\r\n\r\na";

  it("finishes what runs, says on open connections that it is not ready, and takes no new ones", async () => {
    const { license, isAsked, give } = pendingLicense();
    const open = await listen({ overrides: { license } });
    const [running, waiting] = [new RawClient(open.port).send(LICENSE), new RawClient(open.port)];
    await waiting.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/licenses").until(/200 OK[\s\S]*}/);
    await isAsked;
    const closing = open.listening.close();
    waiting.send(" HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await waiting.until(/405/)).toMatch(/connection: close/i);
    const late = new RawClient(open.port);
    expect(await late.end()).toBe("");
    give();
    expect(await running.end()).toMatch(/^HTTP\/1\.1 201 /);
    expect(await closing).toBe(true);
  });

  it("does not wait longer than it may", async () => {
    const { license, isAsked } = pendingLicense();
    const open = await listen({ overrides: { license } }, { limits: { shutdownMs: 50 } });
    const running = new RawClient(open.port).send(LICENSE);
    await isAsked;
    expect(await open.listening.close()).toBe(false);
    expect(await running.end()).toBe("");
  });
});

describe("TLS", () => {
  const files = { cert: path("cert.pem"), key: path("key.pem"), ca: undefined, requireClientCertificate: false };
  const renew = (from: typeof FIRST) => {
    writeFileSync(files.cert, from.cert);
    writeFileSync(files.key, from.key);
  };
  const ask = (port: number, options: https.RequestOptions) =>
    new Promise<number>((resolve, reject) => {
      https
        .get(
          { port, host: "127.0.0.1", path: "/v1/beacon", servername: "localhost", agent: false, ...options },
          (answer) => {
            answer.resume().on("end", () => resolve(answer.statusCode!));
          },
        )
        .on("error", reject);
    });

  let open: ListeningRig | undefined;
  afterEach(async () => {
    await open?.listening.close();
    open = undefined;
  });

  it("serves by the certificate of its file, and by none of an old version of TLS", async () => {
    renew(FIRST);
    open = await listen({}, { tcp: { host: "127.0.0.1", port: 0, tls: files } });
    expect(open.listening.addresses[0]).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await ask(open.port, { ca: FIRST.cert })).toBe(200);
    await expect(ask(open.port, { ca: SECOND.cert })).rejects.toThrow("self-signed");
    await expect(ask(open.port, { ca: FIRST.cert, maxVersion: "TLSv1.2" })).rejects.toThrow();
  });

  it("takes a renewed certificate without cutting a connection", async () => {
    renew(FIRST);
    open = await listen({}, { tcp: { host: "127.0.0.1", port: 0, tls: files } });
    const before = connect({ port: open.port, host: "127.0.0.1", servername: "localhost", ca: FIRST.cert });
    await once(before, "secureConnect");
    renew(SECOND);
    open.listening.reloadTls();
    expect(await ask(open.port, { ca: SECOND.cert })).toBe(200);
    before.write("GET /v1/beacon HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const [first] = await once(before.setEncoding("latin1"), "data");
    expect(first).toMatch(/^HTTP\/1\.1 200 /);
    before.destroy();
  });

  it("goes on by the old certificate when the new one is none", async () => {
    renew(FIRST);
    open = await listen({}, { tcp: { host: "127.0.0.1", port: 0, tls: files } });
    writeFileSync(files.cert, "nonsense");
    expect(() => open!.listening.reloadTls()).toThrow();
    expect(await ask(open.port, { ca: FIRST.cert })).toBe(200);
  });

  it("lets nobody in without a client certificate, where one is required", async () => {
    renew(FIRST);
    writeFileSync(path("ca.pem"), CLIENT.cert);
    const tls = { ...files, ca: path("ca.pem"), requireClientCertificate: true };
    open = await listen({}, { tcp: { host: "127.0.0.1", port: 0, tls } });
    expect(await ask(open.port, { ca: FIRST.cert, cert: CLIENT.cert, key: CLIENT.key })).toBe(200);
    await expect(ask(open.port, { ca: FIRST.cert })).rejects.toThrow();
    await expect(ask(open.port, { ca: FIRST.cert, cert: SECOND.cert, key: SECOND.key })).rejects.toThrow();
  });
});

describe.skipIf(process.platform === "win32")("a Unix socket", () => {
  const ask = (socketPath: string) =>
    new Promise<number>((resolve, reject) => {
      http
        .get({ socketPath, path: "/v1/beacon", agent: false }, (answer) => {
          answer.resume().on("end", () => resolve(answer.statusCode!));
        })
        .on("error", reject);
    });

  it("serves beside TCP, and lets in only whom the file system lets in", async () => {
    const socket = path("a.sock");
    const open = await listen({}, { socket });
    expect(open.listening.addresses[1]).toBe(`unix:${socket}`);
    expect(await ask(socket)).toBe(200);
    expect(statSync(socket).mode & 0o007).toBe(0);
    await open.listening.close();
  });

  it("of a process that died is not in the way, one that is alive is", async () => {
    const socket = path("b.sock");
    const dead = createServer().listen(socket);
    await once(dead, "listening");
    const inWay = listen({}, { socket });
    await expect(inWay).rejects.toThrow("EADDRINUSE");
    await new Promise((resolve) => dead.close(resolve));
    writeStale(socket);
    const open = await listen({}, { socket });
    expect(await ask(socket)).toBe(200);
    await open.listening.close();
  });

  it("that cannot be had leaves the port free that was taken before it", async () => {
    const port = await freePort();
    const tcp = { host: "127.0.0.1", port };
    writeFileSync(path("taken.sock"), "");
    await expect(listen({}, { tcp, socket: path("taken.sock") })).rejects.toThrow("EADDRINUSE");
    const open = await listen({}, { tcp });
    expect(open.port).toBe(port);
    await open.listening.close();
  });

  it("does not take the place of a file", async () => {
    const socket = path("file.sock");
    writeFileSync(socket, "keep me");
    await expect(listen({}, { socket })).rejects.toThrow("EADDRINUSE");
    expect(statSync(socket).size).toBe(7);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A socket that nobody listens on any more, as a process leaves it that is killed. */
function writeStale(socket: string): void {
  const script = `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  expect(statSync(socket).isSocket()).toBe(true);
}
