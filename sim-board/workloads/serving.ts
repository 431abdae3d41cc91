/**
 * What serves inference requests, where only the requests are known: a transformer in BF16, tensor-parallel. The requests
 * of each batch are one prefill phase, then a decode phase in which the batch shrinks as requests end; batches are not
 * merged. Operations, memory and link bytes come from the model's shape, times from a roofline.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Accelerator } from "../accelerators.ts";
import { ringAllReduceBytes } from "./collectives.ts";
import { type ModelShape, model } from "./models.ts";
import {
  decodeOperations,
  kvBytesPerToken,
  layerGemms,
  prefillOperations,
  rooflineSeconds,
  weightBytes,
} from "./transformer.ts";
import { addWork, type Counts, type Phase, type RecordedTotals, shareOf } from "./types.ts";

/** Tokens of one request. */
export type Request = { context: number; generated: number };

/** Requests that start together, once the last of them has come. */
export type Batch = { startSeconds: number; requests: readonly Request[] };

type Server = {
  /** Default: Llama-2-70B. */
  shape?: ModelShape;
  chip: Accelerator;
  boards: number;
  board: number;
};

export const SERVED_MODEL = model("llama2-70b");

/** What one board does of it, and the totals of all. Throws a `WorkloadError` where the heads cannot be split so. */
export function serve(batches: Iterable<Batch>, server: Server): { phases: Phase[]; recorded: RecordedTotals } {
  const { boards, shape = SERVED_MODEL } = server;
  layerGemms(shape, 1, boards);
  const phases: Phase[] = [];
  const recorded = { flop: 0n, linkBytes: 0n, requests: 0, contextTokens: 0, generatedTokens: 0 };
  for (const { startSeconds, requests } of batches) {
    for (const { context, generated } of requests) {
      recorded.requests++;
      recorded.contextTokens += context;
      recorded.generatedTokens += generated;
    }
    for (const load of [prefillLoad(requests, shape), decodeLoad(requests, shape)]) {
      // A request may hold tokens but no work (no context): it counts nonetheless.
      if (load.counts.tokens === 0 && load.counts.requests === 0) continue;
      recorded.flop += load.operations;
      const link = load.passTokens === 0n ? 0n : tensorParallelBytes(load.passTokens, boards, shape);
      recorded.linkBytes += link * BigInt(boards);
      phases.push(phaseOf(load, link, server, startSeconds));
    }
  }
  return {
    phases,
    recorded: { scope: "job", ...recorded, tokens: recorded.contextTokens + recorded.generatedTokens },
  };
}

type Load = {
  name: string;
  operations: bigint;
  /** Bytes read from and written to memory, of all boards together. */
  memoryBytes: bigint;
  /** Tokens that passed through the layers. */
  passTokens: bigint;
  counts: Required<Pick<Counts, "tokens" | "requests">>;
};

/** All prompts in one pass: the weights are read once, every token leaves its keys and values. */
function prefillLoad(batch: readonly Request[], shape: ModelShape): Load {
  let operations = 0n;
  let tokens = 0n;
  const counts = { tokens: 0, requests: 0 };
  for (const { context, generated } of batch) {
    counts.tokens += context + Math.min(generated, 1);
    if (generated <= 1) counts.requests++;
    if (context === 0) continue;
    operations += prefillOperations(shape, context);
    tokens += BigInt(context);
  }
  const memoryBytes = tokens === 0n ? 0n : weightBytes(shape) + tokens * kvBytesPerToken(shape);
  return { name: "prefill", operations, memoryBytes, passTokens: tokens, counts };
}

/**
 * The prefill gives each request its first token; every further one takes a pass over the weights, shared by the
 * requests still running, and a read of the request's own keys and values.
 */
function decodeLoad(batch: readonly Request[], shape: ModelShape): Load {
  let operations = 0n;
  let contextReads = 0n;
  let tokens = 0n;
  let passes = 0;
  const counts = { tokens: 0, requests: 0 };
  const perContext = decodeOperations(shape, 1) - decodeOperations(shape, 0);
  for (const { context, generated } of batch) {
    const further = Math.max(generated - 1, 0);
    // Contexts context+1 ... context+further, summed.
    const reads = BigInt(further) * BigInt(context) + (BigInt(further) * BigInt(further + 1)) / 2n;
    operations += BigInt(further) * decodeOperations(shape, 0) + reads * perContext;
    contextReads += reads;
    tokens += BigInt(further);
    counts.tokens += further;
    if (further > 0) counts.requests++;
    passes = Math.max(passes, further);
  }
  const memoryBytes = BigInt(passes) * weightBytes(shape) + contextReads * kvBytesPerToken(shape);
  return { name: "decode", operations, memoryBytes, passTokens: tokens, counts };
}

/** Two all-reduces of T h BF16 elements a layer, forward: what one of `boards` sends. */
function tensorParallelBytes(tokens: bigint, boards: number, shape: ModelShape): bigint {
  return ringAllReduceBytes(BigInt(boards), 2n * BigInt(shape.layers) * tokens * BigInt(shape.hidden) * 2n);
}

function phaseOf(load: Load, link: bigint, { chip, boards, board }: Server, startSeconds: number): Phase {
  const operations = shareOf(load.operations, boards, board);
  const bytes = shareOf(load.memoryBytes, boards, board);
  const work = new Map<number, bigint>();
  addWork(work, EngineClass.TENSOR_BF16, operations);
  addWork(work, EngineClass.COPY, bytes);
  addWork(work, EngineClass.LINK_TX, link);
  addWork(work, EngineClass.LINK_RX, link);
  const durationSeconds = rooflineSeconds(chip, EngineClass.TENSOR_BF16, operations, bytes);
  return { name: load.name, durationSeconds, measured: false, work, startSeconds, counts: load.counts };
}
