/** Gossip by an agent: two verifiers that were shown two histories, and what is found when it comes to both. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { HeadExchange } from "../../../../host/agent/daemon/head-exchange.ts";
import { readHeads, writeHeads } from "../../../../host/agent/daemon/heads-file.ts";
import { ClientError } from "../../../../host/client/errors.ts";
import { fromBase64 } from "../../../../host/log/base64.ts";
import { openCheckpoint } from "../../../../host/log/checkpoint.ts";
import { HEADS_KEPT, type HeadSplit, SPLITS_KEPT } from "../../../../host/log/heads.ts";
import { formatVkey, parseVkey } from "../../../../host/log/note.ts";
import { verifySplitView } from "../../../../host/log/split-view.ts";
import type { HeadsView } from "../../../../host/service/service.ts";
import { eventually } from "../../eventually.ts";
import { listen } from "../../http/listening.ts";
import { LOG_KEY, LOG_SIGNER, loggedOn, logTermsOf } from "../../service/logged-world.ts";
import { ServiceWorld } from "../../service/world.ts";
import { embedded } from "../../store/engines.ts";
import { TestLog } from "../../witness/rig.ts";
import { Boards, Daemons } from "./rig.ts";

const SHOWN = new TestLog({ key: LOG_KEY, signer: LOG_SIGNER }).grow(40);
const FORK = SHOWN.fork(10).grow(30, "fork");
const LOGS = [LOG_KEY];

const logged = loggedOn(embedded.place);
const open: ServiceWorld[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) await world.close();
});

/** A verifier of the agreement; the log lives elsewhere. */
async function verifier(): Promise<ServiceWorld> {
  const { witnesses } = await logged({ witnesses: 1 });
  const world = await ServiceWorld.open(embedded.place(), { agreement: { log: logTermsOf(witnesses) } });
  open.push(world);
  return world;
}

function between(worlds: Readonly<Record<string, ServiceWorld["service"]>>) {
  const found: HeadSplit[] = [];
  const members = Object.entries(worlds).map(([name, client]) => ({ name, client }));
  const exchange = new HeadExchange({ members, onSplit: (view) => found.push(view) });
  const ask = (name: string) => exchange.exchange(members.find((one) => one.name === name)!, LOGS);
  return { exchange, ask, found };
}

function proves({ note: first, otherNote: second, proof, log }: HeadSplit): boolean {
  verifySplitView({ first, second, ...(proof && { proof }) }, parseVkey(log));
  return true;
}

