/** What those who ask through a batcher may rely on. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batcher, type Result } from "../../../host/store/batcher.ts";

const value = <A>(answer: A): Result<A> => ({ ok: true, value: answer });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** Two turns: in the first one what was asked is taken, or what is done makes room. */
const settled = async () => {
  await turn();
  await turn();
};

/** A run that a test lets go on. */
function gated<Q>() {
  const runs: { items: readonly Q[]; finish: () => void }[] = [];
  const run = (items: readonly Q[]) =>
    new Promise<readonly Result<Q>[]>((resolve) => runs.push({ items, finish: () => resolve(items.map(value)) }));
  return { runs, run };
}

describe("a batcher", () => {
  it("gives each who asks their own answer, once, whatever arrives when and fails", async () => {
    const asks = fc.array(
      fc.record({ id: fc.nat(), fails: fc.boolean(), turnsBefore: fc.nat({ max: 2 }), isTogether: fc.boolean() }),
      { maxLength: 60 },
    );
    const shape = fc.record({ itemsMax: fc.integer({ min: 1, max: 9 }), lanes: fc.integer({ min: 1, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        asks,
        shape,
        fc.array(fc.nat({ max: 3 }), { minLength: 1 }),
        async (items, { itemsMax, lanes }, waits) => {
          let runs = 0;
          let running = 0;
          const seen: (typeof items)[number][] = [];
          const batcher = new Batcher<(typeof items)[number], string>({
            itemsMax,
            lanes,
            queueMax: 1_000,
            run: async (batch) => {
              running += 1;
              runs += 1;
              expect(running).toBeLessThanOrEqual(lanes);
              expect(batch.length).toBeLessThanOrEqual(itemsMax);
              seen.push(...batch);
              for (let turns = waits[runs % waits.length]!; turns > 0; turns -= 1) await turn();
              running -= 1;
              return batch.map((item) =>
                item.fails ? { ok: false, error: `no ${item.id}` } : value(`yes ${item.id}`),
              );
            },
          });
          const answers: Promise<string>[] = [];
          for (const item of items) {
            if (!item.isTogether) for (let turns = item.turnsBefore; turns > 0; turns -= 1) await turn();
            answers.push(batcher.ask(item).catch((error) => error as string));
          }
          expect(await Promise.all(answers)).toEqual(items.map(({ id, fails }) => `${fails ? "no" : "yes"} ${id}`));
          // Each item was served once, and they were taken in the order of asking.
          expect(seen).toEqual(items);
        },
      ),
    );
  });

  it("serves what arrives together in one run, and what arrives meanwhile in the next", async () => {
    const { runs, run } = gated<number>();
    const batcher = new Batcher<number, number>({ itemsMax: 10, lanes: 1, queueMax: 10, run });
    const first = [batcher.ask(1), batcher.ask(2)];
    await settled();
    const second = [batcher.ask(3), batcher.ask(4), batcher.ask(5)];
    await settled();
    expect(runs.map(({ items }) => items)).toEqual([[1, 2]]);
    runs[0]!.finish();
    expect(await Promise.all(first)).toEqual([1, 2]);
    await settled();
    expect(runs[1]!.items).toEqual([3, 4, 5]);
    runs[1]!.finish();
    expect(await Promise.all(second)).toEqual([3, 4, 5]);
  });

  it("starts at once when nothing is under way", async () => {
    const { runs, run } = gated<number>();
    const batcher = new Batcher<number, number>({ itemsMax: 10, lanes: 2, queueMax: 10, run });
    for (const item of [1, 2]) {
      void batcher.ask(item);
      await settled();
    }
    expect(runs.map(({ items }) => items)).toEqual([[1], [2]]);
  });

  it("refuses more than may wait, and serves on", async () => {
    const { runs, run } = gated<number>();
    const batcher = new Batcher<number, number>({ itemsMax: 1, lanes: 1, queueMax: 2, run });
    const answers = [batcher.ask(1)];
    await settled();
    answers.push(batcher.ask(2), batcher.ask(3));
    await expect(batcher.ask(4)).rejects.toMatchObject({ code: "store/busy" });
    for (const n of [0, 1, 2]) {
      runs[n]!.finish();
      await answers[n];
      await settled();
    }
    expect(await Promise.all(answers)).toEqual([1, 2, 3]);
  });

  it.each([
    ["a run that throws", async () => Promise.reject(new Error("lost"))],
    [
      "a run that throws before it starts",
      (): never => {
        throw new Error("lost");
      },
    ],
    ["too few results", async () => [value(1)]],
  ])("tells all of its items of %s, and serves the next", async (_, broken) => {
    let isBroken = true;
    const run = (items: readonly number[]) => (isBroken ? broken() : Promise.resolve(items.map(value)));
    const batcher = new Batcher<number, number>({ itemsMax: 10, lanes: 1, queueMax: 10, run });
    const results = await Promise.allSettled([batcher.ask(1), batcher.ask(2)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    isBroken = false;
    expect(await batcher.ask(3)).toBe(3);
  });

  it("tells who counts of each run that ended well: its time, and how many it was for", async () => {
    const told: [number, number][] = [];
    let fails = false;
    const batcher = new Batcher<number, number>({
      itemsMax: 8,
      lanes: 1,
      queueMax: 8,
      run: async (items) => {
        if (fails) throw new Error("no");
        return items.map(value);
      },
      observe: (seconds, items) => told.push([seconds, items]),
    });
    await Promise.all([1, 2, 3].map((item) => batcher.ask(item)));
    expect(told).toEqual([[expect.any(Number), 3]]);
    expect(told[0]![0]).toBeGreaterThanOrEqual(0);
    fails = true;
    await expect(batcher.ask(4)).rejects.toThrow("no");
    expect(told).toHaveLength(1);
  });
});
