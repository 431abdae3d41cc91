/**
 * Workloads that stand on published figures alone and need no file. Each number's source stands beside it.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { ringAllReduceBytes } from "./collectives.ts";
import { WorkloadError } from "./errors.ts";
import { LLAMA_405B_STEP_SECONDS } from "./llama405b-steps.ts";
import { model } from "./models.ts";
import { CHECKPOINT_BYTES_PER_PARAMETER, matrixParameters, trainingStep } from "./transformer.ts";
import { addWork, type Phase, shareOf, type Workload, workloadOf } from "./types.ts";

export type BuiltinOptions = {
  /** Training steps to play, from the first. Default and largest number: see each workload. */
  steps?: number;
  /** Which board of the job; default 0. */
  board?: number;
};

type Builtin = { name: string; title: string; stepsMax: number; stepsDefault: number; boards: number };

const LLAMA: Builtin = {
  name: "llama405b-train",
  title: "Llama 3.1 405B pre-training on 512 H100, FP8, step times as measured in MLPerf Training v5.0",
  stepsMax: LLAMA_405B_STEP_SECONDS.length,
  stepsDefault: LLAMA_405B_STEP_SECONDS.length,
  boards: 512,
};

const RESNET: Builtin = {
  name: "resnet-ddp",
  title: "ResNet-50 training on 2 A100, TF32, gradient buckets as recorded",
  stepsMax: 10_000,
  stepsDefault: 3,
  boards: 2,
};

export function listWorkloads(): { name: string; title: string; stepsMax: number; stepsDefault: number }[] {
  return [LLAMA, RESNET].map(({ name, title, stepsMax, stepsDefault }) => ({ name, title, stepsMax, stepsDefault }));
}

export function builtinWorkload(name: string, options: BuiltinOptions = {}): Workload {
  if (name === LLAMA.name) return llama405bTrain(...checked(LLAMA, options));
  if (name === RESNET.name) return resnetDdp(...checked(RESNET, options));
  throw new WorkloadError(
    "workload/unknown-name",
    `no built-in workload is called "${name}"; known: ${LLAMA.name}, ${RESNET.name}`,
  );
}

function checked(builtin: Builtin, options: BuiltinOptions): [steps: number, board: number] {
  const steps = options.steps ?? builtin.stepsDefault;
  const board = options.board ?? 0;
  if (!Number.isInteger(steps) || steps < 1 || steps > builtin.stepsMax) {
    throw new WorkloadError("workload/bad-option", `${builtin.name} has 1 to ${builtin.stepsMax} steps, not ${steps}`);
  }
  if (!Number.isInteger(board) || board < 0 || board >= builtin.boards) {
    throw new WorkloadError(
      "workload/bad-option",
      `${builtin.name} has the boards 0 to ${builtin.boards - 1}, not ${board}`,
    );
  }
  return [steps, board];
}

/** Global batch and sequence length: keys global_batch_size and max_sequence_length of the log. */
const LLAMA_BATCH = 1152;
const LLAMA_SEQUENCE = 8192;

function llama405bTrain(steps: number, board: number): Workload {
  const shape = model("llama3.1-405b");
  const { boards } = LLAMA;
  // The submission's published configuration: tensor 8, pipeline 8 with 8 chunks a stage, context 2, so 4 replicas;
  // FP8 products and FP8 parameters, nothing recomputed. Gradients are taken to travel in BF16.
  const step = trainingStep(shape, {
    batch: LLAMA_BATCH,
    sequence: LLAMA_SEQUENCE,
    parallelism: { tp: 8, pp: 8, dp: 4, cp: 2 },
    chunks: 8,
    parameterBytes: 1,
  });
  const linkBytes = step.linkBytes.tensor + step.linkBytes.pipeline + step.linkBytes.data;
  const operations = shareOf(step.operations, boards, board);
  const link = shareOf(linkBytes, boards, board);
  const phases = LLAMA_405B_STEP_SECONDS.slice(0, steps).map((durationSeconds, index): Phase => {
    const work = new Map([
      [EngineClass.TENSOR_FP8 as number, operations],
      [EngineClass.LINK_TX, link],
      [EngineClass.LINK_RX, link],
    ]);
    const counts = { samples: LLAMA_BATCH, tokens: LLAMA_BATCH * LLAMA_SEQUENCE };
    return { name: `step ${index + 1}`, durationSeconds, measured: true, work, step: index, counts };
  });
  return workloadOf({
    name: LLAMA.name,
    source:
      "MLPerf Training v5.0, NVIDIA, 64 x HGX H100, llama31_405b, result_0: github.com/mlcommons/training_results_v5.0 " +
      "(Apache-2.0), log and configuration eos-dfw_n64_ngc25.01_nemo; model shape: arXiv 2407.21783",
    accelerator: "h100",
    boards,
    board,
    provenance: {
      measured: "the time of each of the 240 steps, to 0.01 s; batch, sequence length, number of boards",
      computed:
        "operations from the model's shape (causal, nothing recomputed); link bytes by ring formulas from the published " +
        "parallelism (tensor, pipeline and data; the exchange between context-parallel ranks is left out)",
    },
    recorded: {
      scope: "job",
      flop: step.operations * BigInt(steps),
      linkBytes: linkBytes * BigInt(steps),
      steps,
      samples: LLAMA_BATCH * steps,
      tokens: LLAMA_BATCH * LLAMA_SEQUENCE * steps,
    },
    checkpoint: {
      bytes: shareOf(CHECKPOINT_BYTES_PER_PARAMETER * matrixParameters(shape), boards, board),
      everySteps: 0,
    },
    phases,
  });
}

