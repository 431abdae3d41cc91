/**
 * Inference request tables: TIMESTAMP, ContextTokens, GeneratedTokens (Azure LLM inference traces; Patel et al.,
 * Splitwise, ISCA 2024).
 *
 * The recording holds when requests came and how many tokens they took; what served them is our model (serving.ts) on
 * eight H100. The requests of each second form one batch.
 */
import { accelerator } from "../accelerators.ts";
import { WorkloadError } from "./errors.ts";
import { boardCount, boardOption, type ReadOptions, type TraceFile, wholeQuantity } from "./files.ts";
import { rowsOf } from "./kernels-csv.ts";
import { type Request, SERVED_MODEL, serve } from "./serving.ts";
import { type Workload, workloadOf } from "./types.ts";

type Arrival = Request & { second: number };

const COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"] as const;
const TOKENS_MAX = 10_000_000;
/** Longest trace, in one-second windows: about 11 days. */
const WINDOWS_MAX = 1_000_000;
const BOARDS = 8;

export function isInferenceCsv(text: string): boolean {
  return /^\uFEFF?TIMESTAMP,\s*ContextTokens,\s*GeneratedTokens\s/.test(text);
}

export function readInferenceCsv(file: TraceFile, options: ReadOptions = {}): Workload {
  const requests = requestsOf(file);
  const boards = boardCount(options.boards ?? BOARDS);
  const board = boardOption(options, boards);
  const chip = accelerator(options.accelerator ?? "h100");
  const windows = new Map<number, Request[]>();
  for (const request of requests) {
    const window = windows.get(request.second);
    if (window) window.push(request);
    else windows.set(request.second, [request]);
  }
  // The requests of a second can only start together once it is over.
  const batches = [...windows]
    .sort(([a], [b]) => a - b)
    .map(([second, batch]) => ({ startSeconds: second + 1, requests: batch }));
  const { phases, recorded } = serve(batches, { chip, boards, board });
  return workloadOf({
    name: `${SERVED_MODEL.name} serving ${file.name}`,
    source:
      `Request trace ${file.name}; Azure LLM inference traces: github.com/Azure/AzurePublicDataset (CC-BY-4.0, ` +
      "Microsoft; Patel et al., Splitwise, ISCA 2024)",
    accelerator: chip.name,
    boards,
    board,
    provenance: {
      measured: "arrival, context and generated tokens of every request",
      computed:
        `${SERVED_MODEL.name} in BF16, tensor-parallel over ${boards} boards, the requests of each second as one batch; ` +
        "operations, memory and link bytes from the model's shape, times from a roofline",
    },
    recorded,
    phases,
  });
}

function requestsOf(file: TraceFile): Arrival[] {
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
