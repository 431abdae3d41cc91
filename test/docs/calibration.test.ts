import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { ACCELERATORS, accelerator, peakPerSecond } from "../../sim-board/accelerators.ts";
import { builtinWorkload, listWorkloads } from "../../sim-board/workloads/builtin.ts";
import { model } from "../../sim-board/workloads/models.ts";
import { layerGemms, rooflineSeconds } from "../../sim-board/workloads/transformer.ts";
import type { Workload } from "../../sim-board/workloads/types.ts";

const page = readFileSync(new URL("../../docs/calibration.md", import.meta.url), "utf8");

type Figure = {
  workload: string;
  figure: string;
  published: number;
  /** Relative; 0 is exact. */
  tolerance: number;
  compute(workload: Workload): number;
  /** How the table prints both. */
  print(value: number): string;
};

const power = (value: number) => value.toExponential(3).replace("+", "");
const plain = (digits: number) => (value: number) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Times the workload goes into so many tokens. */
const runs = (workload: Workload, tokens: number) => tokens / workload.totals.recorded.tokens!;
const boardHours = (workload: Workload, tokens: number) =>
  (workload.totals.durationSeconds * workload.boards * runs(workload, tokens)) / 3600;
const boardRate = ({ totals, boards }: Workload) => Number(totals.recorded.flop) / boards / totals.durationSeconds;
const flopOf = ({ totals }: Workload) => Number(totals.recorded.flop);

const train = "llama405b-train";
const frontier = "llama405b-frontier";
const dsv3 = "dsv3-train";
const lora = "lora-finetune";
const resnet = "resnet-ddp";
const recsys = "recsys-train";
const code = "llm-serve-code";
const chat = "llm-serve-chat";

const FIGURES: Figure[] = [
  {
    workload: train,
    figure: "operations a step",
    published: 2.382e19,
    tolerance: 0.01,
    compute: (w) => flopOf(w) / 240,
    print: power,
  },
  {
    workload: train,
    figure: "operations, 240 steps",
    published: 5.72e21,
    tolerance: 0.01,
    compute: flopOf,
    print: power,
  },
  {
    workload: train,
    figure: "median step, s",
    published: 55.1,
    tolerance: 0.03,
    compute: medianStepSeconds,
    print: plain(1),
  },
  {
    workload: train,
    figure: "operations a board and second",
    published: 844e12,
    tolerance: 0.03,
    compute: boardRate,
    print: power,
  },
  {
    workload: frontier,
    figure: "operations of 15.6e12 tokens",
    published: 3.94e25,
    tolerance: 0.01,
    compute: (w) => flopOf(w) * runs(w, 15.6e12),
    print: power,
  },
  {
    workload: frontier,
    figure: "board-hours of 15.6e12 tokens",
    published: 30.84e6,
    tolerance: 0.08,
    compute: (w) => boardHours(w, 15.6e12),
    print: power,
  },
  {
    workload: frontier,
    figure: "stops in 54 days",
    published: 419,
    tolerance: 0.001,
    compute: (w) => (w.totals.recorded.stops! * 54 * 86_400) / w.totals.durationSeconds,
    print: plain(0),
  },
  {
    workload: dsv3,
    figure: "operations of 14.8e12 tokens",
    published: 3.29e24,
    tolerance: 0.03,
    compute: (w) => flopOf(w) * runs(w, 14.8e12),
    print: power,
  },
  {
    workload: dsv3,
    figure: "board-hours of 14.8e12 tokens",
    published: 2.664e6,
    tolerance: 0.01,
    compute: (w) => boardHours(w, 14.8e12),
    print: power,
  },
  {
    workload: code,
    figure: "requests",
    published: 8819,
    tolerance: 0,
    compute: (w) => w.totals.recorded.requests!,
    print: plain(0),
  },
  {
    workload: code,
    figure: "context tokens",
    published: 18_059_974,
    tolerance: 0,
    compute: (w) => w.totals.recorded.contextTokens!,
    print: plain(0),
  },
  {
    workload: code,
    figure: "generated tokens",
    published: 245_896,
    tolerance: 0,
    compute: (w) => w.totals.recorded.generatedTokens!,
    print: plain(0),
  },
  {
    workload: chat,
    figure: "requests",
    published: 19_366,
    tolerance: 0,
    compute: (w) => w.totals.recorded.requests!,
    print: plain(0),
  },
  {
    workload: chat,
    figure: "context tokens",
    published: 22_361_870,
    tolerance: 0,
    compute: (w) => w.totals.recorded.contextTokens!,
    print: plain(0),
  },
  {
    workload: chat,
    figure: "generated tokens",
    published: 4_088_665,
    tolerance: 0,
    compute: (w) => w.totals.recorded.generatedTokens!,
    print: plain(0),
  },
  {
    workload: code,
    figure: "layer's products, 1 token, ms",
    published: 0.593,
    tolerance: 0.1,
    compute: () => layerMilliseconds(1),
    print: plain(3),
  },
  {
    workload: code,
    figure: "layer's products, 128 tokens, ms",
    published: 0.611,
    tolerance: 0.1,
    compute: () => layerMilliseconds(128),
    print: plain(3),
  },
  {
    workload: code,
    figure: "layer's products, 512 tokens, ms",
    published: 1.169,
    tolerance: 0.1,
    compute: () => layerMilliseconds(512),
    print: plain(3),
  },
  {
    workload: code,
    figure: "layer's products, 4,096 tokens, ms",
    published: 10.087,
    tolerance: 0.1,
    compute: () => layerMilliseconds(4096),
    print: plain(3),
  },
  {
    workload: resnet,
    figure: "bytes sent a rank and step",
    published: 102_228_128,
    tolerance: 0,
    compute: (w) => Number(w.totals.work.get(EngineClass.LINK_TX)) / 3,
    print: plain(0),
  },
  { workload: lora, figure: "steps, s", published: 586, tolerance: 0.05, compute: stepSeconds, print: plain(1) },
  {
    workload: lora,
    figure: "run, s",
    published: 656,
    tolerance: 0.05,
    compute: (w) => w.totals.durationSeconds,
    print: plain(1),
  },
  {
    workload: lora,
    figure: "mean power at the wall, W",
    published: 9580,
    tolerance: 0.05,
    compute: (w) => w.power!.meanWatts,
    print: plain(0),
  },
  {
    workload: recsys,
    figure: "products a board",
    published: 1674,
    tolerance: 0,
    compute: (w) => w.totals.recorded.gemms! / w.boards,
    print: plain(0),
  },
  {
    workload: recsys,
    figure: "operations a board",
    published: 1.928e12,
    tolerance: 0.01,
    compute: (w) => flopOf(w) / w.boards,
    print: power,
  },
  {
    workload: recsys,
    figure: "products' time, ms",
    published: 60.9,
    tolerance: 0.01,
    compute: (w) => (w.totals.recorded.gemmSeconds! / w.boards) * 1000,
    print: plain(1),
  },
];

