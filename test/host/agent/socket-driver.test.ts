/** Boards behind sockets: found, asked one request at a time, and every way to fail has a name and an end. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DriverError } from "../../../host/agent/driver.ts";
import { encodeFrame, FrameReader } from "../../../host/agent/frames.ts";
import { SocketDriver } from "../../../host/agent/socket-driver.ts";

let folder: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quiesce-boards-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

/** A board that does this with each request. */
async function board(
  name: string,
  answer: (socket: Socket, request: Uint8Array) => void,
): Promise<{ connections: number }> {
  const seen = { connections: 0 };
  const server = createServer((socket) => {
    seen.connections++;
    const reader = new FrameReader();
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      for (const request of reader.take(bytes)) answer(socket, request);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(join(folder, `${name}.sock`), resolve));
  return seen;
}

const echo = (socket: Socket, request: Uint8Array) => socket.write(encodeFrame(request));
const driver = (timeoutMs?: number) => new SocketDriver(folder, { timeoutMs });
const codeOf = (call: Promise<unknown>) => call.catch((error) => (error instanceof DriverError ? error.code : error));

describe("boards behind sockets", () => {
  it("are those whose sockets lie in the folder, by name, with their endorsements", async () => {
    for (const name of ["rack-2", "rack-10", "a"]) await board(name, echo);
    writeFileSync(join(folder, "readme.txt"), "");
    writeFileSync(join(folder, ".hidden.sock"), "");
    writeFileSync(join(folder, "a.endorsement.cbor"), Uint8Array.of(1, 2, 3));
    writeFileSync(join(folder, "rack-2.endorsement.cbor"), new Uint8Array(5000));
    expect(await driver().list()).toEqual(["a", "rack-10", "rack-2"]);
    expect(await driver().open("a").endorsement()).toEqual(Uint8Array.of(1, 2, 3));
    expect(await driver().open("rack-10").endorsement()).toBeUndefined();
    expect(await codeOf(driver().open("rack-2").endorsement())).toBe("driver/endorsement");
  });

  it("in a folder that is not there are none, and it is said", async () => {
    expect(await codeOf(new SocketDriver(join(folder, "none")).list())).toBe("driver/folder");
  });

  it("answer each request with its own answer over one connection, in turn", async () => {
    let under = 0;
    const seen = await board("a", (socket, request) => {
      under++;
      expect(under).toBe(1);
      setImmediate(() => {
        under--;
        echo(socket, request);
      });
    });
    const port = driver().open("a");
    const requests = Array.from({ length: 20 }, (_, i) => new Uint8Array(1 + i * 200).fill(i));
    expect(await Promise.all(requests.map(port.exchange))).toEqual(requests);
    expect(seen.connections).toBe(1);
    port.close();
  });

  it("may take answers in any pieces", () => {
    const message = fc.uint8Array({ maxLength: 4096 });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 3000 })),
        (messages, sizes) => {
          const whole = Buffer.concat(messages.map(encodeFrame));
          const reader = new FrameReader();
          const found: Uint8Array[] = [];
          for (let at = 0; at < whole.length; ) {
            const size = sizes.next().value as number;
            found.push(...reader.take(whole.subarray(at, at + size)));
            at += size;
          }
          expect(found).toEqual(messages);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("a board that cannot be asked", () => {
  it("because nobody listens", async () => {
    expect(await codeOf(driver().open("a").exchange(Uint8Array.of(1)))).toBe("driver/connect");
    writeFileSync(join(folder, "b.sock"), "");
    expect(await codeOf(driver().open("b").exchange(Uint8Array.of(1)))).toBe("driver/connect");
  });

  it("because it has no power is told from one that is gone", async () => {
    await board("a", (socket) => socket.write(encodeFrame(new Uint8Array(0))));
    expect(await codeOf(driver().open("a").exchange(Uint8Array.of(1)))).toBe("driver/silent");
  });

  it("because it never answers is given up, and what it says later is not taken for another answer", async () => {
    const late: Socket[] = [];
    const seen = await board("a", (socket, request) => {
      if (request[0] === 1) late.push(socket);
      else echo(socket, request);
    });
    const port = driver(50).open("a");
    expect(await codeOf(port.exchange(Uint8Array.of(1)))).toBe("driver/timeout");
    late[0]!.write(encodeFrame(Uint8Array.of(9)));
    expect(await port.exchange(Uint8Array.of(2))).toEqual(Uint8Array.of(2));
    expect(seen.connections).toBe(2);
    port.close();
  });

  it("because the connection broke is asked over a new one next time", async () => {
    const seen = await board("a", (socket, request) => {
      if (request[0] === 1) socket.destroy();
      else echo(socket, request);
    });
    const port = driver().open("a");
    expect(await codeOf(port.exchange(Uint8Array.of(1)))).toBe("driver/lost");
    expect(await port.exchange(Uint8Array.of(2))).toEqual(Uint8Array.of(2));
    expect(seen.connections).toBe(2);
    port.close();
  });

  it.each([
    ["an answer that is too long", Buffer.from("ffffffff", "hex")],
    ["two answers to one request", Buffer.concat([encodeFrame(Uint8Array.of(1)), encodeFrame(Uint8Array.of(2))])],
  ])("because it sends %s loses its connection, and nothing of it reaches the next request", async (_what, bytes) => {
    await board("a", (socket, request) => {
      if (request[0] === 1) socket.write(bytes);
      else echo(socket, request);
    });
    const port = driver().open("a");
    expect(["driver/frame", 1]).toContain(await codeOf(port.exchange(Uint8Array.of(1)).then(([first]) => first)));
    expect(await port.exchange(Uint8Array.of(3))).toEqual(Uint8Array.of(3));
    port.close();
  });

  it("because too many wait already says so", async () => {
    await board("a", () => {});
    const port = driver().open("a");
    const waiting = Array.from({ length: 65 }, () => codeOf(port.exchange(Uint8Array.of(1))));
    expect(await codeOf(port.exchange(Uint8Array.of(1)))).toBe("driver/busy");
    while (
      await Promise.race([
        Promise.all(waiting).then(() => false),
        new Promise((resolve) => setImmediate(resolve, true)),
      ])
    )
      port.close();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["driver/lost"]));
  });
});