describe("an agent between two verifiers", () => {
  it("finds at the first exchange that they were shown two heads of one size, and both know it then", async () => {
    const [north, south] = [await verifier(), await verifier()];
    await north.service.offerLogHead(await SHOWN.request(0, 20));
    await south.service.offerLogHead(await FORK.request(0, 20));
    const { ask, found, exchange } = between({ north: north.service, south: south.service });
    await ask("north");
    expect(found).toHaveLength(1);
    expect(proves(found[0]!)).toBe(true);
    expect((await south.service.logHeads()).splitViews).toHaveLength(1);
    await ask("south");
    expect((await north.service.logHeads()).splitViews.every(proves)).toBe(true);
    expect((await north.service.logHeads()).splitViews).toHaveLength(1);
    // The one that north was shown first and the one that south was: the same two heads, each from its side.
    expect(exchange.shelf.splits.length).toBeGreaterThan(0);
    await ask("north");
    await ask("south");
    expect(found.length).toBe(exchange.shelf.splits.length);
  });

  it("finds heads of two sizes too, by the tiles of whoever keeps the log", async () => {
    const { world: keeper } = await logged({ witnesses: 1 });
    const own = openCheckpoint(await keeper.service.logCheckpoint(), LOG_KEY);
    await keeper.license(await keeper.enrolled());
    const south = await verifier();
    // Once it was shown the log as it is; then a fork of it.
    await south.service.offerLogHead(
      await new TestLog({ key: LOG_KEY, signer: LOG_SIGNER }).grow(own.size, "fork").request(0),
    );
    const { ask, found } = between({ keeper: keeper.service, south: south.service });
    await ask("keeper");
    const [view] = (await south.service.logHeads()).splitViews;
    expect(view).toMatchObject({ size: own.size, otherSize: expect.any(Number) });
    expect(view!.otherSize).toBeGreaterThan(own.size);
    expect(proves(view!)).toBe(true);
    expect(found.map(({ otherSize }) => otherSize)).toContain(view!.otherSize);
  });

  it("brings a verifier that lags what the other knows, with the path to it", async () => {
    const { world: keeper } = await logged({ witnesses: 1 });
    const first = openCheckpoint(await keeper.service.logCheckpoint(), LOG_KEY);
    const south = await verifier();
    const { ask, found } = between({ keeper: keeper.service, south: south.service });
    await ask("keeper");
    expect((await south.service.logHeads()).heads).toMatchObject([{ size: first.size, isLinked: true }]);
    await keeper.license(await keeper.enrolled());
    await ask("keeper");
    const { size, root } = openCheckpoint(await keeper.service.logCheckpoint(), LOG_KEY);
    expect((await south.service.logHeads()).heads).toMatchObject([{ size, root, isLinked: true }]);
    // What it has from the agent comes back to the log, and is known there.
    await ask("south");
    expect(found).toEqual([]);
  });

  it("believes nobody who only says that there are two histories", async () => {
    const north = await verifier();
    await north.service.offerLogHead(await SHOWN.request(0, 20));
    const liar = {
      ...north.service,
      offerLogHead: (text: string) => north.service.offerLogHead(text),
      logTile: async () => new Uint8Array(32),
      logHeads: async () => {
        const note = await SHOWN.note(20);
        const view = { log: (await north.service.logHeads()).heads[0]!.log, size: 20, root: SHOWN.root(20), note };
        const other = { otherSize: 20, otherRoot: FORK.root(20), otherNote: note, proof: undefined };
        return { heads: [], splitViews: [{ ...view, ...other, origin: LOG_KEY.name, foundMs: 1 }] };
      },
    };
    const found: HeadSplit[] = [];
    const exchange = new HeadExchange({
      members: [{ name: "liar", client: liar }],
      onSplit: (view) => found.push(view),
    });
    const asked = exchange.exchange({ name: "liar", client: liar }, LOGS);
    await expect(asked).rejects.toMatchObject({ code: "client/answer" });
    expect(found).toEqual([]);
  });

  it("takes from the notes what a head is, and what is called otherwise is its verifier's failure", async () => {
    const north = await verifier();
    const log = formatVkey(LOG_KEY);
    const good = {
      ...{ log, origin: LOG_KEY.name, size: 20, root: SHOWN.root(20), note: await SHOWN.note(20), isLinked: true },
    };
    const split = { ...good, otherSize: 20, otherRoot: FORK.root(20), otherNote: await FORK.note(20), foundMs: 1 };
    const [wrongSize, wrongRoot] = [21, FORK.root(21)];
    const answers: HeadsView[] = [
      ...[
        { size: wrongSize },
        { root: wrongRoot },
        { origin: "other.example/log" },
        { note: await SHOWN.note(21) },
      ].map((label) => ({ heads: [{ ...good, ...label }], splitViews: [] })),
      ...[{ size: wrongSize }, { root: wrongRoot }, { otherSize: wrongSize }, { otherRoot: wrongRoot }].map(
        (label) => ({
          heads: [],
          splitViews: [{ ...split, proof: undefined, ...label }],
        }),
      ),
    ];
    const found: HeadSplit[] = [];
    for (const answer of answers) {
      const client = { ...{ logTile: never, offerLogHead: never }, logHeads: async () => answer };
      const members = [
        { name: "liar", client },
        { name: "north", client: north.service },
      ];
      const exchange = new HeadExchange({ members, onSplit: (view) => found.push(view) });
      await expect(exchange.exchange(members[0]!, LOGS)).rejects.toMatchObject({ code: "client/answer" });
      expect(exchange.shelf.heads).toEqual([]);
    }
    expect([found, await north.service.logHeads()]).toEqual([[], { heads: [], splitViews: [] }]);
    // What it says besides is taken.
    const client = {
      ...{ logTile: never, offerLogHead: never },
      logHeads: async () => ({ heads: [{ ...good, size: 21 }, good], splitViews: [{ ...split, proof: undefined }] }),
    };
    const exchange = new HeadExchange({ members: [{ name: "north", client }], onSplit: (view) => found.push(view) });
    await expect(exchange.exchange({ name: "north", client }, LOGS)).rejects.toMatchObject({ code: "client/answer" });
    expect(exchange.shelf.newestHeads).toMatchObject([{ size: 20 }]);
    expect(found.map(proves)).toEqual([true]);
  });

  it("goes on where one does not answer, and has nothing to do without a log", async () => {
    const [north, south] = [await verifier(), await verifier()];
    await north.service.offerLogHead(await SHOWN.request(0, 20));
    const asked: string[] = [];
    const away = async (): Promise<never> => {
      asked.push("away");
      throw new ClientError("client/connect");
    };
    const members = [
      { name: "north", client: north.service },
      { name: "away", client: { logHeads: away, logTile: away, offerLogHead: away } },
      { name: "south", client: south.service },
    ];
    const exchange = new HeadExchange({ members, onSplit: () => {} });
    await exchange.exchange(members[1]!, []);
    expect(asked).toEqual([]);
    await expect(exchange.exchange(members[1]!, LOGS)).rejects.toMatchObject({ code: "client/connect" });
    await exchange.exchange(members[0]!, LOGS);
    expect(asked.length).toBeGreaterThan(1);
    expect((await south.service.logHeads()).heads).toMatchObject([{ size: 20 }]);
  });
});

