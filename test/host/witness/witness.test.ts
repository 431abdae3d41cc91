/** A witness over time: restarts, requests that meet, random sequences against the rules, a store that is another's. */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddCheckpoint } from "../../../host/log/add-checkpoint.ts";
import { SqliteConnection } from "../../../host/store/sqlite/connection.ts";
import { WitnessBooks, WitnessStore } from "../../../host/witness/store.ts";
import { Witness } from "../../../host/witness/witness.ts";
import { codeOf, logPair, signedCheckpoint } from "../log/keys.ts";
import { ReferenceWitness, type Step } from "./reference-witness.ts";
import { logOf, ServedWitness, TestLog, WITNESS, withFolder, withWitness } from "./rig.ts";

const PAIR = logPair("log.example/north");
const OTHER = logPair("log.example/south", 2);

describe("a restart", () => {
  it("forgets nothing: neither heads nor conflicts, of any log", () =>
    withFolder(async (folder) => {
      const logs = [logOf(PAIR), logOf(OTHER)];
      const north = new TestLog(PAIR).grow(9);
      const south = new TestLog(OTHER).grow(4);
      const first = await ServedWitness.start(folder, logs);
      await first.post(await north.request(0, 5));
      await first.post(await south.request(0));
      await first.post(await south.fork(1).grow(3, "fork").request(4));
      const before = [first.store.heads(), first.store.conflicts()];
      await first.close();
      const second = await ServedWitness.start(folder, logs);
      try {
        expect([second.store.heads(), second.store.conflicts()]).toEqual(before);
        expect(await second.post(await north.request(0, 5))).toMatchObject({ status: 409, text: "5\n" });
        expect((await second.post(await north.request(5))).status).toBe(200);
      } finally {
        await second.close();
      }
    }));

  it("keeps heads of logs that are no longer configured, for when they are again", () =>
    withFolder(async (folder) => {
      const log = new TestLog(PAIR).grow(4);
      const statuses: number[] = [];
      for (const logs of [[logOf(PAIR)], [], [logOf(PAIR)]]) {
        const served = await ServedWitness.start(folder, logs);
        statuses.push((await served.post(await log.request(0))).status);
        await served.close();
      }
      expect(statuses).toEqual([200, 404, 409]);
    }));
});

describe("requests that meet", () => {
  it("end with the newest head, however many come at once: none is rolled back", () =>
    withWitness([logOf(PAIR)], async (served) => {
      const log = new TestLog(PAIR).grow(40);
      await served.post(await log.request(0, 8));
      const sizes = Array.from({ length: 32 }, (_, index) => 9 + index);
      const requests = await Promise.all(sizes.map((size) => log.request(8, size)));
      const answers = await Promise.all(requests.map((body) => served.post(body)));
      const cosigned = sizes.filter((_, index) => answers[index]!.status === 200);
      // Each begins at the head of 8: one of them goes on from it, and for the others it is another's by then.
      expect(cosigned).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(31);
      expect(served.store.newestHead(log.origin)?.size).toBe(cosigned[0]);
    }));

  it("of sizes N and N + K are judged in turn, in either order", () =>
    withWitness([logOf(PAIR)], async (served) => {
      const log = new TestLog(PAIR).grow(60);
      let known = 0;
      for (let round = 0; round < 10; round++) {
        const sizes = round % 2 === 0 ? [known + 2, known + 5] : [known + 5, known + 2];
        const bodies = await Promise.all(sizes.map((size) => log.request(known, size)));
        const answers = await Promise.all(bodies.map((body) => served.post(body)));
        const won = sizes.filter((_, index) => answers[index]!.status === 200);
        expect(won).toHaveLength(1);
        known = served.store.newestHead(log.origin)!.size;
        expect(known).toBe(won[0]);
      }
    }));

  it("of several logs do not wait for each other's heads", () =>
    withWitness([logOf(PAIR), logOf(OTHER)], async (served) => {
      const logs = [new TestLog(PAIR).grow(3), new TestLog(OTHER).grow(5)];
      const answers = await Promise.all(logs.map(async (log) => served.post(await log.request(0))));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(served.store.heads().map(({ size }) => size)).toEqual([3, 5]);
    }));

  it("are refused at the store too, should a head come in between", () =>
    withFolder(async (folder) => {
      const store = WitnessStore.open(folder);
      const log = new TestLog(PAIR).grow(9);
      const head = (size: number) => ({ origin: log.origin, size, root: log.root(size), note: "note", seconds: 1 });
      await store.advance(undefined, head(4));
      for (const before of [undefined, head(3), { ...head(4), root: log.root(5) }]) {
        await expect(store.advance(before, head(9))).rejects.toMatchObject({ code: "store/constraint" });
      }
      await expect(store.advance(head(4), head(3))).rejects.toMatchObject({ code: "store/constraint" });
      expect(store.newestHead(log.origin)?.size).toBe(4);
      await store.advance(head(4), head(9));
      expect(store.newestHead(log.origin)?.size).toBe(9);
      store.close();
    }));
});

