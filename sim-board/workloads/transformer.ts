/**
 * Transformer arithmetic: matrix products, operations, bytes and collectives from a published model shape.
 * Every result is an exact integer; one multiply-add is 2 operations. docs/workloads.md derives the formulas.
 *
 * Symbols: L layers, h hidden, f feed-forward, n_kv heads of keys and values, d head width, V vocabulary, T tokens,
 * s sequence length, t tensor-parallel width.
 */

import { EngineClass } from "../../firmware/protocol/classes.ts";
import { type Accelerator, peakPerSecond } from "../accelerators.ts";
import { WorkloadError } from "./errors.ts";
import type { ModelShape } from "./models.ts";

/** One product [m,k] x [k,n]. */
export type Gemm = { name: string; m: number; k: number; n: number };

type Parallelism = {
  /** Tensor-parallel width. */
  tp: number;
  /** Pipeline stages. */
  pp: number;
  /** Replicas of the model. */
  dp: number;
  /** Context-parallel width: parts of one sequence. */
  cp: number;
};

export function gemmOperations(gemm: Gemm): bigint {
  return 2n * BigInt(gemm.m) * BigInt(gemm.k) * BigInt(gemm.n);
}

/** The products of one layer on one of `tp` boards, forward, over `tokens` tokens; attention's own are not among them. */
export function layerGemms(shape: ModelShape, tokens: number, tp = 1): Gemm[] {
  const keysValues = 2 * shape.kvHeads * shape.headDim;
  const h = shape.hidden;
  const up = (shape.gated ? 2 : 1) * shape.ffn;
  for (const [what, width] of [
    ["heads", shape.heads],
    ["key and value heads", shape.kvHeads],
    ["feed-forward width", shape.ffn],
  ] as const) {
    if (!Number.isInteger(tp) || tp < 1 || width % tp !== 0) {
      throw new WorkloadError(
        "workload/bad-option",
        `tensor-parallel width ${tp} does not divide the ${what} ${width}`,
      );
    }
  }
  return [
    { name: "qkv", m: tokens, k: h, n: (h + keysValues) / tp },
    { name: "attention out", m: tokens, k: h / tp, n: h },
    { name: shape.gated ? "gate and up" : "up", m: tokens, k: h, n: up / tp },
    { name: "down", m: tokens, k: shape.ffn / tp, n: h },
  ];
}

function needsProducts(shape: ModelShape): void {
  if (shape.parametersOnly) {
    throw new WorkloadError(
      "workload/bad-option",
      `the products of ${shape.name} are not modeled: only its active parameters are (6ND)`,
    );
  }
}

/** Weights in one layer's matrices: h(h + 2 n_kv d) + h^2 + (3 or 2) h f. */
export function layerParameters(shape: ModelShape): bigint {
  return layerGemms(shape, 1).reduce((sum, gemm) => sum + BigInt(gemm.k) * BigInt(gemm.n), 0n);
}

/** All matrices, with the embedding and the output head apart: L layers + 2hV. Norms and biases are left out (< 0.01 %). */
export function matrixParameters(shape: ModelShape): bigint {
  needsProducts(shape);
  return BigInt(shape.layers) * layerParameters(shape) + 2n * BigInt(shape.hidden) * BigInt(shape.vocab);
}

/** Attention's two products over one sequence of s tokens, all layers, forward: 4 s^2 h L, half of it if causal. */
function attentionOperations(shape: ModelShape, sequence: number): bigint {
  const full = 4n * BigInt(sequence) * BigInt(sequence) * BigInt(shape.heads * shape.headDim) * BigInt(shape.layers);
  return shape.causal ? full / 2n : full;
}

/** Forward operations on one sequence: every matrix once per token, and attention. */
export function forwardOperations(shape: ModelShape, sequence: number): bigint {
  needsProducts(shape);
  const weights = BigInt(shape.layers) * layerParameters(shape) + BigInt(shape.hidden) * BigInt(shape.vocab);
  return 2n * weights * BigInt(sequence) + attentionOperations(shape, sequence);
}

/**
 * Training operations on one sequence: forward, and backward with two products for each of the forward's.
 * Per token this is 3 [L 2 (2h^2 + 2h n_kv d + 3hf) + 2hV + L 2sh]: model FLOP, without recomputation.
 */
export function trainingOperations(shape: ModelShape, sequence: number): bigint {
  return 3n * forwardOperations(shape, sequence);
}

/**
 * Training of low-rank adapters (rank r on qkv and attention out) on one sequence. The frozen matrices need no weight
 * gradient, so they count twice, not three times; attention and the adapters count three times.
 */
export function loraOperations(shape: ModelShape, sequence: number, rank: number): bigint {
  const attention = attentionOperations(shape, sequence);
  const frozen = forwardOperations(shape, sequence) - attention;
  return 2n * frozen + 3n * attention + 3n * 2n * loraParameters(shape, rank) * BigInt(sequence);
}

/** Weights of the adapters: L r [(h + h + 2 n_kv d) + (h + h)]. */
export function loraParameters(shape: ModelShape, rank: number): bigint {
  const h = shape.hidden;
  return BigInt(shape.layers) * BigInt(rank * (h + h + 2 * shape.kvHeads * shape.headDim + h + h));
}

/**
 * What a checkpoint of training in mixed precision holds for each trained parameter: 2 bytes of weight, 12 of FP32
 * master copy and two moments (Adam, LAMB; ZeRO, arXiv 1910.02054, 3.1).
 */
