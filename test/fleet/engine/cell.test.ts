/** Fleets of a few boards with the real firmware: what a pause, an outage, a cheat and a drain come to. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TRAITS } from "../../../fleet/actors/strategies.ts";
import { Cell } from "../../../fleet/engine/cell.ts";
import { fleet } from "../../../fleet/studies/fleet/fleet.ts";
import type { Measures } from "../../../fleet/study.ts";
import type { BoardEvent } from "../../../sim-board/events.ts";
import { InvariantBroken } from "../../../sim-board/invariants/broken.ts";
import { governorImage } from "../../rig.ts";
import { sharedPath } from "../../shared.ts";
import { parametersOf } from "../parameters.ts";

/** One of eight ranks of an all-reduce of 1 MiB, which sends and receives 1,835,008 bytes in 4.08 µs. */
const ET = sharedPath("traces/astra-sim/all_reduce_8npus_1MB/all_reduce.0.et");
/** 512 GB200: 1,846 TFLOP/s a board (shared figures). */
const LOG = sharedPath("traces/mlperf-training-v5.0/NVIDIA_tyche_512xGB200_llama31_405b_result_0.txt");

const PAUSED = {
  timeline: [
    { atSeconds: 300, do: "pause" },
    { atSeconds: 780, do: "resume" },
  ],
  durationSeconds: 1000,
};
const BASE = { boards: { count: 4, perCell: 2, timerSeconds: 2 }, operator: { beaconSeconds: 30 }, seriesPoints: 10 };

function merge(...changes: object[]): object {
  return changes.reduce((sum: Record<string, unknown>, change) => {
    for (const [name, value] of Object.entries(change)) {
      const isGroup = typeof value === "object" && !Array.isArray(value);
      sum[name] = isGroup ? { ...(sum[name] as object), ...value } : value;
    }
    return sum;
  }, {}) as object;
}

async function run(
  change: object,
  seed = "1",
): Promise<{ measures: Measures; json: string; atWork: readonly number[] }> {
  const parameters = parametersOf(merge(BASE, change));
  const cells = [];
  for (let cell = 0; cell < fleet.cells(parameters); cell++) cells.push(await fleet.run(parameters, { seed, cell }));
  const { measures, series } = fleet.merge(parameters, cells);
  return { measures, json: JSON.stringify(cells), atWork: series![0]!.points.map(([, count]) => count) };
}

