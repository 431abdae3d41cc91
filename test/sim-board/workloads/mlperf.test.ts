import { describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { builtinWorkload } from "../../../sim-board/workloads/builtin.ts";
import { readTrace } from "../../../sim-board/workloads/read.ts";
import type { Workload } from "../../../sim-board/workloads/types.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { expectSound, expectWithin } from "./expect-workload.ts";

const V50 = "traces/mlperf-training-v5.0";
const V41 = "traces/mlperf-training-v4.1";

/** File, boards, steps, samples, seconds of the run, median step, operations, chip. The figures are the logs' own. */
const LOGS: [string, number, number, number, number, number, number, string][] = [
  [`${V50}/NVIDIA_eos_512xH100_llama31_405b_result_0.txt`, 512, 240, 276_480, 13_837, 55.1, 5.72e21, "h100"],
  [`${V50}/NVIDIA_tyche_512xGB200_llama31_405b_result_0.txt`, 512, 312, 279_552, 6391.8, 19.6, 5.78e21, "gb200"],
  [`${V50}/Lenovo_8xB200/llama2_70b_lora/result_0.txt`, 8, 384, 3072, 655.9, 1.525, 7.73e18, "b200"],
  [`${V50}/Lenovo_8xB200/bert/result_0.txt`, 8, 3320, 2_549_478, 220.2, 0.0646, 1.404e18, "b200"],
  [`${V50}/AMD_8xMI300X_llama2_70b_lora_result_0.txt`, 8, 384, 3072, 1695.6, 3.95, 7.73e18, "mi300x"],
  [`${V41}/Dell_8x8xH100_POWER/result_0.txt`, 64, 384, 3072, 293.9, 0.553, 7.73e18, "h100"],
  [`${V41}/NVIDIA_256xH100_gpt3_result_0.txt`, 256, 300, 614_400, 6026.3, 18.37, 1.336e21, "h100"],
  // The name counts TensorCores, two to a chip.
  [`${V41}/Google_tpu-v5p-4096_gpt3_result_0.txt`, 2048, 156, 638_976, 1770.2, 11.25, 1.39e21, "tpu-v5p"],
];

function steps(workload: Workload): number[] {
  return [...workload.phases()].filter(({ step }) => step !== undefined).map(({ durationSeconds }) => durationSeconds);
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

describe.skipIf(!sharedIsHere)("MLPerf training logs", () => {
  test.each(LOGS)("%s", (path, boards, count, samples, seconds, stepSeconds, flop, chip) => {
    const workload = readTrace(sharedPath(path));
    expectSound(workload);
    expect(workload.boards).toBe(boards);
    expect(workload.accelerator).toBe(chip);
    const { recorded } = workload.totals;
    expect(recorded.scope).toBe("job");
    expect(recorded.steps).toBe(count);
    expect(recorded.samples).toBe(samples);
    expect(steps(workload)).toHaveLength(count);
    expectWithin(workload.totals.durationSeconds, seconds, 0.003);
    expectWithin(median(steps(workload)), stepSeconds, 0.03);
    expectWithin(recorded.flop, flop, 0.01);
    // All boards but board 0 do the same; together they do the job.
    const others = readTrace(sharedPath(path), { board: 1 }).totals.work;
    const engineClass = chip === "tpu-v5p" ? EngineClass.TENSOR_INT8 : EngineClass.TENSOR_FP8;
    const sum = workload.totals.work.get(engineClass)! + others.get(engineClass)! * BigInt(boards - 1);
    expect(sum).toBe(recorded.flop);
    expect([...workload.totals.work.keys()]).toEqual([engineClass]);
  });

  test("512 H100 train at 844 TFLOP/s each and 512 GB200 at 1,846: over or near the BF16 peak, so FP8", () => {
    for (const [path, rate] of [
      [LOGS[0]![0], 844e12],
      [LOGS[1]![0], 1846e12],
    ] as const) {
      const workload = readTrace(sharedPath(path));
      const perStep = Number(workload.totals.recorded.flop) / 512 / workload.totals.recorded.steps!;
      expectWithin(perStep / median(steps(workload)), rate, 0.03);
    }
  });

  test("eight B200 train 384 steps of 1.525 s: 586 s of the run of 656 s", () => {
    const workload = readTrace(sharedPath(LOGS[2]![0]));
    expectWithin(
      steps(workload).reduce((sum, seconds) => sum + seconds, 0),
      586,
      0.05,
    );
  });

  test("every log has a checkpoint: 14 bytes a trained parameter, of adapters only these, divided over the boards", () => {
    const total = (path: string) => {
      const { boards, checkpoint } = readTrace(sharedPath(path), { board: 1 });
      return checkpoint!.bytes * BigInt(boards);
    };
    expectWithin(total(LOGS[0]![0]), 14 * 405e9, 0.01);
    expectWithin(total(LOGS[6]![0]), 14 * 175e9, 0.01);
    // Rank 16 on qkv and attention out of 80 layers: 44.6 million parameters.
    expect(total(LOGS[2]![0])).toBe(14n * 80n * 16n * BigInt(4 * 8192 + 2048));
  });

  test("samples are counted step by step where the log's own count is batch x steps, and nowhere else", () => {
    for (const [path, counted] of [
      [LOGS[0]![0], true],
      [LOGS[3]![0], false],
    ] as const) {
      const step = [...readTrace(sharedPath(path)).phases()].find((phase) => phase.step === 0)!;
      expect(step.counts?.samples !== undefined).toBe(counted);
      expect(step.counts?.tokens).toBeGreaterThan(0);
    }
  });

  test("what is between the steps is there, as evaluation, without invented work", () => {
    const phases = [...readTrace(sharedPath(LOGS[0]![0])).phases()];
    const evaluations = phases.filter(({ name }) => name === "evaluation");
    expect(evaluations).toHaveLength(6);
    for (const { work, durationSeconds } of evaluations) {
      expect(work.size).toBe(0);
      expectWithin(durationSeconds, 100, 0.07);
    }
  });

  test("the built-in llama405b-train is this log, step by step", () => {
    const logged = steps(readTrace(sharedPath(LOGS[0]![0])));
    const builtin = builtinWorkload("llama405b-train");
    expect(steps(builtin)).toEqual(logged.map((seconds) => Number(seconds.toFixed(2))));
    expect(builtin.totals.recorded.flop).toBe(readTrace(sharedPath(LOGS[0]![0])).totals.recorded.flop);
  });

  test.each([
    `${V50}/Lenovo_8xB200/bert/power_result_0_node_0.txt`,
    `${V50}/Lenovo_8xB200/llama2_70b_lora/power_result_0_node_0.txt`,
    `${V41}/Dell_8x8xH100_POWER/power_result_0_node_0.txt`,
    `${V41}/Dell_8x8xH100_POWER/power_result_0_node_1.txt`,
    `${V41}/Dell_8x8xH100_POWER/power_result_0_sw_0.txt`,
  ])("the power log %s is refused as what it is", (path) => {
    expect(() => readTrace(sharedPath(path))).toThrow(expect.objectContaining({ code: "trace/not-a-workload" }));
  });
});
