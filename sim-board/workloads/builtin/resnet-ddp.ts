/** ResNet-50 with data parallelism on 2 A100, as profiled. */
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { ringAllReduceBytes } from "../collectives.ts";
import { addWork, type Phase, shareOf, type Workload, workloadOf } from "../types.ts";
import type { Builtin } from "./definition.ts";

export const resnetDdp: Builtin = {
  name: "resnet-ddp",
  title: "ResNet-50 training on 2 A100, TF32, gradient buckets as recorded",
  stepsMax: 10_000,
  stepsDefault: 3,
  boards: 2,
  make: train,
};

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

function train(steps: number, board: number): Workload {
  const { boards } = resnetDdp;
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
    name: resnetDdp.name,
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