describe("a fleet", () => {
  it("is one run for one seed, and another for another, with the invariants on", async () => {
    const [one, again, other] = [await run(PAUSED), await run(PAUSED), await run(PAUSED, "2")];
    expect(again.json).toBe(one.json);
    expect(other.json).not.toBe(one.json);
    expect(one.measures.checks).toBeGreaterThan(1000);
  });

  it("names the board that breaks an invariant, and when", () => {
    const parameters = parametersOf(merge(BASE, PAUSED));
    const cell = new Cell({ image: governorImage(), parameters, seed: "1", cell: 1 });
    const planted = (event: BoardEvent) => {
      if (event.kind === "gate") throw new InvariantBroken("S2", "planted");
    };
    cell.bank.board.subscribe({ observe: planted, snapshot: () => undefined, restore: () => undefined });
    expect(() => cell.run()).toThrow(/^S2 is broken \(.*\): board [23] at \d+ ns: planted$/);
  });

  it("works, stops at an order and works again after a resume, and reports all that it did", async () => {
    const { measures, atWork } = await run({ ...PAUSED, signaturesChecked: true });
    expect(measures).toMatchObject({ boards: 4, workedAtPause: 4, neverClosed: 0, resumed: 4, falseStops: 0 });
    expect(measures).toMatchObject({ availability: 1, misreported: 0, refusals: 0 });
    // The order comes by the wire, and a license of the new epoch takes two ways more.
    expect([measures.closedSecondsMax, measures.resumedSecondsMax]).toEqual([0.05, 0.15]);
    expect(measures.leakOperations).toBe(4 * 0.05 * 1e15);
    expect(atWork).toEqual([0, 4, 4, 4, 0, 0, 0, 0, 4, 4]);
  });

  it("ends with its licenses where nobody signs another", async () => {
    const stop = { timeline: [{ atSeconds: 300, do: "stop-licenses" }], durationSeconds: 1000 };
    const { measures } = await run({
      ...stop,
      agreement: { licenseSeconds: 400 },
      operator: { renewAfterPermille: 500 },
    });
    expect(measures).toMatchObject({ workedAtPause: 4, neverClosed: 0 });
    expect(measures.closedSecondsMin).toBeGreaterThan(199);
    expect(measures.closedSecondsMax).toBeLessThanOrEqual(measures.leakBoundSeconds!);
    expect(measures.leakOperations).toBeLessThanOrEqual(measures.leakBoundOperations!);
  });

  it("goes on through an outage that is shorter than its slack, and stops for as long as a longer one takes", async () => {
    const during = (seconds: number) => ({
      agreement: { licenseSeconds: 400 },
      operator: { startSpreadSeconds: 1, retrySeconds: 1 },
      outages: [{ fromSeconds: 150, seconds, of: "verifier" }],
      durationSeconds: 1000,
    });
    const [short, long] = [await run(during(200)), await run(during(300))];
    expect(short.measures).toMatchObject({ falseStops: 0, availability: 1 });
    expect(long.measures).toMatchObject({ falseStops: 4, misreported: 0 });
    expect(long.measures.availability).toBeLessThan(1);
  });

  it("works at the share of its rate that an order leaves it", async () => {
    const timeline = [{ atSeconds: 300, do: "slow", permille: 250 }];
    const { measures } = await run({ timeline, durationSeconds: 2300, agreement: { sliceSeconds: 20 } });
    expect(measures.workAfterShare).toBeGreaterThan(0.24);
    expect(measures.workAfterShare).toBeLessThan(0.27);
  });

  it("hears nothing sooner than the wire brings it, neither an order nor a beacon that names one", async () => {
    const slow = { latencyMs: 20_000, beaconSeconds: 10 };
    const { measures } = await run({ ...PAUSED, operator: slow });
    expect([measures.closedSecondsMin, measures.closedSecondsMax]).toEqual([20, 20]);
    const stop = { timeline: [{ atSeconds: 300, do: "stop-beacons" }], durationSeconds: 1000 };
    const [near, far] = [
      await run({ ...stop, agreement: { leaseSeconds: 200 } }),
      await run({ ...stop, operator: slow, agreement: { leaseSeconds: 200 } }),
    ];
    // Beacons that were under way arrive all the same: what counts is when they were signed.
    expect(Math.abs(far.measures.closedSecondsMax! - near.measures.closedSecondsMax!)).toBeLessThan(31);
    expect(far.measures.closedSecondsMax).toBeGreaterThan(150);
  });

  it("leaves no board behind that is switched on while an order is under way, or between a pause and its end", async () => {
    const timeline = [
      { atSeconds: 300, do: "pause" },
      { atSeconds: 600, do: "resume" },
    ];
    const operator = { startSpreadSeconds: 900, latencyMs: 60_000, beaconSeconds: 30 };
    const { measures, atWork } = await run({ boards: { count: 12 }, timeline, operator, durationSeconds: 1500 });
    expect(measures.boards).toBe(12);
    expect(measures.resumed).toBe(measures.workedAtPause);
    expect(atWork.at(-1)).toBe(12);
  });

  it("goes on after every resume, however often it is stopped", async () => {
    const timeline = [100, 400].flatMap((at) => [
      { atSeconds: at, do: "stop-licenses" },
      { atSeconds: at + 200, do: "resume" },
    ]);
    const { atWork } = await run({ timeline, durationSeconds: 1000, agreement: { licenseSeconds: 60 } });
    expect(atWork).toEqual([0, 4, 0, 0, 4, 0, 0, 4, 4, 4]);
  });

  it("saves its jobs in a drain that is long enough, and computes nothing meanwhile", async () => {
    const load = { checkpointBytes: 3e10, checkpointBytesPerSecond: 1e9 };
    const drain = (drainSeconds: number) => run({ ...PAUSED, load, agreement: { drainSeconds, drainBytes: 6e10 } });
    const [long, short, none] = [await drain(60), await drain(10), await drain(0)];
    expect(long.measures).toMatchObject({ checkpointsSaved: 4, checkpointsMissed: 0, operationsUnsaved: 0 });
    expect(long.measures.quietSecondsMax).toBeCloseTo(30.05, 1);
    for (const { measures } of [short, none]) {
      expect(measures).toMatchObject({ checkpointsSaved: 0, checkpointsMissed: 4, resumed: 4 });
      expect(measures.operationsUnsaved).toBeGreaterThan(0);
    }
    expect(long.measures.leakOperations).toBe(4 * 0.05 * 1e15);
  });

  it("is judged by its pause until an order to go on slowly lifts it", async () => {
    const timeline = [
      { atSeconds: 300, do: "pause" },
      { atSeconds: 500, do: "slow", permille: 500 },
    ];
    const { measures } = await run({ timeline, durationSeconds: 1000 });
    expect(measures).toMatchObject({ workedAtPause: 4, neverClosed: 0, resumed: 4 });
    expect(measures.leakOperations).toBe(4 * 0.05 * 1e15);
    expect(measures.leakOfBound).toBeLessThanOrEqual(1);
  });

  it("needs nothing while it is paused, though it was switched on in the pause", async () => {
    const timeline = [
      { atSeconds: 0, do: "pause" },
      { atSeconds: 500, do: "resume" },
    ];
    const { measures, atWork } = await run({ timeline, operator: { startSpreadSeconds: 200 }, durationSeconds: 1000 });
    expect([measures.boards, measures.licenses, measures.refusals, measures.misreported]).toEqual([4, 4, 0, 0]);
    expect(atWork).toEqual([0, 0, 0, 0, 0, 0, 4, 4, 4, 4]);
  });

  it("meters a built-in workload at its mean rates", async () => {
    const { measures } = await run({ load: { workload: "llama405b-train" }, durationSeconds: 500 });
    // 844 TFLOP/s a board over the log's 240 steps (shared figures), from the first license on.
    const perBoardSecond = measures.operations! / (4 * 470);
    expect(perBoardSecond).toBeGreaterThan(0.8e15);
    expect(perBoardSecond).toBeLessThan(0.9e15);
    expect(measures.misreported).toBe(0);
  });

  it.skipIf(!existsSync(LOG))(
    "meters what a recording holds at its mean rates, and reads no other file for one",
    async () => {
      const { measures } = await run({ load: { recording: LOG }, durationSeconds: 500 });
      const perBoardSecond = measures.operations! / (4 * 470);
      expect(perBoardSecond).toBeGreaterThan(1.7e15);
      expect(perBoardSecond).toBeLessThan(1.95e15);
      const missing = run({ load: { recording: "no-such-file.txt" } });
      await expect(missing).rejects.toThrow("no-such-file.txt cannot be opened: ENOENT");
    },
  );

  it.skipIf(!existsSync(ET))(
    "plays a trace that leaves open of how many ranks it is, and refuses to guess",
    async () => {
      const { measures } = await run({ load: { recording: ET, recordingRanks: 8 }, durationSeconds: 100 });
      expect(measures).toMatchObject({ operations: 0, misreported: 0, licenses: 4 });
      await expect(run({ load: { recording: ET } })).rejects.toThrow("none says of how many boards the job is");
    },
  );

  it("has licenses signed one after the other where its verifier is slow", async () => {
    const slow = await run({
      verifier: { licensesPerSecond: 0.05 },
      operator: { startSpreadSeconds: 0 },
      durationSeconds: 100,
    });
    expect(slow.atWork).toEqual([0, 0, 0, 2, 2, 4, 4, 4, 4, 4]);
  });
});

