/**
 * PyTorch Kineto traces: JSON in Chrome's trace event format (github.com/pytorch/kineto). Read are the events of the
 * device: kernels, copies, and the DMA requests of Meta's MTIA. A kernel is joined to its launch by correlation id, the
 * launch to the operator that encloses it by thread and time, and that gives the dimensions of its inputs.
 */
import { accelerator } from "../accelerators.ts";
import type { Collective } from "./collectives.ts";
import { type StepMark, slicePhases } from "./device-timeline.ts";
import { WorkloadError } from "./errors.ts";
import {
  boardCount,
  profiledBoard,
  quantity,
  type ReadOptions,
  refuseTooMany,
  type TraceFile,
  wholeQuantity,
} from "./files.ts";
import { dimensions, metered, PROFILE_PROVENANCE, type ProfiledKernel } from "./profiled-kernels.ts";
import { type Workload, workloadOf } from "./types.ts";

type TraceEvent = {
  ph?: unknown;
  cat?: unknown;
  name?: unknown;
  tid?: unknown;
  ts?: unknown;
  dur?: unknown;
  args?: Record<string, unknown>;
};

type Trace = {
  traceEvents?: unknown;
  deviceProperties?: unknown;
  distributedInfo?: { rank?: unknown; world_size?: unknown };
};

const DEVICE_CATEGORIES = new Set(["kernel", "gpu_memcpy", "gpu_memset", "mtia_ccp_events"]);
const LAUNCH_CATEGORIES = new Set(["cuda_runtime", "cuda_driver"]);
const BOARDS_MAX = 1_000_000;

export function isKineto(text: string): boolean {
  return /^\s*\{/.test(text) && text.includes('"traceEvents"');
}

export function readKineto(file: TraceFile, options: ReadOptions = {}): Workload {
  const trace = parse(file);
  const all = trace.traceEvents as TraceEvent[];
  const originUs = all.reduce(
    (least, event) => (isSpan(event) ? Math.min(least, event.ts as number) : least),
    Infinity,
  );
  const operators = operatorsOf(all, file.name);
  const launches = launchesOf(all);
  const kernels = all
    .filter((event) => isSpan(event) && DEVICE_CATEGORIES.has(text(event.cat)))
    .map((event) => kernelOf(event, originUs, operators, launches, file.name));
  const marks = stepMarks(all, originUs, file.name);
  const { events, recorded } = metered(kernels, {
    batched: options.batchedProducts ?? false,
    ...(marks.length > 0 ? { steps: marks.length } : {}),
  });
  const world = trace.distributedInfo?.world_size;
  const boards =
    options.boards ?? (world === undefined ? 1 : wholeQuantity(world, "world_size", file.name, BOARDS_MAX));
  const chip = options.accelerator ?? chipOf(trace, all);
  accelerator(chip);
  return workloadOf({
    name: `profile ${file.name}`,
    source: `PyTorch Kineto trace ${file.name}`,
    accelerator: chip,
    boards: boardCount(boards),
    board: profiledBoard(options, wholeQuantity(trace.distributedInfo?.rank ?? 0, "rank", file.name, BOARDS_MAX)),
    provenance: PROFILE_PROVENANCE,
    recorded,
    phases: slicePhases(events, file.name, marks),
  });
}

function parse(file: TraceFile): Trace {
  let trace: Trace;
  try {
    trace = JSON.parse(file.text);
  } catch (cause) {
    const message = String((cause as Error).message)
      .slice(0, 80)
      .split("\n")[0];
    throw new WorkloadError("trace/malformed", `${file.name} is not whole JSON: ${message}`, { cause });
  }
  if (!Array.isArray(trace.traceEvents)) {
    throw new WorkloadError("trace/malformed", `${file.name}: traceEvents is not a list`);
  }
  refuseTooMany(trace.traceEvents.length, "events", file.name);
  for (const event of trace.traceEvents as unknown[]) {
    if (event === null || typeof event !== "object" || Array.isArray(event)) {
      throw new WorkloadError("trace/malformed", `${file.name}: an entry of traceEvents is not an event`);
    }
    const { ph, ts, dur } = event as TraceEvent;
    if (ph !== "X") continue;
    quantity(ts, "ts of an event", file.name);
    quantity(dur, "dur of an event", file.name, 1e13);
    if (typeof ts === "string" || typeof dur === "string") {
      throw new WorkloadError("trace/bad-number", `${file.name}: ts or dur of an event is text`);
    }
  }
  return trace;
}

/** A field that is only compared and shown: what is not text counts as none. */
function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 400) : "";
}

/** A complete event, whose ts and dur were checked above. */
function isSpan(event: TraceEvent): boolean {
  return event.ph === "X";
}

type Span = { startUs: number; endUs: number; event: TraceEvent };

