/**
 * MLPerf Training logs: lines with `:::MLLOG {json}` (github.com/mlcommons/logging).
 *
 * One phase per training step. Step times are the logged ones; where a log has only blocks, a block's throughput, or
 * else its time, is split evenly over its steps. The rest of the run (evaluation, gaps) is phases without work, so that
 * the phases tile the run from run_start to run_stop. Work: training operations of the model's shape; a log holds no
 * link bytes.
 */
import { accelerator } from "../accelerators.ts";
import { WorkloadError } from "./errors.ts";
import {
  boardOption,
  PHASES_MAX,
  positiveQuantity,
  quantity,
  type ReadOptions,
  refuseTooMany,
  SECONDS_MAX,
  type TraceFile,
  textValue,
  wholeQuantity,
} from "./files.ts";
import { type Benchmark, benchmark, platformOf } from "./mlperf-tables.ts";
import { type Phase, shareOf, type Workload, workloadOf } from "./types.ts";

type Entry = { timeMs: number; key: string; value: unknown; metadata: Record<string, unknown> };

/** A stretch of training: from, to in milliseconds after run_start; `steps` of equal length fill it. */
type Stretch = { startMs: number; endMs: number; steps: number };

const MARK = ":::MLLOG";
/** An entry; launchers put the rank before it. */
const LINE = /^\s*(?:\d+:)?\s*:::MLLOG \{/m;
const KEYS_STEP_SECONDS = ["train_step_time", "train_step_timing in s"];
/** Gaps up to this long are the clock's grain, and no phase of their own. */
const GAP_MS_MIN = 50;

export function isMlperf(text: string): boolean {
  return LINE.test(text.slice(0, 65_536));
}

export function readMlperf(file: TraceFile, options: ReadOptions = {}): Workload {
  const log = parse(file);
  const bench = benchmark(textOf(log, "submission_benchmark", file), file.name);
  const batch = positiveQuantity(need(log, "global_batch_size", file), "global_batch_size", file.name, 1e6);
  const platform = textOf(log, "submission_platform", file);
  const ranks = log.filter((entry) => entry.key === "init_start").length;
  const { chip, boards } = platformOf(platform, ranks, file.name, options);
  const board = boardOption(options, boards);

  const stretches = stretchesOf(log, bench, batch, file);
  const steps = stretches.reduce((sum, stretch) => sum + stretch.steps, 0);
  const sequence = sequenceOf(log, bench, file);
  const sequences = sequencesOf(log, bench, batch, boards, file);
  const rank = bench.lora ? wholeQuantity(need(log, "lora_rank", file), "lora_rank", file.name, 65_536) : 0;
  const samples = samplesOf(log, bench, batch * steps, sequence, file);
  // The last batch may be short by its own size; more than that means that lines are missing.
  if (Math.abs(samples - batch * steps) > batch) {
    throw new WorkloadError(
      "trace/incomplete",
      `${file.name} counts ${samples} samples, but its ${steps} steps of ${batch} make ${batch * steps}: lines are missing`,
    );
  }
  const perStep = BigInt(sequences) * bench.operations(sequence, rank);
  const engineClass = bench.engineClass(chip);
  const mine = shareOf(perStep, boards, board);
  const tokensPerStep = sequences * sequence;
  const tokens = wholeQuantity(tokensPerStep * steps, "the count of tokens", file.name);
  // Packed batches and a short last one vary, and no log says by how much at which step.
  const counts = { tokens: tokensPerStep, ...(samples === batch * steps ? { samples: batch } : {}) };
  const each = () => ({ work: new Map([[engineClass as number, mine]]), counts });
  const phases = tile(log, stretches, each, file);
  return workloadOf({
    name: `${bench.name} on ${boards} ${accelerator(chip).title}`,
    source: `MLPerf Training log ${file.name} (${platform}); mlcommons/training_results, Apache-2.0`,
    accelerator: chip,
    boards,
    board,
    provenance: {
      measured: bench.measured(stretches.length === steps),
      computed: `operations: ${bench.formula}, ${sequence} tokens a sequence; ${bench.dtypeReason(chip)}; checkpoint: 14 bytes a trained parameter`,
    },
    recorded: {
      scope: "job",
      flop: perStep * BigInt(steps),
      steps,
      samples,
      tokens,
    },
    checkpoint: { bytes: shareOf(bench.checkpointBytes(rank), boards, board), everySteps: 0 },
    phases,
  });
}

function parse(file: TraceFile): Entry[] {
  const entries: Entry[] = [];
  let number = 0;
  for (const line of file.text.split("\n")) {
    number++;
    const at = line.indexOf(MARK);
    if (at < 0) continue;
    let item: { time_ms?: unknown; key?: unknown; value?: unknown; metadata?: unknown };
    try {
      item = JSON.parse(line.slice(at + MARK.length));
    } catch (cause) {
      throw new WorkloadError("trace/malformed", `${file.name}, line ${number}: ${MARK} is not followed by JSON`, {
        cause,
      });
    }
    if (item === null || typeof item !== "object" || typeof item.key !== "string") {
      throw new WorkloadError("trace/malformed", `${file.name}, line ${number}: ${MARK} entry without a key`);
    }
    const timeMs = quantity(item.time_ms, `time_ms of line ${number}`, file.name);
    const metadata = (typeof item.metadata === "object" ? (item.metadata ?? {}) : {}) as Record<string, unknown>;
    entries.push({ timeMs, key: item.key, value: item.value, metadata });
  }
  refuseTooMany(entries.length, "entries", file.name);
  return entries;
}

function need(log: Entry[], key: string, file: TraceFile): unknown {
  const found = log.find((entry) => entry.key === key);
  if (found) return found.value;
  if (log.some((entry) => entry.key === "power_reading")) {
    throw new WorkloadError(
      "trace/not-a-workload",
      `${file.name} is a power log (wall power readings); the workload of that run is in its result_*.txt`,
    );
  }
  throw new WorkloadError("trace/incomplete", `${file.name} has no ${key}: a training log names it`);
}

function textOf(log: Entry[], key: string, file: TraceFile): string {
  return textValue(need(log, key, file), key, file.name);
}

function timeOf(log: Entry[], key: string, file: TraceFile): number {
  need(log, key, file);
  return log.find((entry) => entry.key === key)!.timeMs;
}

function sequenceOf(log: Entry[], bench: Benchmark, file: TraceFile): number {
  const logged = log.find((entry) => entry.key === "max_sequence_length");
  if (!logged) return bench.sequence;
  return positiveQuantity(logged.value, "max_sequence_length", file.name, 1e7);
}

/** Sequences of one step: the batch, or for packed samples the logged sequences of each board. */
function sequencesOf(log: Entry[], bench: Benchmark, batch: number, boards: number, file: TraceFile): number {
  const packed = log.find((entry) => entry.key === "d_batch_size");
  if (!bench.packed || !packed) return batch;
  return positiveQuantity(packed.value, "d_batch_size", file.name, 1e6) * boards;
}

function stepSeconds(entry: Entry): unknown {
  if (entry.key !== "tracked_stats" || entry.value === null || typeof entry.value !== "object") return undefined;
  const value = entry.value as Record<string, unknown>;
  // With a throughput beside it the time is a block's mean, not a step's own.
  if ("throughput" in value) return undefined;
  return KEYS_STEP_SECONDS.map((key) => value[key]).find((seconds) => seconds !== undefined);
}

function stretchesOf(log: Entry[], bench: Benchmark, batch: number, file: TraceFile): Stretch[] {
  const startMs = timeOf(log, "run_start", file);
  const single = log.flatMap((entry): Stretch[] => {
    const seconds = stepSeconds(entry);
    if (seconds === undefined) return [];
    const lengthMs = 1000 * quantity(seconds, "a step time", file.name, SECONDS_MAX);
    const endMs = entry.timeMs - startMs;
    return [{ startMs: endMs - lengthMs, endMs, steps: 1 }];
  });
  const stretches = single.length > 0 ? single : blocksOf(log, bench, batch, startMs, file);
  const steps = stretches.reduce((sum, stretch) => sum + stretch.steps, 0);
  if (steps === 0) throw new WorkloadError("trace/incomplete", `${file.name} has neither step times nor blocks`);
  refuseTooMany(steps, "training steps", file.name, PHASES_MAX / 2);
  return stretches;
}

/** Training runs from a block's start or an evaluation's end to the block's end or the next evaluation's start. */
function blocksOf(log: Entry[], bench: Benchmark, batch: number, runStartMs: number, file: TraceFile): Stretch[] {
  const stretches: Stretch[] = [];
  let openMs: number | undefined;
  let samplesBefore = 0;
  let stepsBefore = 0;
  log.forEach((entry, index) => {
    const opens = entry.key === "block_start" || entry.key === "eval_stop";
    const closes = entry.key === "block_stop" || entry.key === "eval_start";
    if (opens) openMs = entry.timeMs;
    if (!closes || openMs === undefined) return;
    const samples = samplesAfter(log, index, bench, file);
    if (samples === undefined) return;
    // The samples of packed batches vary, so steps are counted from the run's start: no error adds up.
    const stepsAfter = Math.round(samples / batch);
    if (stepsAfter < stepsBefore || samples < samplesBefore) {
      throw new WorkloadError("trace/malformed", `${file.name}: the count of samples goes back`);
    }
    if (stepsAfter > stepsBefore) {
      const [startMs, endMs] = [openMs - runStartMs, entry.timeMs - runStartMs];
      if (endMs < startMs) throw new WorkloadError("trace/malformed", `${file.name}: a block ends before it starts`);
      const trainedMs = throughputMs(log, index, samples - samplesBefore, file);
      // A block may begin with other things than steps; its logged throughput is of the steps alone.
      const late = trainedMs !== undefined && trainedMs < endMs - startMs;
      stretches.push({ startMs: late ? endMs - trainedMs : startMs, endMs, steps: stepsAfter - stepsBefore });
    }
    [samplesBefore, stepsBefore, openMs] = [samples, stepsAfter, undefined];
  });
  return stretches;
}

/** How long the block that closes at `index` trained, by the throughput logged at its end. */
function throughputMs(log: Entry[], index: number, samples: number, file: TraceFile): number | undefined {
  for (const at of [index - 1, index + 1]) {
    const entry = log[at];
    if (entry?.key !== "tracked_stats" || entry.value === null || typeof entry.value !== "object") continue;
    const { throughput } = entry.value as Record<string, unknown>;
    if (throughput === undefined) continue;
    const perSecond = quantity(throughput, "throughput", file.name);
    return perSecond === 0 ? undefined : (1000 * samples) / perSecond;
  }
  return undefined;
}

/** Samples trained so far, as the next entry that counts them says: the evaluation that follows a block, if one does. */
function samplesAfter(log: Entry[], index: number, bench: Benchmark, file: TraceFile): number | undefined {
  for (let at = index; at < log.length; at++) {
    const { key, metadata } = log[at]!;
    if (key !== "eval_start" && key !== "eval_accuracy") continue;
    const count = metadata.samples_count ?? metadata.epoch_num;
    if (count === undefined) continue;
    const samples = quantity(count, `the count of samples in ${key}`, file.name);
    return bench.countsTokens ? samples / bench.sequence : samples;
  }
  return undefined;
}

function samplesOf(log: Entry[], bench: Benchmark, stepped: number, sequence: number, file: TraceFile): number {
  const stop = log.find((entry) => entry.key === "run_stop");
  const last = log.findLast((entry) => entry.key === "eval_accuracy");
  const count =
    stop?.metadata.samples_count ??
    log.find((entry) => entry.key === "trained_samples")?.value ??
    last?.metadata.samples_count ??
    last?.metadata.epoch_num;
  if (count === undefined) return stepped;
  const samples = quantity(count, "the count of samples", file.name);
  return bench.countsTokens ? samples / sequence : samples;
}

function isEvaluation(entry: Entry): boolean {
  if (/^eval_(start|stop|accuracy)$/.test(entry.key)) return true;
  const { key, value } = entry;
  if (key !== "tracked_stats" || value === null || typeof value !== "object") return false;
  return Object.keys(value).some((name) => name.startsWith("validation"));
}

/** Steps and the gaps between them, end to end from run_start to run_stop. */
function tile(
  log: Entry[],
  stretches: Stretch[],
  each: () => Pick<Phase, "work" | "counts">,
  file: TraceFile,
): Phase[] {
  const startMs = timeOf(log, "run_start", file);
  const stopMs = timeOf(log, "run_stop", file) - startMs;
  const lengthMax = SECONDS_MAX * 1000;
  if (!(stopMs >= 0 && stopMs <= lengthMax)) {
    throw new WorkloadError("trace/bad-number", `${file.name}: run_stop is not after run_start, or over a year later`);
  }
  const evaluations = log.filter(isEvaluation).map((entry) => entry.timeMs - startMs);
  const phases: Phase[] = [];
  let atMs = 0;
  let step = 0;
  const gapUntil = (untilMs: number): void => {
    const gapMs = untilMs - atMs;
    if (gapMs < GAP_MS_MIN) return;
    const evaluates = evaluations.some((ms) => ms >= atMs - 1 && ms <= untilMs + 1);
    const name = evaluates ? "evaluation" : "between steps";
    phases.push({ name, durationSeconds: gapMs / 1000, measured: true, work: new Map() });
  };
  for (const stretch of stretches) {
    gapUntil(stretch.startMs);
    const durationSeconds = (stretch.endMs - stretch.startMs) / 1000 / stretch.steps;
    for (let i = 0; i < stretch.steps; i++) {
      phases.push({ name: `step ${step + 1}`, durationSeconds, measured: true, step, ...each() });
      step++;
    }
    atMs = stretch.endMs;
  }
  gapUntil(stopMs);
  return phases;
}