describe("an operator who cheats", () => {
  const cheating = (...cheats: string[]) =>
    run({ ...PAUSED, agreement: { leaseSeconds: 120 }, operator: { cheatsPermille: 1000, cheats } });

  it.each([
    ["by keeping orders back", ["withhold-orders"]],
    ["by saving beacons up", ["withhold-orders", "hoard-beacons"]],
    ["by pulling the plug", ["withhold-orders", "cycle-power"]],
    ["by giving old licenses again", ["withhold-orders", "replay-licenses"]],
  ])("%s stays within what the agreement says", async (_what, cheats) => {
    const { measures } = await cheating(...cheats);
    expect(measures).toMatchObject({ cheatingBoards: 4, cheatingNeverClosed: 0, misreported: 0 });
    expect(measures.cheatingWorkedAtPause).toBe(4);
    expect(measures.closedOfBound).toBeLessThanOrEqual(1);
    expect(measures.leakOfBound).toBeLessThanOrEqual(1);
    expect(measures.cheatingResumed).toBe(4);
  });

  it("is refused every license that it gives again", async () => {
    const [once, again] = [await cheating("withhold-orders"), await cheating("withhold-orders", "replay-licenses")];
    expect(again.measures.refusals).toBeGreaterThan(once.measures.refusals!);
    expect(again.measures.licenses).toBe(once.measures.licenses);
    expect(again.measures.leakOperations).toBe(once.measures.leakOperations);
  });

  it("gains the time of one lease by keeping orders back, and less where he pulls the plug", async () => {
    const [withheld, cycled] = [await cheating("withhold-orders"), await cheating("withhold-orders", "cycle-power")];
    expect(withheld.measures.cheatingClosedSecondsMax).toBeGreaterThan(60);
    expect(withheld.measures.cheatingClosedSecondsMax).toBeLessThanOrEqual(120);
    // He cannot have the time proved without the order being named.
    expect(cycled.measures.cheatingClosedSecondsMax).toBeLessThan(withheld.measures.cheatingClosedSecondsMin!);
    const replayed = await cheating("cycle-power", "replay-licenses");
    expect(replayed.measures).toMatchObject({ cheatingNeverClosed: 0, misreported: 0 });
    expect(replayed.measures.refusals).toBeGreaterThan(10);
  });

  it("gains no more with a clock that runs as slow as the agreement admits", async () => {
    const { measures } = await run({
      ...PAUSED,
      agreement: { leaseSeconds: 120, driftPpm: 20_000 },
      operator: { cheatsPermille: 1000, cheats: ["withhold-orders", "slow-clock"], clockPermille: 980 },
    });
    expect(measures.cheatingClosedSecondsMax).toBeLessThanOrEqual(122.5);
    expect(measures.closedOfBound).toBeLessThanOrEqual(1);
  });

  it("who asks for licenses in a pause is signed some, and no governor takes one", async () => {
    // A clock that is not slow at all: this operator does nothing else that an honest one does not.
    const agreement = { licenseSeconds: 200 };
    const honest = await run({ ...PAUSED, agreement });
    const operator = { cheats: ["slow-clock"], clockPermille: 1000, cheatsPermille: 1000 };
    const { measures } = await run({ ...PAUSED, agreement, operator });
    expect(honest.measures.refusals).toBe(0);
    expect(measures.refusals).toBeGreaterThan(4);
    expect(measures).toMatchObject({ cheatingNeverClosed: 0, cheatingClosedSecondsMax: 0.05 });
  });

  it("who opens the chip is held by nothing, and no report of it is right", async () => {
    const { measures, atWork } = await cheating("bypass-gate");
    expect(new Set(atWork.slice(1))).toEqual(new Set([4]));
    expect(measures).toMatchObject({ cheatingNeverClosed: 4, misreported: 4 });
    // Of honest boards, of which there are none, nothing is said.
    expect(measures.leakOperations).toBeUndefined();
    expect(measures.leakOperationsAll).toBe(measures.cheatingLeakOperations);
    expect(measures.leakOfBound).toBeGreaterThan(1);
  });

  it("has traits of which each says what it tries", () => {
    for (const { tries } of TRAITS) expect(tries).toMatch(/^[A-Z].*\.$/);
  });
});
