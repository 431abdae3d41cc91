import { describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { dtypeDodge } from "../../../fleet/studies/dtype-dodge.ts";
import { model } from "../../../sim-board/workloads/models.ts";
import { readTrace } from "../../../sim-board/workloads/read.ts";
import { trainingOperations } from "../../../sim-board/workloads/transformer.ts";
import { operationsOf } from "../../../sim-board/workloads/types.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { judge, parametersOf, runStudy } from "./judge.ts";

describe("computing in one data type and declaring another", () => {
  test("deceives the meters that believe it by the published factors, and never the counting rule", async () => {
    const found = await judge(dtypeDodge, "dtype-dodge");
    for (const [point, seeds] of found) {
      for (const measures of seeds) {
        expect(measures.ruleOverNative!, point).toBeGreaterThanOrEqual(1);
        expect(measures.ruleOverEquivalent!, point).toBeGreaterThanOrEqual(1);
        expect(measures.ruleOverNativeLeast!, point).toBeGreaterThanOrEqual(1);
        expect(measures.ruleOverEquivalentLeast!, point).toBeGreaterThanOrEqual(1);
        // The rule is the higher of the two wherever all is of one side: none of these mixes has wide types and narrow ones.
        expect(measures.ruleOverNative!).toBeCloseTo(Math.max(1, measures.equivalentOverNative!), 12);
      }
    }
  });

  test("a utilization that is assumed for all errs both ways: DeepSeek-V3 is over-counted, GPT-3 under-counted", async () => {
    const found = await judge(dtypeDodge, "dtype-dodge");
    expect(found.get("2,048 H800, DeepSeek-V3, FP8")![0]!.trueOverTimeMeter!).toBeLessThan(0.85);
    expect(found.get("256 H100, GPT-3, FP8")![0]!.trueOverTimeMeter!).toBeGreaterThan(2.2);
  });

  test("of mixed operations the wide ones count more and the narrow ones no less", async () => {
    const runs = [
      { type: "fp8", parts: 3 },
      { type: "tf32", parts: 1 },
    ];
    const { measures } = await runStudy(dtypeDodge, parametersOf(dtypeDodge, { runs, randomMixes: 0 }), "1");
    expect(measures.equivalentOverNative!).toBeCloseTo(0.75 * 0.5 + 0.25 * 2, 9);
    // By width alone this mix would pass for less than it is, though a quarter of it is wide.
    expect(measures.ruleOverNative!).toBeCloseTo(0.75 + 0.25 * 2, 9);
    expect(measures).not.toHaveProperty("ruleOverNativeLeast");
  });

  test("a data type that the maker states no rate for gives no figure that rests on it", async () => {
    const declared = parametersOf(dtypeDodge, { workload: "dsv3-train", declares: "fp64" });
    const { measures } = await runStudy(dtypeDodge, declared, "1");
    expect(measures).not.toHaveProperty("declaredPeakShare");
    expect(measures).not.toHaveProperty("trueOverTimeMeter");
    expect(measures.peakShare!).toBeGreaterThan(0.1);
    const ran = parametersOf(dtypeDodge, { workload: "dsv3-train", runs: [{ type: "fp64", parts: 1 }] });
    const others = (await runStudy(dtypeDodge, ran, "1")).measures;
    expect(others).not.toHaveProperty("peakShare");
    expect(others).not.toHaveProperty("trueOverDeclaredMeter");
    expect(others.ruleOverNative).toBe(4);
  });

  test("the rate of the 512 GB200 is that of the model's products in the published step", () => {
    const step = 896n * trainingOperations(model("llama3.1-405b"), 8192);
    expect(Math.abs(Number(step) / 512 / 19.6 / 1.846e15 - 1)).toBeLessThan(0.002);
  });

  test.skipIf(!sharedIsHere).each([
    ["v5.0/NVIDIA_tyche_512xGB200_llama31_405b_result_0.txt", 1.846e15, EngineClass.TENSOR_FP8],
    ["v5.0/Lenovo_8xB200/llama2_70b_lora/result_0.txt", 1.654e15, EngineClass.TENSOR_FP8],
    ["v4.1/NVIDIA_256xH100_gpt3_result_0.txt", 9.47e14, EngineClass.TENSOR_FP8],
    ["v4.1/Google_tpu-v5p-4096_gpt3_result_0.txt", 3.867e14, EngineClass.TENSOR_INT8],
  ])("the rates of the scenario are the medians of the recordings: %s", (name, published, engineClass) => {
    const rates = [...readTrace(sharedPath(`traces/mlperf-training-${name}`)).phases()]
      .filter(({ work }) => work.has(engineClass))
      .map(({ work, durationSeconds }) => Number(operationsOf(work)) / durationSeconds)
      .sort((a, b) => a - b);
    expect(Math.abs(rates[rates.length >> 1]! / published - 1)).toBeLessThan(0.003);
  });
});
