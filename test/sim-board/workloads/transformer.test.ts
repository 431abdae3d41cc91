import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { ACCELERATORS, accelerator, peakPerSecond } from "../../../sim-board/accelerators.ts";
import { model } from "../../../sim-board/workloads/models.ts";
import {
  decodeOperations,
  forwardOperations,
  gemmOperations,
  kvBytesPerToken,
  layerGemms,
  layerParameters,
  loraOperations,
  matrixParameters,
  prefillOperations,
  rooflineSeconds,
  sixNd,
  trainingOperations,
  trainingStep,
} from "../../../sim-board/workloads/transformer.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { expectWithin } from "./expect-workload.ts";

const llama405b = model("llama3.1-405b");
const llama70b = model("llama2-70b");

describe("transformer arithmetic reproduces published totals", () => {
  test("one step of Llama 3.1 405B at batch 1,152 x 8,192 is 2.382e19 operations, 2.524e12 a token", () => {
    const step = trainingStep(llama405b, {
      batch: 1152,
      sequence: 8192,
      parallelism: { tp: 8, pp: 8, dp: 4, cp: 2 },
    });
    expectWithin(step.operations, 2.382e19, 0.01);
    expectWithin(Number(step.operations) / Number(step.tokens), 2.524e12, 0.001);
    expect(step.hardwareOperations).toBe(step.operations);
  });

  test("recomputing everything costs a third more on the chip and nothing in the model", () => {
    const options = { batch: 8, sequence: 8192, parallelism: { tp: 1, pp: 1, dp: 1, cp: 1 } };
    const step = trainingStep(llama405b, { ...options, recompute: true });
    expect(step.operations).toBe(trainingStep(llama405b, options).operations);
    expect(step.hardwareOperations).toBe((step.operations * 4n) / 3n);
  });

  test("pre-training of Llama 3.1 405B on 15.6e12 tokens is 3.94e25 exactly counted, 3.80e25 by 6ND", () => {
    const perToken = Number(trainingOperations(llama405b, 8192)) / 8192;
    expectWithin(perToken * 15.6e12, 3.94e25, 0.01);
    expectWithin(sixNd(llama405b, 15.6e12), 3.8e25, 0.01);
  });

  test("DeepSeek-V3 is 3.29e24 by its active parameters, GPT-3 3.15e23", () => {
    expectWithin(sixNd(model("deepseek-v3"), 14.8e12), 3.29e24, 0.03);
    expectWithin(sixNd(model("gpt3-175b"), 300e9), 3.15e23, 0.01);
  });

  test("the matrices of each model hold as many parameters as its makers state", () => {
    expectWithin(matrixParameters(llama405b), 405e9, 0.01);
    expectWithin(matrixParameters(llama70b), 70e9, 0.02);
    expectWithin(matrixParameters(model("gpt3-175b")), 175e9, 0.01);
    expectWithin(matrixParameters(model("bert-large")), 340e6, 0.1);
  });

  test("the products of one layer are the ones that the model's shape names, on one board or on eight", () => {
    expect(layerGemms(llama70b, 4096).map(({ m, k, n }) => [m, k, n])).toEqual([
      [4096, 8192, 10240],
      [4096, 8192, 8192],
      [4096, 8192, 57344],
      [4096, 28672, 8192],
    ]);
    const whole = layerGemms(llama70b, 4096).reduce((sum, gemm) => sum + gemmOperations(gemm), 0n);
    const eighth = layerGemms(llama70b, 4096, 8).reduce((sum, gemm) => sum + gemmOperations(gemm), 0n);
    expect(whole).toBe(2n * 4096n * layerParameters(llama70b));
    expect(eighth * 8n).toBe(whole);
  });

  test("prefill and the decoding of one token more agree with a forward pass where they must", () => {
    const head = 2n * 8192n * 32000n;
    expect(prefillOperations(llama70b, 2048)).toBe(forwardOperations(llama70b, 2048) - 2047n * head);
    expectWithin(decodeOperations(llama70b, 0), 2 * 69e9, 0.02);
    expect(decodeOperations(llama70b, 1001) - decodeOperations(llama70b, 1000)).toBe(4n * 8192n * 80n);
    expect(kvBytesPerToken(llama70b)).toBe(327_680n);
  });

  test("adapters train for less than the whole model and more than a forward pass", () => {
    const lora = loraOperations(llama70b, 8192, 16);
    expect(lora).toBeLessThan(trainingOperations(llama70b, 8192));
    expect(lora).toBeGreaterThan(2n * forwardOperations(llama70b, 8192));
  });

  test("boards that work alone send nothing", () => {
    const { linkBytes } = trainingStep(llama70b, {
      batch: 1,
      sequence: 4096,
      parallelism: { tp: 1, pp: 1, dp: 1, cp: 1 },
    });
    expect(linkBytes).toEqual({ tensor: 0n, pipeline: 0n, data: 0n });
  });

  test("a width that does not divide the model, an absurd batch and a model of parameters only are refused", () => {
    const one = { tp: 1, pp: 1, dp: 1, cp: 1 };
    expect(() => layerGemms(llama70b, 1, 7)).toThrow("does not divide");
    for (const batch of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => trainingStep(llama70b, { batch, sequence: 4096, parallelism: one })).toThrow("batch must be");
    }
    expect(() => trainingOperations(model("deepseek-v3"), 4096)).toThrow("6ND");
    expect(() => model("llama9")).toThrow("no model is called");
  });
});

describe("the accelerator table", () => {
  test("holds dense peaks, and no class that the maker does not state", () => {
    expect(peakPerSecond(accelerator("h100"), EngineClass.TENSOR_BF16)).toBe(989.4e12);
    expect(peakPerSecond(accelerator("h100"), EngineClass.TENSOR_FP8)).toBe(1979e12);
    expect(peakPerSecond(accelerator("h100"), EngineClass.LINK_TX)).toBe(450e9);
    expect(peakPerSecond(accelerator("a100"), EngineClass.TENSOR_FP8)).toBe(0);
    expect(() => accelerator("h1000")).toThrow("known: a100");
  });

  test("cites a source for every chip", () => {
    for (const chip of ACCELERATORS.values()) {
      expect(chip.source.length).toBeGreaterThan(10);
      expect(chip.hbmBytesPerSecond * chip.linkBytesPerSecond).toBeGreaterThan(0);
    }
  });
});

describe.skipIf(!sharedIsHere)("the roofline against measured operators (Vidur, H100, Llama-2-70B)", () => {
  const measured = (tokens: number): number => {
    const rows: Record<string, string>[] = parse(
      readFileSync(sharedPath("traces/vidur-profiles/h100_Llama-2-70b-hf_mlp.csv")),
      { columns: true },
    );
    const row = rows.find((r) => Number(r.num_tokens) === tokens && Number(r.num_tensor_parallel_workers) === 1);
    const names = ["attn_pre_proj", "attn_post_proj", "mlp_up_proj", "mlp_down_proj"];
    return names.reduce((sum, name) => sum + Number(row![`time_stats.${name}.median`]), 0) / 1000;
  };

  test.each([1, 128, 512, 4096])(
    "the four linear operators of a layer over %i tokens take the measured time within 10 %%",
    (tokens) => {
      const operations = layerGemms(llama70b, tokens).reduce((sum, gemm) => sum + gemmOperations(gemm), 0n);
      const bytes = 2n * layerParameters(llama70b);
      const seconds = rooflineSeconds(accelerator("h100"), EngineClass.TENSOR_BF16, operations, bytes);
      expectWithin(seconds, measured(tokens), 0.1);
    },
  );
});