export const CHECKPOINT_BYTES_PER_PARAMETER = 14n;

/** The usual estimate of a whole training: 6 operations per active parameter and token. */
export function sixNd(shape: ModelShape, tokens: number): number {
  return 6 * shape.activeParameters * tokens;
}

export type TrainingStep = {
  tokens: bigint;
  /** Model operations of the whole job. */
  operations: bigint;
  /** What the chips execute: a third more if everything is recomputed in the backward pass. */
  hardwareOperations: bigint;
  /** Bytes that all boards together send, by cause. */
  linkBytes: { tensor: bigint; pipeline: bigint; data: bigint };
};

export type TrainingStepOptions = {
  /** Sequences of one step, of all replicas. */
  batch: number;
  sequence: number;
  parallelism: Parallelism;
  /** Model chunks per pipeline stage (interleaved schedule); default 1. */
  chunks?: number;
  /** Bytes of one activation element; default 2 (BF16). */
  activationBytes?: number;
  /** Bytes of one gradient and of one gathered parameter; default 2 and 2. */
  gradientBytes?: number;
  parameterBytes?: number;
  recompute?: boolean;
};

/**
 * One training step of a whole job. Summed over all boards, a ring of N sends 2(N-1)S in an all-reduce, so the sums are
 * integers: tensor-parallel 4 all-reduces of T h a layer; pipeline: T h forward and back at each of the pp x chunks - 1
 * seams; data-parallel (with the context-parallel ranks): reduce-scatter of the gradients, all-gather of the parameters.
 */
export function trainingStep(shape: ModelShape, options: TrainingStepOptions): TrainingStep {
  const { batch, sequence, parallelism } = options;
  const numbers = { batch, sequence, ...parallelism, chunks: options.chunks ?? 1 };
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value < 1 || value > 1e9) {
      throw new WorkloadError("workload/bad-option", `${name} must be a whole number from 1 to 10^9, not ${value}`);
    }
  }
  const { tp, pp, dp, cp } = parallelism;
  const tokens = BigInt(batch) * BigInt(sequence);
  const operations = BigInt(batch) * trainingOperations(shape, sequence);
  const activation = tokens * BigInt(shape.hidden) * BigInt(options.activationBytes ?? 2);
  const tensor = BigInt(shape.layers) * 4n * 2n * BigInt(tp - 1) * activation;
  const pipeline = 2n * BigInt(pp * numbers.chunks - 1) * activation;
  const perParameter = BigInt((options.gradientBytes ?? 2) + (options.parameterBytes ?? 2));
  const data = BigInt(dp * cp - 1) * perParameter * matrixParameters(shape);
  return {
    tokens,
    operations,
    hardwareOperations: options.recompute ? (operations * 4n) / 3n : operations,
    linkBytes: { tensor, pipeline: pp === 1 ? 0n : pipeline, data },
  };
}

/** Bytes of keys and values that one token leaves in memory: 2 L n_kv d x bytes. */
export function kvBytesPerToken(shape: ModelShape, bytes = 2): bigint {
  return 2n * BigInt(shape.layers) * BigInt(shape.kvHeads) * BigInt(shape.headDim) * BigInt(bytes);
}

/**
 * Forward on the `tokens` tokens of one request's prompt: all matrices and causal attention; the output head works on
 * the last position only, where the first new token comes from.
 */
export function prefillOperations(shape: ModelShape, tokens: number): bigint {
  const layers = 2n * BigInt(shape.layers) * layerParameters(shape) * BigInt(tokens);
  return layers + attentionOperations(shape, tokens) + headOperations(shape);
}

/** One new token after `context` tokens: every matrix once, and attention over the context (4hL operations a position). */
export function decodeOperations(shape: ModelShape, context: number): bigint {
  const layers = 2n * BigInt(shape.layers) * layerParameters(shape);
  const attention = 4n * BigInt(shape.heads * shape.headDim) * BigInt(shape.layers) * BigInt(context);
  return layers + attention + headOperations(shape);
}

function headOperations(shape: ModelShape): bigint {
  return 2n * BigInt(shape.hidden) * BigInt(shape.vocab);
}

/** Bytes that a forward pass reads of the weights: all matrices but the embedding, of which it reads single rows. */
export function weightBytes(shape: ModelShape, bytes = 2): bigint {
  return (matrixParameters(shape) - BigInt(shape.hidden) * BigInt(shape.vocab)) * BigInt(bytes);
}

/**
 * Shares of the peaks that dense inference kernels reach on an H100, fitted to measured times of the four linear
 * operators of a Llama-2-70B layer (Vidur, MLSys 2024, profiles of github.com/microsoft/vidur): 86 % of memory
 * bandwidth in decoding, 70 to 76 % of BF16 peak in prefill.
 */
const MEASURED_EFFICIENCY = { tensor: 0.73, memory: 0.86 } as const;

/** The longer of what the products and what the memory traffic take, in seconds. */
export function rooflineSeconds(chip: Accelerator, engineClass: number, operations: bigint, bytes: bigint): number {
  const rate = peakPerSecond(chip, engineClass);
  if (rate === 0) {
    throw new WorkloadError("workload/bad-option", `${chip.name} states no rate for engine class ${engineClass}`);
  }
  return Math.max(
    Number(operations) / (rate * MEASURED_EFFICIENCY.tensor),
    Number(bytes) / (peakPerSecond(chip, EngineClass.COPY) * MEASURED_EFFICIENCY.memory),
  );
}