describe("any sequence of requests", () => {
  it("is answered as the rules say", async () => {
    const main = new TestLog(PAIR).grow(24);
    const logs = [main, main.fork(7).grow(17, "fork"), main.fork(0).grow(24, "other")];
    const steps = fc.array(
      fc.record({
        log: fc.constantFrom(...logs, main, main, main),
        // Mostly the size that the witness knows, as a log that keeps up would say it.
        oldSize: fc.option(fc.nat(24), { nil: undefined, freq: 4 }),
        grown: fc.nat(6),
        proof: fc.constantFrom("right" as const, "right" as const, "right" as const, "wrong" as const),
        signer: fc.constantFrom("log" as const, "log" as const, "log" as const, "stranger" as const),
      }),
      { maxLength: 24 },
    );
    await fc.assert(
      fc.asyncProperty(steps, (sequence) =>
        withFolder(async (folder) => {
          const store = WitnessStore.open(folder);
          const { key, signer } = WITNESS;
          const witness = new Witness({ key, signer, logs: [logOf(PAIR)], store, nowSeconds: () => 1 });
          const reference = new ReferenceWitness();
          for (const { oldSize: given, grown, ...rest } of sequence) {
            const oldSize = given ?? reference.head?.size ?? 0;
            const step = { ...rest, oldSize, size: Math.min(24, oldSize + grown) };
            const expected = reference.answer(step);
            const answer = await witness.addCheckpoint(Buffer.from(await bodyOf(step)));
            expect(answer.status, JSON.stringify({ ...step, log: logs.indexOf(step.log) })).toBe(expected.status);
            if (answer.status === 409) expect(answer.text).toBe(`${expected.size}\n`);
            const head = store.newestHead(PAIR.key.name);
            expect(head && { size: head.size, root: Buffer.from(head.root).toString("hex") }).toEqual(reference.head);
          }
          store.close();
        }),
      ),
      { numRuns: 40 },
    );
  });
});

async function bodyOf({ log, oldSize, size, proof, signer }: Step): Promise<string> {
  const right = oldSize <= size ? log.proof(oldSize, size) : [];
  const pair = signer === "log" ? log.pair : logPair(log.origin, 9);
  return formatAddCheckpoint({
    oldSize,
    proof: proof === "right" ? right : [...right, new Uint8Array(32)],
    note: await signedCheckpoint(pair, { size, root: log.root(size) }),
  });
}

describe("the store", () => {
  it("is one process's: a second is refused until the first has ended", () =>
    withFolder(async (folder) => {
      const store = WitnessStore.open(folder);
      expect(codeOf(() => WitnessStore.open(folder))).toBe("store/locked");
      store.close();
      WitnessStore.open(folder).close();
    }));

  it("is read beside it, without a lock, and only read", () =>
    withFolder(async (folder) => {
      expect(codeOf(() => WitnessBooks.read(folder))).toBe("store/missing");
      const store = WitnessStore.open(folder);
      const books = WitnessBooks.read(folder);
      const log = new TestLog(PAIR).grow(3);
      await store.advance(undefined, { origin: log.origin, size: 3, root: log.root(), note: "note", seconds: 1 });
      expect(books.heads()).toEqual(store.heads());
      books.close();
      store.close();
    }));

  it("keeps the newest 256 heads of each log", () =>
    withFolder(async (folder) => {
      const store = WitnessStore.open(folder);
      const head = (size: number) => ({ origin: "a", size, root: new Uint8Array(32), note: "note", seconds: 1 });
      for (let size = 1; size <= 260; size++) await store.advance(size === 1 ? undefined : head(size - 1), head(size));
      expect([4, 5, 260].map((size) => store.headOf("a", size)?.size)).toEqual([undefined, 5, 260]);
      store.close();
    }));

  it("is no other program's, and no newer one's", () =>
    withFolder(async (folder) => {
      WitnessStore.open(folder).close();
      const change = (sql: string) => {
        const connection = new SqliteConnection(join(folder, "witness.db"));
        connection.run(sql);
        connection.close();
      };
      change("PRAGMA user_version = 2");
      expect(codeOf(() => WitnessStore.open(folder))).toBe("store/newer");
      expect(codeOf(() => WitnessBooks.read(folder))).toBe("store/newer");
      change("PRAGMA user_version = 1; PRAGMA application_id = 7");
      expect(codeOf(() => WitnessStore.open(folder))).toBe("store/foreign");
    }));
});

describe("a signer that fails", () => {
  it("leaves the head as it was: nothing is stored that was not cosigned", () =>
    withFolder(async (folder) => {
      const store = WitnessStore.open(folder);
      const log = new TestLog(PAIR).grow(3);
      const signer = {
        publicKey: WITNESS.signer.publicKey,
        sign: async () => {
          throw new Error("away");
        },
      };
      const witness = new Witness({ key: WITNESS.key, signer, logs: [logOf(PAIR)], store, nowSeconds: () => 1 });
      await expect(witness.addCheckpoint(Buffer.from(await log.request(0)))).rejects.toThrow("away");
      expect(store.heads()).toEqual([]);
      store.close();
    }));
});
