/** Where a log's files come from: HTTP with its codings and failures, and folders. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ClientError } from "../../../host/client/errors.ts";
import { FolderSource, HttpSource } from "../../../host/log/source.ts";
import { commitmentEntry, serveLog, T0, TestLog } from "./log.ts";
import { logCodeOf } from "./tree.ts";

async function logOf(count: number): Promise<TestLog> {
  const log = new TestLog();
  await log.append(...Array.from({ length: count - 1 }, (_, i) => commitmentEntry(i % 250, i)));
  await log.sign(T0);
  return log;
}

describe("a log over HTTP", () => {
  it.each([false, true])("gives checkpoint, tiles and entries; coded with gzip unasked: %s", async (gzip) => {
    const log = await logOf(300);
    const served = await serveLog(() => log, { gzip });
    const source = new HttpSource({ url: served.url });
    try {
      expect(await source.checkpoint()).toBe(log.note);
      expect(await source.tile(0, 1, 44)).toEqual(await log.tree.tile(0, 1, 44));
      expect(await source.bundle(0, 256)).toEqual(log.entries.slice(0, 256));
      expect(await source.bundle(1, 44)).toEqual(log.entries.slice(256));
    } finally {
      await source.close();
      await served.close();
    }
  });

  it("may have the full tile only, where a partial one is asked for", async () => {
    const log = await logOf(300);
    const served = await serveLog(() => log);
    const source = new HttpSource({ url: served.url });
    try {
      log.changed.set("tile/0/000.p/200", () => undefined);
      log.changed.set("tile/entries/000.p/200", () => undefined);
      expect(await source.tile(0, 0, 200)).toEqual(await log.tree.tile(0, 0, 200));
      expect(await source.bundle(0, 200)).toEqual(log.entries.slice(0, 200));
      expect(served.asked).toContain("tile/0/000");
      expect(await logCodeOf(() => source.tile(0, 2, 9))).toBe("log/source");
      expect(await logCodeOf(() => source.bundle(5, 256))).toBe("log/source");
    } finally {
      await source.close();
      await served.close();
    }
  });

  it("that answers with too much, with a bomb, with another coding or not at all is refused", async () => {
    const answers: [string, Buffer][] = [
      ["identity", Buffer.alloc(100_000)],
      ["identity", Buffer.alloc(100)],
      ["gzip", gzipSync(Buffer.alloc(100_000))],
      ["gzip", Buffer.from("no gzip")],
      ["br", Buffer.alloc(32)],
    ];
    const codes: (string | undefined)[] = [];
    const server = createServer((_, response) => {
      const [encoding, body] = answers[codes.length]!;
      response.setHeader("content-encoding", encoding);
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const source = new HttpSource({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, triesMax: 1 });
    try {
      for (const _ of answers) {
        const code = await logCodeOf(() => source.tile(0, 0, 1)).catch((error) => (error as ClientError).code);
        codes.push(code);
      }
      expect(codes).toEqual(["client/too-large", "log/source", "log/source", "log/source", "log/source"]);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await expect(source.tile(0, 0, 1)).rejects.toThrow(ClientError);
    await source.close();
  });

  it("that a verifier has not published yet is away, and no more", async () => {
    const server = createServer((_, response) => {
      response.writeHead(503, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ status: 503, code: "log/unpublished", class: "unavailable", title: "not yet" }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const source = new HttpSource({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, triesMax: 1 });
    try {
      await expect(source.checkpoint()).rejects.toMatchObject({ code: "client/unavailable", class: "network" });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await source.close();
    }
  });
});

describe("a log in a folder", () => {
  it("has the same paths", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quiesce-source-"));
    const log = await logOf(300);
    await log.writeTo(folder);
    const source = new FolderSource(folder);
    expect(await source.checkpoint()).toBe(log.note);
    expect(await source.tile(1, 0, 1)).toEqual(await log.tree.tile(1, 0, 1));
    expect(await source.bundle(0, 17)).toEqual(log.entries.slice(0, 17));
    mkdirSync(join(folder, "tile/0/002"));
    expect(await logCodeOf(() => source.tile(0, 2, 256))).toBe("log/source");
    writeFileSync(join(folder, "checkpoint"), Buffer.from([0xff, 0xfe]));
    expect(await logCodeOf(() => source.checkpoint())).toBe("log/note-malformed");
    writeFileSync(join(folder, "checkpoint"), Buffer.alloc(200_000, "a"));
    expect(await logCodeOf(() => source.checkpoint())).toBe("log/source");
    await source.close();
    rmSync(folder, { recursive: true });
  });
});
