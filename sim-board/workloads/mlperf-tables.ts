/**
 * What an MLPerf log leaves to be known: the model behind a benchmark's name, the data type its submissions compute
 * in, and the boards behind a platform's name. Sources: the submissions' own configurations and system descriptions in
 * github.com/mlcommons/training_results_v4.1 and _v5.0 (Apache-2.0).
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { accelerator, peakPerSecond } from "../accelerators.ts";
import { WorkloadError } from "./errors.ts";
import { boardCount, type ReadOptions } from "./files.ts";
import { model } from "./models.ts";
import {
  CHECKPOINT_BYTES_PER_PARAMETER,
  loraOperations,
  loraParameters,
  matrixParameters,
  trainingOperations,
} from "./transformer.ts";

export type Benchmark = {
  name: string;
  /** Tokens of one sequence, where the log has no max_sequence_length. */
  sequence: number;
  lora: boolean;
  /** True if the log counts tokens where others count samples. */
  countsTokens: boolean;
  /** True if several samples may share one sequence. */
  packed: boolean;
  formula: string;
  /** Operations of one sequence. */
  operations(sequence: number, rank: number): bigint;
  /** What all boards together save: the trained parameters (of adapters, only these) and the optimizer's state. */
  checkpointBytes(rank: number): bigint;
  engineClass(chip: string): number;
  dtypeReason(chip: string): string;
  measured(singleSteps: boolean): string;
};

type Row = {
  model: string;
  sequence: number;
  lora?: boolean;
  countsTokens?: boolean;
  packed?: boolean;
};

const ROWS: Record<string, Row> = {
  llama31_405b: { model: "llama3.1-405b", sequence: 8192 },
  // Samples are counted in tokens; batch and sequence length are logged in sequences and tokens.
  gpt3: { model: "gpt3-175b", sequence: 2048, countsTokens: true },
  // The reference packs its data to 8,192 tokens a sequence.
  llama2_70b_lora: { model: "llama2-70b", sequence: 8192, lora: true },
  // 512 tokens; the submission packs two samples into one sequence (PACKING_FACTOR=2), d_batch_size a board.
  bert: { model: "bert-large", sequence: 512, packed: true },
};

export function benchmark(name: string, file: string): Benchmark {
  const row = Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
  if (!row) {
    const known = Object.keys(ROWS).join(", ");
    throw new WorkloadError(
      "workload/unknown-name",
      `${file}: no shape is known for benchmark "${name.slice(0, 40)}"; known: ${known}`,
    );
  }
  const shape = model(row.model);
  const lora = row.lora ?? false;
  return {
    name,
    sequence: row.sequence,
    lora,
    countsTokens: row.countsTokens ?? false,
    packed: row.packed ?? false,
    formula: lora
      ? `${shape.name} with frozen matrices twice, attention and adapters three times the forward`
      : `${shape.name}, three times the forward, nothing recomputed`,
    operations: (sequence, rank) =>
      lora ? loraOperations(shape, sequence, rank) : trainingOperations(shape, sequence),
    checkpointBytes: (rank) =>
      CHECKPOINT_BYTES_PER_PARAMETER * (lora ? loraParameters(shape, rank) : matrixParameters(shape)),
    engineClass,
    dtypeReason: (chip) =>
      engineClass(chip) === EngineClass.TENSOR_INT8
        ? "INT8, as the submission is configured (quantization=int8)"
        : engineClass(chip) === EngineClass.TENSOR_FP8
          ? "FP8, as the submissions are configured (FP8=True, transformer engine)"
          : "BF16: the chip has no FP8",
    measured: (singleSteps) =>
      singleSteps
        ? "the time of each step, the evaluations between them; batch, samples, boards"
        : "the throughput or time of each block, split evenly over its steps, and the evaluations between them; batch, samples, boards",
  };
}

/** All submissions read here compute in the chip's fastest eight-bit type: FP8, on TPUs INT8. */
function engineClass(chip: string): number {
  if (chip.startsWith("tpu")) return EngineClass.TENSOR_INT8;
  const has8Bit = peakPerSecond(accelerator(chip), EngineClass.TENSOR_FP8) > 0;
  return has8Bit ? EngineClass.TENSOR_FP8 : EngineClass.TENSOR_BF16;
}

const CHIPS: [pattern: RegExp, chip: string][] = [
  [/GB200/i, "gb200"],
  [/B200/i, "b200"],
  [/H200/i, "h200"],
  [/H100/i, "h100"],
  [/A100/i, "a100"],
  [/MI300X/i, "mi300x"],
  [/v5p/i, "tpu-v5p"],
  [/trillium|v6e/i, "tpu-v6e"],
];

/**
 * Boards, from the first that says: the caller; one init_start per rank; NODESx...-CHIPSxNAME or NODESx...xCHIPSxNAME
 * in the platform; NODESx of machines that hold 8 MI300X; a file name such as 8xMI300X, or v5p-4096, where Google
 * counts two TensorCores a chip (its system description: 512 nodes of 4 chips).
 */
export function platformOf(
  platform: string,
  ranks: number,
  file: string,
  options: ReadOptions,
): { chip: string; boards: number } {
  const named = CHIPS.find(([pattern]) => pattern.test(platform)) ?? CHIPS.find(([pattern]) => pattern.test(file));
  const chip = options.accelerator ?? named?.[1];
  if (!chip) {
    throw new WorkloadError(
      "workload/unknown-name",
      `${file}: platform "${platform.slice(0, 60)}" names no known chip; name one`,
    );
  }
  accelerator(chip);
  const boards = options.boards ?? (ranks > 1 ? ranks : (boardsIn(platform, chip) ?? boardsIn(file, chip)));
  if (boards === undefined) {
    throw new WorkloadError(
      "trace/incomplete",
      `${file} does not say how many boards ran (platform "${platform.slice(0, 60)}"); state the number of boards`,
    );
  }
  return { chip, boards: boardCount(boards) };
}

function boardsIn(text: string, chip: string): number | undefined {
  const nodesAndChips = /^(\d+)x(?:.*?[-x])?(\d+)x?(?:G?B200|H[12]00|A100|MI300X)/i.exec(text);
  if (nodesAndChips) return Number(nodesAndChips[1]) * Number(nodesAndChips[2]);
  const nodes = /^(\d+)xMI300X$/i.exec(text);
  if (nodes) return Number(nodes[1]) * 8;
  const cores = /v5p-(\d+)/i.exec(text);
  if (cores && chip === "tpu-v5p") return Number(cores[1]) / 2;
  const chips = /(?:^|_)(\d+)x(?:G?B200|H[12]00|A100|MI300X)/i.exec(text);
  return chips ? Number(chips[1]) : undefined;
}
