import { describe, expect, test } from "vitest";
import { Earliest } from "../../../fleet/engine/earliest.ts";
import { signerBottleneck } from "../../../fleet/studies/signer-bottleneck.ts";
import { Random } from "../../../sim-board/random.ts";
import { judge, parametersOf, runStudy } from "./judge.ts";

describe("renewals after an outage", () => {
  test("take the boards over the signer's speed, and the order of the queue decides who stands still", async () => {
    const found = await judge(signerBottleneck, "signer-bottleneck");
    const at = (outage: number, order: string) =>
      found.get(`signaturesPerSecond=8.7, outageSeconds=${outage}, queueOrder=${order}`)![0]!;
    const [short, long] = [17_280, 69_120];
    expect(at(short, "arrival").boardsStoppedByQueue!).toBeGreaterThan(30);
    expect(at(short, "expiry").boardsStoppedByQueue!).toBeLessThan(at(short, "arrival").boardsStoppedByQueue! / 10);
    // After a long outage those who stand still already hold the others up, unless these come first.
    expect(at(long, "expiry").boardsStoppedByQueue!).toBeGreaterThan(at(long, "arrival").boardsStoppedByQueue!);
    expect(at(long, "rescue").boardsStoppedByQueue!).toBeLessThan(at(long, "arrival").boardsStoppedByQueue! / 10);
    for (const order of ["arrival", "rescue"]) {
      expect(at(long, "expiry").boardHoursLost!).toBeLessThan(at(long, order).boardHoursLost!);
    }
    for (const seeds of found.values()) {
      for (const measures of seeds) {
        expect(measures.boardsStopped).toBe(measures.boardsStoppedByOutage! + measures.boardsStoppedByQueue!);
        expect(measures.queueBoardsMax!).toBeLessThanOrEqual(20_000);
      }
    }
  });

  test("without an outage, and a signer that keeps up, nobody stands still", async () => {
    const calm = parametersOf(signerBottleneck, {
      boards: 5000,
      outageSeconds: 0,
      signaturesPerSecond: 1,
      horizonSeconds: 200_000,
    });
    const { measures } = await runStudy(signerBottleneck, calm, "1");
    expect(measures).toMatchObject({ boardsDue: 0, boardsStopped: 0, boardHoursLost: 0, serveAllSeconds: 0 });
  });

  test("a signer slower than the renewals never catches up, and no time is made up for it", async () => {
    const slow = parametersOf(signerBottleneck, { boards: 5000, signaturesPerSecond: 0.05, horizonSeconds: 40_000 });
    const { measures } = await runStudy(signerBottleneck, slow, "1");
    expect(measures.signerLoadShare!).toBeGreaterThan(1);
    expect(measures.queueEmptySeconds).toBeUndefined();
    expect(measures.queueEmptySecondsByFormula).toBeUndefined();
    expect(measures.boardsWaitingAtEnd!).toBeGreaterThan(0);
  });

  test("two signers serve half each, in half the time", async () => {
    const run = async (signers: number) => {
      const parameters = parametersOf(signerBottleneck, { boards: 20_001, signers, outageSeconds: 69_120 });
      return (await runStudy(signerBottleneck, parameters, "1")).measures;
    };
    const [one, two] = [await run(1), await run(2)];
    expect(two.boardsDue).toBe(20_001);
    expect(one.boardsDue).toBe(20_001);
    expect(Math.abs((2 * two.serveAllSeconds!) / one.serveAllSeconds! - 1)).toBeLessThan(0.05);
  });
});

test("the heap gives back what was put in, least first, and equals in their order", () => {
  const random = new Random("heap");
  const heap = new Earliest<number>();
  const numbers = Array.from({ length: 2000 }, () => random.below(100));
  numbers.forEach((number, order) => {
    heap.add(number, order);
  });
  const taken = numbers.map(() => heap.take()!);
  const sorted = numbers
    .map((number, order) => ({ number, order }))
    .sort((a, b) => a.number - b.number || a.order - b.order);
  expect(taken).toEqual(sorted.map(({ order }) => order));
  expect([heap.take(), heap.size, heap.at]).toEqual([undefined, 0, Number.POSITIVE_INFINITY]);
});