/** Gradient buckets in the order of their all-reduces, in FP32 elements: together the 25,557,032 parameters. */
const RESNET_BUCKET_ELEMENTS = [2_049_000n, 7_875_584n, 6_563_840n, 6_637_568n, 2_431_040n];
/** Profiler spans of the three recorded steps: forward, backward, optimizer, in seconds. */
const RESNET_STEP_SECONDS = [
  { forward: 0.103788, backward: 0.102956, optimizer: 0.014809 },
  { forward: 0.103099, backward: 0.101095, optimizer: 0.014753 },
  { forward: 0.102694, backward: 0.106516, optimizer: 0.014944 },
];
/** Images a board and step: the recorded max-pooling kernel has one thread for each of 32 x 64 x 56 x 56 outputs. */
const RESNET_IMAGES = 32n;
/** Forward multiply-adds on one 224 x 224 image, as published with the torchvision weights ("4.09 GFLOPS"). */
const RESNET_MULTIPLY_ADDS = 4_090_000_000n;

function resnetDdp(steps: number, board: number): Workload {
  const { boards } = RESNET;
  const forward = 2n * RESNET_MULTIPLY_ADDS * RESNET_IMAGES;
  const buckets = RESNET_BUCKET_ELEMENTS.map((elements) => ringAllReduceBytes(BigInt(boards), elements * 4n));
  const count = buckets.length;
  const phases: Phase[] = [];
  for (let step = 0; step < steps; step++) {
    const seconds = RESNET_STEP_SECONDS[step % RESNET_STEP_SECONDS.length]!;
    const tag = `step ${step + 1}`;
    phases.push({
      name: `${tag} forward`,
      durationSeconds: seconds.forward,
      measured: true,
      work: new Map([[EngineClass.TENSOR_TF32, forward]]),
      step,
    });
    buckets.forEach((bytes, bucket) => {
      const work = new Map<number, bigint>();
      addWork(work, EngineClass.TENSOR_TF32, shareOf(2n * forward, count, bucket));
      addWork(work, EngineClass.LINK_TX, bytes);
      addWork(work, EngineClass.LINK_RX, bytes);
      const durationSeconds = seconds.backward / count;
      phases.push({ name: `${tag} backward, bucket ${bucket + 1}`, durationSeconds, measured: false, work, step });
    });
    phases.push({
      name: `${tag} optimizer`,
      durationSeconds: seconds.optimizer,
      measured: true,
      work: new Map(),
      step,
      // A step's images are trained once its last phase is over.
      counts: { samples: Number(RESNET_IMAGES) * boards },
    });
  }
  const sent = buckets.reduce((sum, bytes) => sum + bytes, 0n);
  return workloadOf({
    name: RESNET.name,
    source:
      "Kineto trace of ResNet-50 with DistributedDataParallel on 2 A100: github.com/facebookresearch/" +
      "HolisticTraceAnalysis (MIT), tests/data/nccl_parser_config; operations: torchvision, resnet50",
    accelerator: "a100",
    boards,
    board,
    provenance: {
      measured:
        "elements of each all-reduce, images a step, forward, backward and optimizer time of three steps, in turn",
      computed:
        "operations: 2 x 4.09e9 an image forward, twice that backward, the backward split evenly over the buckets in " +
        "work and time; link bytes by the ring formula; the optimizer's and the normalizations' vector work is left out",
    },
    recorded: {
      scope: "job",
      flop: 3n * forward * BigInt(boards * steps),
      linkBytes: sent * BigInt(boards * steps),
      steps,
      samples: Number(RESNET_IMAGES) * boards * steps,
    },
    // FP32 weights and momentum; every rank holds all of it and saves its half.
    checkpoint: {
      bytes: shareOf(8n * RESNET_BUCKET_ELEMENTS.reduce((sum, elements) => sum + elements, 0n), boards, board),
      everySteps: 0,
    },
    phases,
  });
}
