/**
 * What a board's signed meter shows of jobs, window by window: training and inference of transformers, honest and
 * disguised. Operations, link bytes and served requests come from the workloads' own arithmetic; memory traffic of
 * training is that of its products alone, every operand once; speeds and loads are drawn.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { accelerator, peakPerSecond } from "../../sim-board/accelerators.ts";
import type { Random } from "../../sim-board/random.ts";
import { type ModelShape, model } from "../../sim-board/workloads/models.ts";
import { serve } from "../../sim-board/workloads/serving.ts";
import { layerGemms, matrixParameters, trainingStep } from "../../sim-board/workloads/transformer.ts";
import { operationsOf } from "../../sim-board/workloads/types.ts";
import { normal, uniform } from "./trials.ts";

/** Of one board in one window. */
export interface Window {
  readonly operations: number;
  readonly memoryBytes: number;
  readonly linkBytes: number;
}

export interface Metered {
  readonly windows: readonly Window[];
  /** What the board could do, in operations a second. */
  readonly peakPerSecond: number;
}

/**
 * - `quiet`: training that exchanges gradients once in 500 steps;
 * - `throttled`: training that rises and falls as an inference service does;
 * - `masked`: both, with idle reads of memory until it reads as much for each operation as a service does;
 * - `padded`: inference that runs evenly and sends as much besides as training would.
 */
export const DISGUISES = ["quiet", "throttled", "masked", "padded"] as const;
export type Disguise = (typeof DISGUISES)[number];

export interface MeterOptions {
  readonly windows: number;
  readonly windowSeconds: number;
}

const CHIP = accelerator("h100");
const PEAK = peakPerSecond(CHIP, EngineClass.TENSOR_BF16);
const MEMORY = peakPerSecond(CHIP, EngineClass.COPY);
const WIDTH = 8;
const MODELS = ["llama2-70b", "llama3.1-405b", "gpt3-175b"];
/** Steps between two exchanges of a run that hides them, as DiLoCo does (arXiv 2311.08105). */
const QUIET_STEPS = 500;
/** FP32 gradient, weight and two moments read and written, a BF16 weight written: bytes a parameter and step. */
const OPTIMIZER_BYTES = 30;

export function trainingJob(random: Random, options: MeterOptions, disguise?: Disguise): Metered {
  const shape = model(pick(random, MODELS));
  const sequence = 2 ** (10 + random.below(4));
  const accumulated = 2 ** random.below(5);
  const replicas = 2 ** (1 + random.below(6));
  const boards = WIDTH * replicas;
  const step = trainingStep(shape, {
    batch: replicas * accumulated,
    sequence,
    parallelism: { tp: WIDTH, pp: 1, dp: replicas, cp: 1 },
  });
  const operations = Number(step.operations) / boards;
  const exchange = Number(step.linkBytes.data) / boards;
  const quiet = disguise === "quiet" || disguise === "masked";
  const linkBytes = Number(step.linkBytes.tensor) / boards + (quiet ? exchange / QUIET_STEPS : exchange);
  const memoryBytes =
    accumulated * 3 * productBytes(shape, sequence) + (OPTIMIZER_BYTES * Number(matrixParameters(shape))) / boards;
  const speed = (0.3 + 0.2 * uniform(random)) * PEAK;
  const varies = disguise === "throttled" || disguise === "masked";
  const load = varies ? serviceLoad(random) : steadyLoad(random);
  const masked = serviceBytesPerOperation(random);
  const windows = Array.from({ length: options.windows }, () => {
    const done = (load() * speed * options.windowSeconds) / operations;
    const window = { operations: done * operations, memoryBytes: done * memoryBytes, linkBytes: done * linkBytes };
    if (disguise !== "masked") return window;
    const wanted = Math.max(window.memoryBytes, window.operations * masked);
    return { ...window, memoryBytes: Math.min(wanted, MEMORY * options.windowSeconds) };
  });
  return { windows, peakPerSecond: PEAK };
}

export function inferenceJob(random: Random, options: MeterOptions, disguise?: Disguise): Metered {
  const { operations, memoryBytes, linkBytes, seconds } = service(random);
  const padded = disguise === "padded";
  const load = padded ? steadyLoad(random) : serviceLoad(random);
  // Gradients of the served model between a few replicas, as a run of its size would send them.
  const bytesPerOperation = padded ? 10 ** (-3.6 + 0.8 * uniform(random)) : 0;
  const windows = Array.from({ length: options.windows }, () => {
    const done = (load() * options.windowSeconds) / seconds;
    return {
      operations: done * operations,
      memoryBytes: done * memoryBytes,
      linkBytes: done * (linkBytes + operations * bytesPerOperation),
    };
  });
  return { windows, peakPerSecond: PEAK };
}

/** One batch of like requests on one board, and how long it takes at full load. */
function service(random: Random) {
  const shape = model(pick(random, MODELS));
  const between = (least: number, most: number) => Math.round(least * (most / least) ** uniform(random));
  const request = { context: between(300, 4000), generated: between(10, 300) };
  const requests = Array.from({ length: between(1, 32) }, () => request);
  const { phases } = serve([{ startSeconds: 0, requests }], { shape, chip: CHIP, boards: WIDTH, board: 1 });
  const total = { operations: 0, memoryBytes: 0, linkBytes: 0, seconds: 0 };
  for (const { work, durationSeconds } of phases) {
    total.operations += Number(operationsOf(work));
    total.memoryBytes += Number(work.get(EngineClass.COPY) ?? 0n);
    total.linkBytes += Number(work.get(EngineClass.LINK_TX) ?? 0n);
    total.seconds += durationSeconds;
  }
  return total;
}

function serviceBytesPerOperation(random: Random): number {
  const { memoryBytes, operations } = service(random);
  return memoryBytes / operations;
}

/** A training run: nearly even, now and then half a window of evaluation or checkpoint. */
function steadyLoad(random: Random): () => number {
  return () => Math.max(0, (1 + 0.02 * normal(random)) * (uniform(random) < 0.05 ? 0.5 : 1));
}

/** Requests: some part of what could be served, which wanders by about a fifth from window to window. */
function serviceLoad(random: Random): () => number {
  const base = 0.2 + 0.6 * uniform(random);
  return () => Math.min(1, base * Math.exp(0.2 * normal(random)));
}

/** Every operand and result of one layer's products once, forward, of all layers; BF16. */
function productBytes(shape: ModelShape, tokens: number): number {
  const layer = layerGemms(shape, tokens, WIDTH).reduce((sum, { m, k, n }) => sum + 2 * (m * k + k * n + m * n), 0);
  return shape.layers * layer;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}
