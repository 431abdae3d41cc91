/** A run gives the same bytes on one thread or many, whole or broken off and resumed; a cell that fails is named. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCell } from "../../../fleet/run/cell.ts";
import { Collector } from "../../../fleet/run/collector.ts";
import { estimateRun } from "../../../fleet/run/estimate.ts";
import { Plan } from "../../../fleet/run/plan.ts";
import type { RunResult } from "../../../fleet/run/result.ts";
import { type Progress, type RunOptions, runScenario } from "../../../fleet/run/run-scenario.ts";
import { type CellRunner, inlineRunner } from "../../../fleet/run/runner.ts";
import { threadRunner } from "../../../fleet/run/threads.ts";
import { readScenario } from "../../../fleet/scenario/read-scenario.ts";
import { coinScenario, coins, STUDIES } from "../coins.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-fleet-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MODULES = [new URL("../coins.ts", import.meta.url).href];
const IDENTITY = { version: "0.0.0", firmwareSha256: "f1" };
const SWEEP = { seeds: 2, sweep: { cells: [1, 5, 12], "coin.headsShare": [0.25, 0.5] } };

const planOf = (changes: Readonly<Record<string, unknown>> = SWEEP, seed = "1") =>
  new Plan(readScenario(coinScenario(changes), STUDIES), coins as never, seed);

function here(plan = planOf(), options: Partial<RunOptions> = {}): Promise<RunResult> {
  return runScenario(plan, inlineRunner(plan), { ...IDENTITY, ...options });
}

const bytesOf = (result: RunResult) => JSON.stringify(result);
const plain = await here();

describe("a run", () => {
  it("has an outcome for each point and seed, in their order, and says what ran", () => {
    expect(plain.points).toHaveLength(6);
    expect(plain.points[5]).toMatchObject({
      name: "cells=12, headsShare=0.5",
      set: { cells: 12, "coin.headsShare": 0.5 },
    });
    expect(plain.points[5]!.runs.map(({ seed }) => seed)).toEqual(["1-1", "1-2"]);
    for (const { set, runs } of plain.points) {
      for (const { outcome } of runs) {
        expect(outcome.measures.headsShare).toBeCloseTo(set["coin.headsShare"] as number, 0);
        expect(outcome.measures.headsCount).toBe(Math.round(outcome.measures.headsShare! * 50 * (set.cells as number)));
      }
    }
    expect(plain).toMatchObject({ seed: "1", version: "0.0.0", firmwareSha256: "f1" });
    expect(plain.scenarioSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("has other figures with another seed", async () => {
    const other = await here(planOf(SWEEP, "2"));
    expect(other.points[5]!.runs[0]!.outcome).not.toEqual(plain.points[5]!.runs[0]!.outcome);
  });

  it("gives the same bytes on two and on four threads", async () => {
    for (const threads of [2, 4]) {
      const plan = planOf();
      const result = await runScenario(plan, threadRunner(plan, MODULES, threads), IDENTITY);
      expect(bytesOf(result)).toBe(bytesOf(plain));
    }
  });

  it("gives the same bytes in whatever order the cells end", async () => {
    const plan = planOf();
    const collector = new Collector(plan);
    for (let index = plan.taskCount - 1; index >= 0; index--)
      collector.add(index, await runCell(plan, plan.task(index)));
    expect(JSON.stringify(collector.points())).toBe(JSON.stringify(plain.points));
  });

  it("tells how far it is and how long the rest takes", async () => {
    const told: Progress[] = [];
    await here(planOf(), { progress: (progress) => told.push(progress) });
    expect(told[0]).toEqual({ done: 0, total: 72, secondsLeft: undefined });
    expect(told.at(-1)).toEqual({ done: 72, total: 72, secondsLeft: 0 });
    expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).sort((a, b) => a - b));
  });

  it("holds no more cells than those of the runs that are under way", async () => {
    const plan = planOf({ parameters: { cells: 100, throws: 1 }, seeds: 50 });
    const collector = new Collector(plan);
    let most = 0;
    for (let index = 0; index < plan.taskCount; index++) {
      collector.add(index, '{"heads":1}');
      most = Math.max(most, collector.held);
    }
    expect([plan.taskCount, most, collector.held]).toEqual([5000, 99, 0]);
  });

  it("is estimated without running", () => {
    expect(estimateRun(planOf(), 4)).toMatchObject({
      points: 6,
      seeds: 2,
      cells: 72,
      boards: 72,
      events: 3600,
      bytesResident: 1000,
      bytesResidentTotal: 4000,
    });
  });
});

describe("a cell that fails", () => {
  const FAILING = { parameters: { cells: 4, throws: 5, failing: [2] }, seeds: 2 };
  const line = /^cell base:1:2 \(seed 1-1\) failed: the coin of 2 fell off the table$/;

  it("ends the run, and is named with its cause", async () => {
    await expect(here(planOf(FAILING))).rejects.toMatchObject({
      code: "fleet/cell",
      cell: "base:1:2",
      causeName: "RangeError",
    });
    await expect(here(planOf(FAILING))).rejects.toThrow(line);
  });

  it("does so on a thread", async () => {
    const plan = planOf({ parameters: { cells: 3, throws: 5, failing: [2] } });
    const error = await runScenario(plan, threadRunner(plan, MODULES, 1), IDENTITY).catch((caught) => caught);
    expect(error.message).toMatch(line);
    expect(error).toMatchObject({ code: "fleet/cell", cell: "base:1:2", causeName: "RangeError" });
  });

  it("that ends its thread is told with it", async () => {
    const plan = planOf({ parameters: { cells: 1, ending: [0] } });
    await expect(runScenario(plan, threadRunner(plan, MODULES, 1), IDENTITY)).rejects.toMatchObject({
      code: "fleet/thread",
      message: "cell base:1:0 ended its thread: it ended with 9",
    });
  });

  it("runs again alone by its id", async () => {
    const plan = planOf(FAILING);
    await expect(runCell(plan, plan.taskOf("base:2:2"))).rejects.toThrow("cell base:2:2");
    expect(JSON.parse(await runCell(plan, plan.taskOf("base:2:3")))).toMatchObject({ cell: 3 });
    expect(plan.taskOf(plan.idOf(plan.task(7)))).toEqual(plan.task(7));
  });

  it.each([
    ["base", "'base' is no id of a cell: one is base:1:0"],
    ["bass:1:0", "there is no point 'bass' in coin-tosses"],
    ["base:3:0", "base has seeds 1 to 2 and cells 0 to 3, not 3 and 0"],
    ["base:1:4", "base has seeds 1 to 2 and cells 0 to 3, not 1 and 4"],
  ])("has an id that is checked: %s", (id, message) => {
    expect(() => planOf(FAILING).taskOf(id)).toThrow(message);
  });

  it.each([
    ["is no number", { run: () => ({ heads: Number.NaN }) }, "the cell's heads is NaN, which is no JSON"],
    ["is nothing", { run: () => undefined }, "the cell's result is undefined, which is no JSON"],
    ["is no metric", { merge: () => ({ measures: { tails: 1 } }) }, "gives tails, which is none of its metrics"],
    ["is infinite", { merge: () => ({ measures: { headsCount: Infinity } }) }, "gives Infinity as headsCount"],
    ["has no cells", { cells: () => 0 }, "has 0 cells: there must be at least one"],
    ["has too many cells", { cells: () => 2e8 }, "would have 200000000 cells, and at most 100000000"],
  ])("is refused where what it gives %s", async (_what, changes, message) => {
    const odd = { ...coins, ...changes } as never;
    const planned = async () => new Plan(readScenario(coinScenario(), [odd]), odd, "1");
    await expect(planned().then((plan) => here(plan))).rejects.toThrow(message);
  });
});

describe("a checkpoint", () => {
  let files = 0;
  const newFile = () => join(folder, `checkpoint-${files++}.ndjson`);

  /** Is broken off after four batches, as a run is that is killed; gives how many cells were done. */
  async function brokenOff(checkpoint: string): Promise<number> {
    const plan = planOf();
    const runner = inlineRunner(plan);
    let [batches, cells] = [0, 0];
    const breaking: CellRunner = {
      ...runner,
      run: (tasks) => {
        if (++batches > 4) return Promise.reject(new Error("killed"));
        cells += tasks.length;
        return runner.run(tasks);
      },
    };
    await expect(runScenario(plan, breaking, { ...IDENTITY, checkpoint })).rejects.toThrow("killed");
    return cells;
  }

  async function resume(checkpoint: string) {
    const plan = planOf();
    const ran: number[] = [];
    const runner = inlineRunner(plan);
    const counting: CellRunner = {
      ...runner,
      run: (tasks) => {
        ran.push(...tasks.map(({ index }) => index));
        return runner.run(tasks);
      },
    };
    let resumed: readonly number[] = [];
    const result = await runScenario(plan, counting, {
      ...IDENTITY,
      checkpoint,
      resumed: (...counts) => {
        resumed = counts;
      },
    });
    expect(bytesOf(result)).toBe(bytesOf(plain));
    return { ran, resumed };
  }

  it("lets a run that was broken off go on where it was, to the same bytes", async () => {
    const file = newFile();
    const done = await brokenOff(file);
    const { ran, resumed } = await resume(file);
    expect(resumed).toEqual([done, 0]);
    expect(ran).toEqual(Array.from({ length: 72 - done }, (_, i) => done + i));
    expect((await resume(file)).ran).toEqual([]);
  });

  it("loses no more than the line that was torn", async () => {
    const file = newFile();
    const done = await brokenOff(file);
    truncateSync(file, readFileSync(file).length - 9);
    expect((await resume(file)).resumed).toEqual([done - 1, 0]);
    expect((await resume(file)).ran).toEqual([]);
  });

  it("runs a cell again whose line is damaged", async () => {
    const file = newFile();
    const done = await brokenOff(file);
    writeFileSync(file, readFileSync(file, "utf8").replace(/"heads":(\d)/, '"heads":1$1'));
    const { ran, resumed } = await resume(file);
    expect([ran[0], resumed]).toEqual([0, [done - 1, 1]]);
  });

  it("that was torn in its first line begins again", async () => {
    const file = newFile();
    await brokenOff(file);
    truncateSync(file, 20);
    expect((await resume(file)).ran).toHaveLength(72);
  });

  it.each([
    [
      "scenario",
      () => planOf({ ...SWEEP, title: "Another" }),
      IDENTITY,
      "is of another scenario (or other options that change it)",
    ],
    ["seed", () => planOf(SWEEP, "2"), IDENTITY, 'is of another seed: it has "1", this run has "2"'],
    [
      "firmware",
      planOf,
      { ...IDENTITY, firmwareSha256: "f2" },
      'is of another firmware: it has "f1", this run has "f2"',
    ],
    ["version", planOf, { ...IDENTITY, version: "0.0.1" }, "is of another version of Quiesce"],
  ])("of another %s is refused and left as it is", async (_what, plan, identity, message) => {
    const checkpoint = newFile();
    await brokenOff(checkpoint);
    const before = readFileSync(checkpoint);
    await expect(here(plan(), { ...identity, checkpoint })).rejects.toThrow(message);
    expect(readFileSync(checkpoint).equals(before)).toBe(true);
  });

  it("does not touch a file that is none", async () => {
    const file = newFile();
    appendFileSync(file, "my notes\nare here\n");
    await expect(here(planOf(), { checkpoint: file })).rejects.toThrow("is no checkpoint of a fleet's run");
    expect(readFileSync(file, "utf8")).toBe("my notes\nare here\n");
    await expect(here(planOf(), { checkpoint: join(folder, "none", "file") })).rejects.toThrow(
      "cannot be opened: ENOENT",
    );
  });

  it.skipIf(process.platform === "win32")("is no device and no pipe", async () => {
    const pipe = newFile();
    execFileSync("mkfifo", [pipe]);
    for (const checkpoint of ["/dev/null", pipe, folder]) {
      const refused = {
        code: "fleet/checkpoint",
        message: expect.stringMatching(/ is not a file, and is left as it is$/),
      };
      await expect(here(planOf(), { checkpoint })).rejects.toMatchObject(refused);
    }
    expect(statSync(pipe).isFIFO()).toBe(true);
  });
});