/** Operators by thread, in order of start; of those that enclose a moment the innermost is the last to start. */
function operatorsOf(all: TraceEvent[], file: string): Map<unknown, Span[]> {
  const byThread = new Map<unknown, Span[]>();
  for (const event of all) {
    if (!isSpan(event) || event.cat !== "cpu_op") continue;
    const spans = byThread.get(event.tid) ?? [];
    const startUs = event.ts as number;
    spans.push({ startUs, endUs: startUs + (event.dur as number), event });
    byThread.set(event.tid, spans);
  }
  refuseTooMany(byThread.size, "threads", file, 65_536);
  for (const spans of byThread.values()) spans.sort((a, b) => a.startUs - b.startUs || b.endUs - a.endUs);
  return byThread;
}

function launchesOf(all: TraceEvent[]): Map<unknown, TraceEvent> {
  const launches = new Map<unknown, TraceEvent>();
  for (const event of all) {
    const correlation = event.args?.correlation;
    if (correlation !== undefined && isSpan(event) && LAUNCH_CATEGORIES.has(text(event.cat))) {
      launches.set(correlation, event);
    }
  }
  return launches;
}

/** How many operators that started before a launch are looked at for one that encloses it: bounds the search. */
const SEARCH_MAX = 4096;

function enclosing(spans: Span[] | undefined, atUs: number): TraceEvent | undefined {
  if (!spans) return undefined;
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.startUs <= atUs) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index >= Math.max(0, low - SEARCH_MAX); index--) {
    if (spans[index]!.endUs >= atUs) return spans[index]!.event;
  }
  return undefined;
}

function kernelOf(
  event: TraceEvent,
  originUs: number,
  operators: Map<unknown, Span[]>,
  launches: Map<unknown, TraceEvent>,
  file: string,
): ProfiledKernel {
  const args = event.args ?? {};
  const launch = launches.get(args.correlation);
  const operator = launch && enclosing(operators.get(launch.tid), launch.ts as number);
  const copies = event.cat === "gpu_memcpy" || event.name === "dma_request";
  const bytes = copies ? (args.bytes ?? args.size) : undefined;
  const types = operator?.args?.["Input type"];
  const kernel: ProfiledKernel = {
    startNs: Math.round(((event.ts as number) - originUs) * 1000),
    durationNs: Math.round((event.dur as number) * 1000),
    kernel: text(event.name),
    kind: event.cat === "kernel" ? "kernel" : copies ? "copy" : "other",
    copyBytes: bytes === undefined ? 0n : BigInt(wholeQuantity(bytes, "bytes of a copy", file)),
    operator: operator ? text(operator.name) : "",
    inputDims: isProduct(operator) ? dimensions(operator?.args?.["Input Dims"], file) : [],
    inputTypes: Array.isArray(types) ? types.slice(0, 16).map(text) : [],
  };
  const collective = collectiveOf(event, file);
  return collective ? { ...kernel, collective } : kernel;
}

function isProduct(operator: TraceEvent | undefined): boolean {
  return /mm$/.test(text(operator?.name));
}

/** A collective's kernel; without the arguments that newer profilers record, its size is unknown and stays uncounted. */
function collectiveOf(event: TraceEvent, file: string): Collective | undefined {
  const args = event.args ?? {};
  const name = args["Collective name"];
  if (name === undefined) {
    if (!/^nccl/i.test(text(event.name))) return undefined;
    return { name: "unrecorded", inElements: 0n, outElements: 0n, dtype: "", ranks: 0n };
  }
  return {
    name: text(name),
    inElements: BigInt(wholeQuantity(args["In msg nelems"], "In msg nelems", file)),
    outElements: BigInt(wholeQuantity(args["Out msg nelems"], "Out msg nelems", file)),
    dtype: text(args.dtype),
    ranks: BigInt(wholeQuantity(args["Group size"], "Group size", file, BOARDS_MAX)),
  };
}

/** Training steps, where the script marked them: spans called ProfilerStep#N. */
function stepMarks(all: TraceEvent[], originUs: number, file: string): StepMark[] {
  const starts = all
    .filter((event) => isSpan(event) && event.cat === "user_annotation" && /^ProfilerStep#\d+$/.test(text(event.name)))
    .map((event) => Math.round(((event.ts as number) - originUs) * 1000))
    .sort((a, b) => a - b);
  refuseTooMany(starts.length, "steps", file, 100_000);
  return starts.map((startNs, step) => ({ startNs, step }));
}

/** The chip that the trace names, or else an A100, on which most published traces were taken. */
function chipOf(trace: Trace, all: TraceEvent[]): string {
  if (all.some((event) => event.cat === "mtia_ccp_events")) return "mtia-v2";
  const devices = Array.isArray(trace.deviceProperties) ? trace.deviceProperties : [];
  const name = text((devices[0] as { name?: unknown } | null | undefined)?.name);
  const known = ["H100", "H200", "GB200", "B200", "MI300X", "A100"].find((chip) => name.includes(chip));
  return (known ?? "A100").toLowerCase();
}
