/** Gossip at a verifier: heads that it is shown, of its own log and of others', in any order and on both engines. */
import { describe, expect, it } from "vitest";
import { formatAddCheckpoint } from "../../../host/log/add-checkpoint.ts";
import { openCheckpoint } from "../../../host/log/checkpoint.ts";
import { HEADS_KEPT } from "../../../host/log/heads.ts";
import { formatVkey, parseVkey } from "../../../host/log/note.ts";
import { verifySplitView } from "../../../host/log/split-view.ts";
import { readEntries } from "../../../host/service/log/rows.ts";
import type { HeadsView } from "../../../host/service/service.ts";
import { engines } from "../store/engines.ts";
import { TestLog } from "../witness/rig.ts";
import { LOG_KEY, LOG_SIGNER, loggedOn, logTermsOf } from "./logged-world.ts";
import { asyncSigner, ServiceWorld } from "./world.ts";

/** Signed by the key of the agreement's log: what that log might have shown to somebody. */
const SHOWN = new TestLog({ key: LOG_KEY, signer: LOG_SIGNER }).grow(40);
const FORK = SHOWN.fork(10).grow(30, "fork");

function provesSplit({ splitViews }: HeadsView): boolean {
  for (const { note: first, otherNote: second, proof, log } of splitViews) {
    verifySplitView({ first, second, proof }, parseVkey(log));
  }
  return splitViews.length > 0;
}