describe("a verifier that means ill", () => {
  it("holds up the others by no answer of its own", async () => {
    const [north, south] = [await verifier(), await verifier()];
    await north.service.offerLogHead(await SHOWN.request(0, 20));
    let hang = () => {};
    const hangs = () =>
      new Promise<never>((_, reject) => {
        hang = () => reject(new ClientError("client/timeout"));
      });
    const members = [
      { name: "hangs", client: { logHeads: hangs, logTile: hangs, offerLogHead: async () => never() } },
      { name: "north", client: north.service },
      { name: "south", client: south.service },
    ];
    const exchange = new HeadExchange({ members, onSplit: () => {} });
    const hanging = exchange.exchange(members[0]!, LOGS);
    await exchange.exchange(members[1]!, LOGS);
    expect((await south.service.logHeads()).heads).toMatchObject([{ size: 20 }]);
    hang();
    await expect(hanging).rejects.toMatchObject({ code: "client/timeout" });
  });

  it("is not read where it says more than any verifier keeps", async () => {
    const shown: string[] = [];
    const head = {
      log: formatVkey(LOG_KEY),
      origin: LOG_KEY.name,
      size: 1,
      root: SHOWN.root(1),
      note: "",
      isLinked: false,
    };
    const client = (heads: number, splits: number) => ({
      logTile: never,
      offerLogHead: async (text: string) => {
        shown.push(text);
        return never();
      },
      logHeads: async () => {
        const view = { ...head, otherSize: 1, otherRoot: head.root, otherNote: "", proof: undefined, foundMs: 1 };
        return { heads: Array(heads).fill(head), splitViews: Array(splits).fill(view) };
      },
    });
    for (const [heads, splits] of [
      [HEADS_KEPT.unlinked + 2, 0],
      [0, SPLITS_KEPT + 1],
    ] as const) {
      const members = [
        { name: "floods", client: client(heads, splits) },
        { name: "other", client: client(0, 0) },
      ];
      const exchange = new HeadExchange({ members, onSplit: () => {} });
      await expect(exchange.exchange(members[0]!, LOGS)).rejects.toMatchObject({ code: "client/answer" });
    }
    // As many as there may be, of which none is a head of the log: nobody else hears of them.
    const members = [
      { name: "lies", client: client(HEADS_KEPT.unlinked + 1, 0) },
      { name: "other", client: client(0, 0) },
    ];
    const exchange = new HeadExchange({ members, onSplit: () => {} });
    await expect(exchange.exchange(members[0]!, LOGS)).rejects.toMatchObject({ code: "client/answer" });
    expect(shown).toEqual([]);
  });
});

async function never(): Promise<never> {
  throw new ClientError("client/connect");
}

describe("what an agent knows of logs", () => {
  it("outlives it, and a file that is none of its own is refused", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quiesce-heads-"));
    try {
      expect((await readHeads(folder)).heads).toEqual([]);
      const north = await verifier();
      await north.service.offerLogHead(await SHOWN.request(0, 20));
      await north.service.offerLogHead(await FORK.request(0, 20));
      const { ask, exchange } = between({ north: north.service });
      await ask("north");
      await writeHeads(folder, exchange.shelf);
      const read = await readHeads(folder);
      expect([read.heads, read.splits]).toEqual([exchange.shelf.heads, exchange.shelf.splits]);
      writeFileSync(join(folder, "heads.json"), "{}");
      await expect(readHeads(folder)).rejects.toMatchObject({ code: "agent/state" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is in its status, with the heads that prove it, when it runs as a daemon between two verifiers", async () => {
    const [north, south] = [await verifier(), await verifier()];
    await north.service.offerLogHead(await SHOWN.request(0, 20));
    await south.service.offerLogHead(await FORK.request(0, 20));
    const rigs = [await listen({ behind: north.service }), await listen({ behind: south.service })];
    const [boards, daemons] = [new Boards(), new Daemons()];
    try {
      const verifiers = rigs.map(({ port }, i) => ({ name: ["north", "south"][i]!, url: `http://127.0.0.1:${port}` }));
      const daemon = await daemons.start(boards, verifiers, { logLevel: "info" });
      await eventually(() => expect(daemon.status().log.splitViews.length).toBeGreaterThan(0));
      const { heads, splitViews } = daemon.status().log;
      expect(heads).toMatchObject([{ origin: LOG_KEY.name, size: 20 }]);
      const { first, second, proof } = splitViews[0]!;
      verifySplitView({ first, second, ...(proof && { proof: proof.map((hash) => fromBase64(hash)!) }) }, LOG_KEY);
      expect(daemons.log.some((line) => JSON.parse(line).msg === "split view")).toBe(true);
      await eventually(() => expect(existsSync(join(daemons.state, "heads.json"))).toBe(true));
      for (const { service } of [north, south]) {
        await eventually(async () => expect((await service.logHeads()).splitViews).not.toEqual([]));
      }
      const metrics = await rigs[0]!.rig.ask({ method: "GET", url: "/metrics" });
      expect(metrics.body).toMatch(/^quiesce_log_split_views [1-9]/m);
      expect(metrics.body).toContain(`quiesce_log_head_size{origin="${LOG_KEY.name}"} 20`);
    } finally {
      await daemons.close();
      await boards.close();
      for (const { listening } of rigs) await listening.close();
    }
  });
});
