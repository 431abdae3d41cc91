/**
 * Inference request tables: TIMESTAMP, ContextTokens, GeneratedTokens (Azure LLM inference traces; Patel et al.,
 * Splitwise, ISCA 2024).
 *
 * The recording holds when requests came and how many tokens they took; what served them is our model: Llama-2-70B in
 * BF16 on eight H100 with tensor-parallel width 8. The requests of each second form one batch: a prefill phase, then a
 * decode phase in which the batch shrinks as requests end. Batches of different seconds are not merged.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { type Accelerator, accelerator } from "../accelerators.ts";
import { ringAllReduceBytes } from "./collectives.ts";
import { WorkloadError } from "./errors.ts";
import { boardCount, boardOption, type ReadOptions, type TraceFile, wholeQuantity } from "./files.ts";
import { rowsOf } from "./kernels-csv.ts";
import { model } from "./models.ts";
import {
  decodeOperations,
  kvBytesPerToken,
  layerGemms,
  prefillOperations,
  rooflineSeconds,
  weightBytes,
} from "./transformer.ts";
import { addWork, type Counts, type Phase, shareOf, type Workload, workloadOf } from "./types.ts";

type Request = { second: number; context: number; generated: number };

const COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"] as const;
const TOKENS_MAX = 10_000_000;
/** Longest trace, in one-second windows: about 11 days. */
const WINDOWS_MAX = 1_000_000;
const SHAPE = model("llama2-70b");
const BOARDS = 8;

export function isInferenceCsv(text: string): boolean {
  return /^\uFEFF?TIMESTAMP,\s*ContextTokens,\s*GeneratedTokens\s/.test(text);
}

export function readInferenceCsv(file: TraceFile, options: ReadOptions = {}): Workload {
  const requests = requestsOf(file);
  const boards = boardCount(options.boards ?? BOARDS);
  // Refuses a width that the model's heads cannot be split into.
  layerGemms(SHAPE, 1, boards);
  const board = boardOption(options, boards);
  const chip = accelerator(options.accelerator ?? "h100");
  const windows = new Map<number, Request[]>();
  for (const request of requests) {
    const window = windows.get(request.second);
    if (window) window.push(request);
    else windows.set(request.second, [request]);
  }
  let flop = 0n;
  let linkBytes = 0n;
  const phases: Phase[] = [];
  for (const [second, batch] of [...windows].sort(([a], [b]) => a - b)) {
    for (const load of [prefillLoad(batch), decodeLoad(batch)]) {
      // A request may hold tokens but no work (no context): it counts nonetheless.
      if (load.counts.tokens === 0 && load.counts.requests === 0) continue;
      flop += load.operations;
      const link = load.passTokens === 0n ? 0n : tensorParallelBytes(load.passTokens, boards);
      linkBytes += link * BigInt(boards);
      // The requests of a second can only start together once it is over.
      phases.push(phaseOf(load, link, chip, boards, board, second + 1));
    }
  }
  const contextTokens = requests.reduce((sum, request) => sum + request.context, 0);
  const generatedTokens = requests.reduce((sum, request) => sum + request.generated, 0);
  return workloadOf({
    name: `${SHAPE.name} serving ${file.name}`,
    source:
      `Request trace ${file.name}; Azure LLM inference traces: github.com/Azure/AzurePublicDataset (CC-BY-4.0, ` +
      "Microsoft; Patel et al., Splitwise, ISCA 2024)",
    accelerator: chip.name,
    boards,
    board,
    provenance: {
      measured: "arrival, context and generated tokens of every request",
      computed:
        `${SHAPE.name} in BF16, tensor-parallel over ${boards} boards, the requests of each second as one batch; ` +
        "operations, memory and link bytes from the model's shape, times from a roofline",
    },
    recorded: {
      scope: "job",
      flop,
      linkBytes,
      requests: requests.length,
      contextTokens,
      generatedTokens,
      tokens: contextTokens + generatedTokens,
    },
    phases,
  });
}

function requestsOf(file: TraceFile): Request[] {
  const rows = rowsOf(file.text, file.name, COLUMNS);
  const times = rows.map((row, index) => secondsOf(row.TIMESTAMP!, index + 2, file.name));
  const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  return rows.map((row, index) => {
    const second = Math.floor(times[index]! - first);
    if (second >= WINDOWS_MAX) {
      throw new WorkloadError("trace/too-many", `${file.name} spans over ${WINDOWS_MAX} seconds`);
    }
    const tokens = (column: "ContextTokens" | "GeneratedTokens") =>
      wholeQuantity(row[column], `${column} of line ${index + 2}`, file.name, TOKENS_MAX);
    return { second, context: tokens("ContextTokens"), generated: tokens("GeneratedTokens") };
  });
}

/** 2023-11-16 18:17:03.9799600, with seven decimals and no zone: only differences matter. */
function secondsOf(stamp: string, line: number, file: string): number {
  const parts = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d{1,9})?/.exec(stamp);
  const whole = parts ? Date.parse(`${parts[1]}T${parts[2]}Z`) : Number.NaN;
  if (Number.isNaN(whole)) {
    throw new WorkloadError("trace/malformed", `${file}, line ${line}: TIMESTAMP is no date and time`);
  }
  return whole / 1000 + Number(parts![3] ?? 0);
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
function prefillLoad(batch: Request[]): Load {
  let operations = 0n;
  let tokens = 0n;
  const counts = { tokens: 0, requests: 0 };
  for (const { context, generated } of batch) {
    counts.tokens += context + Math.min(generated, 1);
    if (generated <= 1) counts.requests++;
    if (context === 0) continue;
    operations += prefillOperations(SHAPE, context);
    tokens += BigInt(context);
  }
  const memoryBytes = tokens === 0n ? 0n : weightBytes(SHAPE) + tokens * kvBytesPerToken(SHAPE);
  return { name: "prefill", operations, memoryBytes, passTokens: tokens, counts };
}

/**
 * The prefill gives each request its first token; every further one takes a pass over the weights, shared by the
 * requests still running, and a read of the request's own keys and values.
 */
function decodeLoad(batch: Request[]): Load {
  let operations = 0n;
  let contextReads = 0n;
  let tokens = 0n;
  let passes = 0;
  const counts = { tokens: 0, requests: 0 };
  const perContext = decodeOperations(SHAPE, 1) - decodeOperations(SHAPE, 0);
  for (const { context, generated } of batch) {
    const further = Math.max(generated - 1, 0);
    // Contexts context+1 ... context+further, summed.
    const reads = BigInt(further) * BigInt(context) + (BigInt(further) * BigInt(further + 1)) / 2n;
    operations += BigInt(further) * decodeOperations(SHAPE, 0) + reads * perContext;
    contextReads += reads;
    tokens += BigInt(further);
    counts.tokens += further;
    if (further > 0) counts.requests++;
    passes = Math.max(passes, further);
  }
  const memoryBytes = BigInt(passes) * weightBytes(SHAPE) + contextReads * kvBytesPerToken(SHAPE);
  return { name: "decode", operations, memoryBytes, passTokens: tokens, counts };
}

/** Two all-reduces of T h BF16 elements a layer, forward: what one of `boards` sends. */
function tensorParallelBytes(tokens: bigint, boards: number): bigint {
  return ringAllReduceBytes(BigInt(boards), 2n * BigInt(SHAPE.layers) * tokens * BigInt(SHAPE.hidden) * 2n);
}

function phaseOf(
  load: Load,
  link: bigint,
  chip: Accelerator,
  boards: number,
  board: number,
  startSeconds: number,
): Phase {
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