describe.each(engines)("a verifier on $engine", ({ place }) => {
  const logged = loggedOn(place);

  /** One whose agreement names the log, which lives elsewhere. */
  async function elsewhere<T>(work: (world: ServiceWorld) => Promise<T>): Promise<T> {
    const { witnesses } = await logged({ witnesses: 1 });
    const world = await ServiceWorld.open(place(), { agreement: { log: logTermsOf(witnesses) } });
    try {
      return await work(world);
    } finally {
      await world.close();
    }
  }

  it("takes heads of a log that lives elsewhere, each as its path says", () =>
    elsewhere(async ({ service }) => {
      const offer = async (text: Promise<string>) => service.offerLogHead(await text);
      const answer = (outcome: string, size: number) => ({ outcome, origin: LOG_KEY.name, size });
      expect(await service.logHeads()).toEqual({ heads: [], splitViews: [] });
      expect(await offer(SHOWN.request(0, 12))).toEqual(answer("taken", 12));
      expect(await offer(SHOWN.request(0, 12))).toEqual(answer("known", 12));
      expect(await offer(SHOWN.request(0, 20))).toEqual(answer("unlinked", 12));
      expect(await offer(SHOWN.request(12, 20))).toEqual(answer("taken", 20));
      expect(await offer(SHOWN.request(0, 5))).toEqual(answer("older", 20));
      const { heads, splitViews } = await service.logHeads();
      expect(heads).toMatchObject([
        { origin: LOG_KEY.name, log: formatVkey(LOG_KEY), size: 20, isLinked: true },
        { size: 5, isLinked: false },
      ]);
      expect(openCheckpoint(heads[0]!.note, LOG_KEY).root).toEqual(SHOWN.root(20));
      expect(splitViews).toEqual([]);
    }));

  it("finds two heads of one size, and a larger one whose tree begins otherwise; and keeps both for ever", () =>
    elsewhere(async ({ service, store, nowMs }) => {
      await service.offerLogHead(await SHOWN.request(0, 13));
      expect(await service.offerLogHead(await FORK.request(0, 13))).toMatchObject({ outcome: "split-view", size: 13 });
      expect(await service.offerLogHead(await FORK.request(13, 30))).toMatchObject({ outcome: "split-view", size: 13 });
      // Nothing is found twice.
      await service.offerLogHead(await FORK.request(0, 13));
      const known = await service.logHeads();
      expect(known.splitViews.map(({ size, otherSize }) => [size, otherSize])).toEqual([
        [13, 13],
        [13, 30],
      ]);
      expect(known.splitViews[0]!.foundMs).toBe(nowMs);
      expect(provesSplit(known)).toBe(true);
      await expect(store.db.selectFrom("split_views").selectAll().execute()).resolves.toHaveLength(2);
    }));

  it("keeps the first of the heads that no path leads to, whatever the log signs after them", () =>
    elsewhere(async ({ service }) => {
      const log = new TestLog({ key: LOG_KEY, signer: LOG_SIGNER }).grow(80);
      await service.offerLogHead(await log.request(0));
      const { unlinked } = HEADS_KEPT;
      for (let size = 1; size <= unlinked + 3; size++) {
        expect(await service.offerLogHead(await log.request(0, size))).toMatchObject({ outcome: "older" });
      }
      const sizes = async () => (await service.logHeads()).heads.map(({ size }) => size);
      const first = Array.from({ length: unlinked }, (_, i) => i + 1);
      expect(await sizes()).toEqual([80, ...first]);
      expect(await service.offerLogHead(await log.request(5))).toMatchObject({ outcome: "known" });
      await service.offerLogHead(await log.request(0, 70));
      expect(await sizes()).toEqual([80, ...first.filter((size) => size !== 5), 70]);
    }));

  it("compares what it is shown with the log that it keeps, by its own tiles", async () => {
    const { world } = await logged({ witnesses: 1 });
    const { service } = world;
    const own = openCheckpoint(await service.logCheckpoint(), LOG_KEY);
    const first = await service.logHeads();
    expect(first.heads).toMatchObject([{ size: own.size, root: own.root, isLinked: true }]);
    await world.license(await world.enrolled());
    const later = openCheckpoint(await service.logCheckpoint(), LOG_KEY);
    expect(later.size).toBeGreaterThan(own.size);
    expect((await service.logHeads()).heads).toMatchObject([{ size: later.size, root: later.root }]);
    // Its own earlier head is of its tree; another of a size in between is not.
    const offer = (note: string) => service.offerLogHead(formatAddCheckpoint({ oldSize: 0, proof: [], note }));
    expect(await offer(own.note)).toMatchObject({ outcome: "known", size: later.size });
    expect(await offer(await SHOWN.note(later.size - 1))).toMatchObject({ outcome: "split-view" });
    expect(await offer(await SHOWN.note(later.size))).toMatchObject({ outcome: "split-view" });
    expect(provesSplit(await service.logHeads())).toBe(true);
  });

  it("keeps a head that is beyond its own log for whoever can say more", async () => {
    const { world } = await logged({ witnesses: 1 });
    expect(await world.service.offerLogHead(await SHOWN.request(0, 40))).toMatchObject({ outcome: "unlinked" });
    expect((await world.service.logHeads()).heads).toMatchObject([{ isLinked: true }, { size: 40, isLinked: false }]);
  });

  it("says of no head what its own log is too short for", async () => {
    const { world } = await logged({ witnesses: 1 });
    const { service, store } = world;
    const own = openCheckpoint(await service.logCheckpoint(), LOG_KEY);
    const beyond = new TestLog({ key: LOG_KEY, signer: LOG_SIGNER }, await readEntries(store.db, 0, own.size)).grow(
      300,
    );
    expect(beyond.root(own.size)).toEqual(own.root);
    expect(await service.offerLogHead(await beyond.request(own.size, own.size + 5))).toMatchObject({
      outcome: "taken",
    });
    const size = own.size + 5;
    expect(await service.offerLogHead(await beyond.request(0, own.size + 2))).toMatchObject({ outcome: "older", size });
    expect(await service.offerLogHead(await beyond.request(own.size + 2, size))).toMatchObject({ outcome: "known" });
    // Of more tiles than it has.
    expect(await service.offerLogHead(await beyond.request(size))).toMatchObject({ outcome: "taken" });
    expect(await service.offerLogHead(await beyond.request(0, 280))).toMatchObject({ outcome: "older" });
  });

  it("compares its own head with another of the same size that was there first, and with larger ones", async () => {
    const { world } = await logged({ witnesses: 1 });
    const { service, store } = world;
    const device = await world.enrolled();
    const ownSize = async () => openCheckpoint(await service.logCheckpoint(), LOG_KEY).size;
    const first = await ownSize();
    await world.license(device);
    const second = await ownSize();
    const third = 2 * second - first;
    const entries = await readEntries(store.db, 0, second);
    const fork = new TestLog({ key: LOG_KEY, signer: LOG_SIGNER }, entries).grow(20, "fork");
    expect(await service.offerLogHead(await fork.request(second, third))).toMatchObject({ outcome: "taken" });
    expect(await service.offerLogHead(await fork.request(third, third + 9))).toMatchObject({ outcome: "taken" });
    await world.license(device);
    expect(await ownSize()).toBe(third);
    const view = await service.logHeads();
    expect(view.splitViews).toMatchObject([{ size: third, otherSize: third, root: fork.root(third) }]);
    expect(provesSplit(view)).toBe(true);
    // Of a size that nobody was shown it waits beside the larger one.
    await world.license(device);
    const own = openCheckpoint(await service.logCheckpoint(), LOG_KEY);
    expect((await service.logHeads()).heads).toMatchObject([
      { size: third + 9, isLinked: true },
      { size: own.size, root: own.root, isLinked: false },
    ]);
  });

  it("has no business with logs that no agreement names", async () => {
    const world = await ServiceWorld.open(place(), {
      log: { origin: LOG_KEY.name, signer: asyncSigner(LOG_SIGNER), witnesses: [] },
    });
    try {
      const code = await SHOWN.request(0, 5).then((text) =>
        world.service.offerLogHead(text).catch((error: { code: string }) => error.code),
      );
      expect(code).toBe("log/head-unknown");
      expect(await world.service.logHeads()).toEqual({ heads: [], splitViews: [] });
    } finally {
      await world.close();
    }
  });
});