describe("the page of calibrations", () => {
  const rows = FIGURES.map(({ workload, figure, published, tolerance, compute, print }) => {
    const here = compute(builtinWorkload(workload));
    expect(Math.abs(here / published - 1), `${workload}: ${figure} is ${here}`).toBeLessThanOrEqual(tolerance);
    const allowed = tolerance === 0 ? "exact" : `${tolerance * 100} %`;
    return `| \`${workload}\` | ${figure} | ${print(published)} | ${print(here)} | ${allowed} |`;
  });

  test("prints the published totals beside what is computed", () => {
    const table = page.slice(page.indexOf("|---|---|---|---|---|\n"), page.indexOf("\n<!-- :calibration -->"));
    expect(table.trim().split("\n").slice(1)).toEqual(rows);
  });

  test("says of every workload and every accelerator what is calibrated, assumed and unknown", () => {
    for (const { name } of listWorkloads()) expect(page, name).toContain(`\`${name}\``);
    for (const name of ACCELERATORS.keys()) expect(page, name).toContain(`\`${name}\``);
  });
});

/** Published dense peaks: BF16 and eight-bit TFLOP/s, memory TB/s, links GB/s both ways. */
test.each([
  ["a100", 312, 624, 2.039, 600],
  ["h100", 989.4, 1979, 3.35, 900],
  ["h200", 989.4, 1979, 4.8, 900],
  ["h800", 989, 1979, 3.35, 400],
  ["h20", 148, 296, 4.0, 900],
  ["b200", 2250, 4500, 7.7, 1800],
  ["gb200", 2500, 5000, 8, 1800],
  ["mi300x", 1307, 2615, 5.3, 896],
  ["tpu-v5p", 459, 918, 2.765, 600],
  ["tpu-v6e", 918, 1836, 1.638, 800],
  ["trainium2", 667, 1299, 2.9, 1280],
])("%s has its published dense peaks", (name, bf16, eightBit, memory, links) => {
  const chip = accelerator(name);
  const rate = (engineClass: number) => peakPerSecond(chip, engineClass) / 1e12;
  expect(rate(EngineClass.TENSOR_BF16)).toBeCloseTo(bf16, 6);
  expect(Math.max(rate(EngineClass.TENSOR_FP8), rate(EngineClass.TENSOR_INT8))).toBeCloseTo(eightBit, 6);
  expect(chip.hbmBytesPerSecond / 1e12).toBeCloseTo(memory, 6);
  expect(chip.linkBytesPerSecond / 1e9).toBeCloseTo(links, 6);
});

function medianStepSeconds(workload: Workload): number {
  const seconds = [...workload.phases()].map(({ durationSeconds }) => durationSeconds).sort((a, b) => a - b);
  return (seconds[119]! + seconds[120]!) / 2;
}

function stepSeconds(workload: Workload): number {
  return [...workload.phases()].reduce(
    (sum, { step, durationSeconds }) => sum + (step === undefined ? 0 : durationSeconds),
    0,
  );
}

/** The four linear operators of a Llama-2-70B layer on one H100, one after the other. */
function layerMilliseconds(tokens: number): number {
  return layerGemms(model("llama2-70b"), tokens).reduce((sum, { m, k, n }) => {
    const bytes = 2n * BigInt(k * n + m * k + m * n);
    const operations = 2n * BigInt(m) * BigInt(k) * BigInt(n);
    return sum + rooflineSeconds(accelerator("h100"), EngineClass.TENSOR_BF16, operations, bytes) * 1000;
  }, 0);
}
