/** Server-sent events: everyone hears all, nobody holds up others, and their number is bounded. */
import { afterEach, describe, expect, it } from "vitest";
import type { ServiceEvent } from "../../../host/service/service.ts";
import { DIGEST_HEX, OBJECT, OBJECT_TEXT, ORDER } from "./fake-service.ts";
import { type ListeningRig, listen, RawClient } from "./listening.ts";

const REQUEST = "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n";
const BEACON: ServiceEvent = { type: "beacon", bytes: OBJECT };

let open: ListeningRig | undefined;
afterEach(async () => {
  await open?.listening.close();
  open = undefined;
});

const metric = async ({ rig }: ListeningRig, name: string) =>
  Number(new RegExp(`^${name} (\\S+)$`, "m").exec((await rig.ask({ method: "GET", url: "/metrics" })).body)?.[1]);

describe("a stream of events", () => {
  it("begins at once, says what it is, and has each event as it comes", async () => {
    open = await listen();
    const client = new RawClient(open.port).send(REQUEST);
    const begin = await client.until(/: listening\n\n/);
    expect(begin).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(begin.toLowerCase()).toContain("content-type: text/event-stream\r\n");
    expect(begin.toLowerCase()).toContain("cache-control: no-store\r\n");
    expect(begin.toLowerCase()).toMatch(/x-request-id: \S+\r\n/);
    open.rig.service.emit(BEACON);
    open.rig.service.emit({ type: "order", order: ORDER });
    open.rig.service.emit({ type: "agreement", version: 4 });
    const text = await client.until(/event: agreement\ndata: .*\n\n/);
    const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, type, data]) => [
      type,
      JSON.parse(data!),
    ]);
    expect(events).toEqual([
      ["beacon", { bytes: OBJECT_TEXT }],
      ["order", { epoch: 1, action: "pause", notBeforeSeconds: 1_790_000_000, digest: DIGEST_HEX, bytes: OBJECT_TEXT }],
      ["agreement", { version: 4 }],
    ]);
  });

  it("goes to everyone alike, and is one subscription of the service", async () => {
    open = await listen();
    const clients = [1, 2, 3].map(() => new RawClient(open!.port).send(REQUEST));
    await Promise.all(clients.map((client) => client.until(/: listening/)));
    open.rig.service.emit(BEACON);
    for (const client of clients) expect(await client.until(/event: beacon/)).toContain(OBJECT_TEXT);
    expect(open.rig.service.calls.filter(({ name }) => name === "subscribe")).toHaveLength(1);
  });

  it("has a heartbeat, so that nobody thinks it dead", async () => {
    open = await listen();
    const client = new RawClient(open.port).send(REQUEST);
    await client.until(/: listening\n\n/);
    open.rig.events.beat();
    await client.until(/: listening\n\n[\s\S]*:\n\n/);
  });

  it("is refused to one too many, who is told when to come again", async () => {
    open = await listen({ events: { listenersMax: 1, heartbeatSeconds: 3600, backlogBytesMax: 65_536 } });
    const first = new RawClient(open.port).send(REQUEST);
    await first.until(/: listening/);
    const second = await new RawClient(open.port)
      .send(REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
      .end();
    expect(second).toMatch(/^HTTP\/1\.1 503 /);
    expect(second).toContain("server/listeners");
    expect(second.toLowerCase()).toContain("retry-after: 5\r\n");
  });

  it("makes room when somebody leaves", async () => {
    open = await listen({ events: { listenersMax: 1, heartbeatSeconds: 3600, backlogBytesMax: 65_536 } });
    const first = new RawClient(open.port).send(REQUEST);
    await first.until(/: listening/);
    first.socket.destroy();
    while ((await metric(open, "quiesce_verifier_event_listeners")) > 0) await new Promise(setImmediate);
    await new RawClient(open.port).send(REQUEST).until(/: listening/);
  });

  it("drops who does not read, and goes on for the others", async () => {
    open = await listen({ events: { listenersMax: 2, heartbeatSeconds: 3600, backlogBytesMax: 65_536 } });
    const [slow, quick] = [new RawClient(open.port).send(REQUEST), new RawClient(open.port).send(REQUEST)];
    await Promise.all([slow.until(/: listening/), quick.until(/: listening/)]);
    slow.socket.pause();
    const long: ServiceEvent = { type: "beacon", bytes: new Uint8Array(4096) };
    let sent = 0;
    // What the kernel takes for the one that does not read is a few megabytes.
    for (; sent < 20_000 && (await metric(open, "quiesce_verifier_event_listeners_dropped_total")) === 0; sent += 50) {
      for (let i = 0; i < 50; i++) {
        open.rig.service.emit(long);
        await new Promise(setImmediate);
      }
    }
    expect(sent).toBeLessThan(20_000);
    expect(await metric(open, "quiesce_verifier_event_listeners")).toBe(1);
    open.rig.service.emit({ type: "agreement", version: 9 });
    await quick.until(/event: agreement\ndata: {"version":9}/);
  });

  it("ends when the service is stopped, and does not hold it up", async () => {
    open = await listen();
    const client = new RawClient(open.port).send(REQUEST);
    await client.until(/: listening/);
    expect(await open.listening.close()).toBe(true);
    expect(await client.end()).toMatch(/0\r\n\r\n$/);
    open = undefined;
  });
});
