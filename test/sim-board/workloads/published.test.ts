/** Built-in workloads against what was published of their runs, and against the recordings that they stand for. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { accelerator, peakPerSecond } from "../../../sim-board/accelerators.ts";
import { builtinWorkload, listWorkloads } from "../../../sim-board/workloads/builtin.ts";
import { readTrace } from "../../../sim-board/workloads/read.ts";
import { operationsOf, type Workload } from "../../../sim-board/workloads/types.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { expectWithin } from "./expect-workload.ts";

const LENOVO = "traces/mlperf-training-v5.0/Lenovo_8xB200/llama2_70b_lora";

test("no built-in does more in any phase than its chip can", () => {
  for (const { name } of listWorkloads()) {
    const workload = builtinWorkload(name);
    const chip = accelerator(workload.accelerator);
    const over = [...workload.phases()].filter(({ work, durationSeconds }) =>
      [...work].some(([engineClass, amount]) => Number(amount) > durationSeconds * peakPerSecond(chip, engineClass)),
    );
    expect(over, name).toEqual([]);
  }
});

describe("llama405b-frontier is the pre-training as published", () => {
  const frontier = (steps: number) => builtinWorkload("llama405b-frontier", { steps });

  test("419 stops in 54 days on 16,384 boards, 90 % of the time at work", () => {
    const { stepsMax } = listWorkloads().find(({ name }) => name === "llama405b-frontier")!;
    const workload = frontier(stepsMax);
    expect(workload.boards).toBe(16_384);
    let stops = 0;
    let workSeconds = 0;
    let seconds = 0;
    for (const { step, durationSeconds } of workload.phases()) {
      seconds += durationSeconds;
      if (step === undefined) stops++;
      else workSeconds += durationSeconds;
    }
    expect(stops).toBe(419);
    expect(workload.totals.recorded.stops).toBe(419);
    expectWithin(seconds, 54 * 86_400, 1e-6);
    expectWithin(workload.totals.durationSeconds, seconds, 1e-9);
    expectWithin(workSeconds / seconds, 0.9, 0.001);
  });

  test("a board does 400 TFLOP/s in a step, 41 % of its BF16 peak (published: 41 %), in BF16", () => {
    const [step] = [...frontier(1).phases()];
    const rate = Number(step!.work.get(EngineClass.TENSOR_BF16)) / step!.durationSeconds;
    expectWithin(rate, 400e12, 1e-6);
    expectWithin(rate / 989.4e12, 0.41, 0.02);
    expect(operationsOf(step!.work)).toBe(step!.work.get(EngineClass.TENSOR_BF16));
  });

  test("15.6e12 tokens take 3.94e25 operations and, within 8 %, the published 30.84 million board-hours", () => {
    const { recorded, durationSeconds } = frontier(15_510).totals;
    const runs = 15.6e12 / recorded.tokens!;
    expectWithin(Number(recorded.flop) * runs, 3.94e25, 0.01);
    expectWithin((durationSeconds * 16_384 * runs) / 3600, 30.84e6, 0.08);
  });

  test("a stop comes between steps and is without work", () => {
    const phases = [...frontier(3102).phases()];
    const at = phases.findIndex(({ name }) => name === "stop 1");
    expect(phases[at - 1]!.step).toBe(1550);
    expect(phases[at + 1]!.step).toBe(1551);
    expect(phases[at]!.work.size).toBe(0);
    expectWithin(phases[at]!.durationSeconds, 1113, 0.01);
  });
});

test("dsv3-train: 14.8e12 tokens are 3.29e24 operations in 2.664 million H800-hours, and fit the links", () => {
  const { recorded, durationSeconds, work } = builtinWorkload("dsv3-train", { steps: 10 }).totals;
  const runs = 14.8e12 / recorded.tokens!;
  expectWithin(Number(recorded.flop) * runs, 3.29e24, 0.03);
  expectWithin((durationSeconds * 2048 * runs) / 3600, 2.664e6, 0.01);
  expect([...work.keys()]).toEqual([EngineClass.TENSOR_FP8, EngineClass.LINK_TX, EngineClass.LINK_RX]);
  // 1,000,000,000,000 tokens take 3.7 days on the cluster.
  expectWithin((durationSeconds / recorded.tokens!) * 1e12, 3.7 * 86_400, 0.015);
});

describe("lora-finetune is the measured run", () => {
  test("384 steps of 1.525 s are 586 s of 656 s, at 9.58 kW", () => {
    const workload = builtinWorkload("lora-finetune");
    const steps = [...workload.phases()].filter(({ step }) => step !== undefined);
    expect(steps).toHaveLength(384);
    expectWithin(seconds(steps), 586, 0.005);
    expectWithin(workload.totals.durationSeconds, 656, 0.005);
    expectWithin(workload.power!.meanWatts, 9580, 0.001);
  });

  test.skipIf(!sharedIsHere)("its operations are the log's, its evaluations stand where the log's do", () => {
    const logged = readTrace(sharedPath(`${LENOVO}/result_0.txt`));
    const workload = builtinWorkload("lora-finetune");
    expect(workload.totals.recorded.flop).toBe(logged.totals.recorded.flop);
    expect(workload.checkpoint).toEqual(logged.checkpoint);
    expect(evaluationsOf(workload)).toEqual(evaluationsOf(logged));
    expectWithin(workload.totals.durationSeconds, logged.totals.durationSeconds, 0.002);
  });

  test.skipIf(!sharedIsHere)("its power is what the server's log reads from the run's start to its end", () => {
    const run = entries("result_0.txt").filter(({ key }) => key === "run_start" || key === "run_stop");
    const watts = entries("power_result_0_node_0.txt")
      .filter(({ key, time_ms }) => key === "power_reading" && time_ms >= run[0]!.time_ms && time_ms <= run[1]!.time_ms)
      .map(({ value }) => value);
    const { power } = builtinWorkload("lora-finetune");
    expectWithin(power!.meanWatts, watts.reduce((sum, value) => sum + value, 0) / watts.length, 0.001);
    expect(power!.maxWatts).toBe(Math.max(...watts));
    const swings = watts.slice(2).map((_, at) => {
      const within = watts.slice(at, at + 3);
      return Math.max(...within) - Math.min(...within);
    });
    swings.sort((a, b) => a - b);
    expectWithin(power!.swingWithin2SecondsP95Share, swings[Math.floor(0.95 * swings.length)]! / power!.maxWatts, 0.05);
  });
});

describe("recsys-train is a sixth of the profile, six times", () => {
  test("1,674 products, 1.928e12 operations and 60.9 ms a board", () => {
    const { recorded, work, durationSeconds } = builtinWorkload("recsys-train").totals;
    expect(recorded.gemms! / 8).toBe(1674);
    expectWithin(operationsOf(work), 1.928e12, 0.01);
    expectWithin(recorded.gemmSeconds! / 8, 0.0609, 0.01);
    expectWithin(durationSeconds, 0.464594, 1e-9);
  });

  test.skipIf(!sharedIsHere)("to the last operation and byte", () => {
    const profile = readTrace(sharedPath("traces/hta-kineto/a100_8ranks_dlrm_rank3.kernels.csv.gz"));
    const { work } = builtinWorkload("recsys-train").totals;
    for (const [engineClass, amount] of profile.totals.work) expect(work.get(engineClass)).toBe(amount);
    expect(work.size).toBe(profile.totals.work.size);
  });
});

describe("what serves requests has the hour's totals", () => {
  test.each([
    ["llm-serve-code", 8819, 18_059_974, 245_896],
    ["llm-serve-chat", 19_366, 22_361_870, 4_088_665],
  ])("%s: %i requests, %i context and %i generated tokens, exactly", (name, requests, context, generated) => {
    const workload = builtinWorkload(name);
    const { recorded } = workload.totals;
    expect([recorded.requests, recorded.contextTokens, recorded.generatedTokens]).toEqual([
      requests,
      context,
      generated,
    ]);
    // It keeps up: every batch is served before the next is complete.
    const starts = new Map<number, number>();
    for (const { startSeconds, durationSeconds } of workload.phases()) {
      starts.set(startSeconds!, (starts.get(startSeconds!) ?? 0) + durationSeconds);
    }
    const every = [...starts.keys()][1]! - [...starts.keys()][0]!;
    expect(Math.max(...starts.values())).toBeLessThanOrEqual(every);
  });

  test.skipIf(!sharedIsHere)("and the operations of the recorded requests, though those are not alike", () => {
    const recorded = readTrace(sharedPath("traces/azure-llm-2023/AzureLLMInferenceTrace_code.csv"));
    const { totals } = builtinWorkload("llm-serve-code");
    expectWithin(totals.recorded.flop, Number(recorded.totals.recorded.flop), 0.03);
    expect(totals.recorded.linkBytes).toBe(recorded.totals.recorded.linkBytes);
    expectWithin(totals.durationSeconds, recorded.totals.durationSeconds, 0.1);
  });

  test("chat decodes more, so it reads more memory for each operation", () => {
    const perByte = (name: string) => {
      const { work } = builtinWorkload(name).totals;
      return Number(operationsOf(work)) / Number(work.get(EngineClass.COPY));
    };
    expect(perByte("llm-serve-chat")).toBeLessThan(perByte("llm-serve-code") / 2);
  });
});

function seconds(phases: { durationSeconds: number }[]): number {
  return phases.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
}

/** After how many steps each evaluation comes. */
function evaluationsOf(workload: Workload): number[] {
  let steps = 0;
  return [...workload.phases()].flatMap(({ step }) => {
    if (step === undefined) return [steps];
    steps++;
    return [];
  });
}

type Entry = { key: string; time_ms: number; value: number };

function entries(file: string): Entry[] {
  const lines = readFileSync(sharedPath(`${LENOVO}/${file}`), "utf8").split("\n");
  return lines.flatMap((line) =>
    line.includes(":::MLLOG") ? [JSON.parse(line.slice(line.indexOf("{"))) as Entry] : [],
  );
}
