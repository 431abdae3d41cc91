/**
 * Llama 3.1 405B as it was pre-trained: 16,384 H100 in BF16 for weeks, with an unexpected stop every three hours. Its
 * phases are made as they are asked for: 54 days have 650,000 of them.
 */
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { model } from "../models.ts";
import { CHECKPOINT_BYTES_PER_PARAMETER, matrixParameters, trainingStep } from "../transformer.ts";
import { type Phase, shareOf, type Workload } from "../types.ts";
import type { Builtin } from "./definition.ts";

const BOARDS = 16_384;
/** arXiv 2407.21783, table 4: 16,384 GPUs, sequences of 8,192, batch/DP 16 × DP 128: 16 million tokens a batch. */
const BATCH = 2048;
const SEQUENCE = 8192;
/** The same table: BF16 TFLOP/s a GPU, 41 % of the peak. */
const BOARD_OPERATIONS_PER_SECOND = 400e12;
/** The same paper, 3.3.4: 419 unexpected interruptions in 54 days, over 90 % of the time effective. */
const STOPS = 419;
const STOP_EVERY_SECONDS = (54 * 86_400) / STOPS;
const EFFECTIVE_SHARE = 0.9;

const SHAPE = model("llama3.1-405b");
const STEP = trainingStep(SHAPE, {
  batch: BATCH,
  sequence: SEQUENCE,
  parallelism: { tp: 8, pp: 16, dp: 128, cp: 1 },
  // Gradients travel in FP32 (3.3.2), parameters in BF16.
  gradientBytes: 4,
});
const STEP_SECONDS = Number(STEP.operations) / (BOARDS * BOARD_OPERATIONS_PER_SECOND);
const STEPS_PER_STOP = Math.floor((EFFECTIVE_SHARE * STOP_EVERY_SECONDS) / STEP_SECONDS);
const STOP_SECONDS = STOP_EVERY_SECONDS - STEPS_PER_STOP * STEP_SECONDS;

export const llama405bFrontier: Builtin = {
  name: "llama405b-frontier",
  title: "Llama 3.1 405B pre-training on 16,384 H100, BF16, 419 unexpected stops in 54 days",
  stepsMax: STOPS * STEPS_PER_STOP,
  stepsDefault: 2 * STEPS_PER_STOP,
  boards: BOARDS,
  make: train,
};

function train(steps: number, board: number): Workload {
  const linkBytes = STEP.linkBytes.tensor + STEP.linkBytes.pipeline + STEP.linkBytes.data;
  const link = shareOf(linkBytes, BOARDS, board);
  const operations = shareOf(STEP.operations, BOARDS, board);
  const stops = Math.floor(steps / STEPS_PER_STOP);
  return {
    name: llama405bFrontier.name,
    source: "The Llama 3 Herd of Models, arXiv 2407.21783, sections 3.3.2 to 3.3.4, tables 3 to 5",
    accelerator: "h100",
    boards: BOARDS,
    board,
    provenance: {
      measured:
        "400 TFLOP/s a board, batch, sequence length, parallelism, 419 unexpected stops in 54 days, over 90 % effective",
      computed:
        "operations from the model's shape (causal, nothing recomputed), step time from operations and speed; link bytes " +
        "by ring formulas (one chunk a pipeline stage); stops evenly apart, each as long as the 10 % that were not " +
        "effective allow, without work: what was computed twice after a stop is not published",
    },
    totals: {
      work: new Map([
        [EngineClass.TENSOR_BF16 as number, operations * BigInt(steps)],
        [EngineClass.LINK_TX, link * BigInt(steps)],
        [EngineClass.LINK_RX, link * BigInt(steps)],
      ]),
      durationSeconds: steps * STEP_SECONDS + stops * STOP_SECONDS,
      recorded: {
        scope: "job",
        flop: STEP.operations * BigInt(steps),
        linkBytes: linkBytes * BigInt(steps),
        steps,
        stops,
        samples: BATCH * steps,
        tokens: BATCH * SEQUENCE * steps,
      },
    },
    checkpoint: {
      bytes: shareOf(CHECKPOINT_BYTES_PER_PARAMETER * matrixParameters(SHAPE), BOARDS, board),
      everySteps: 0,
    },
    phases: () => phases(steps, operations, link),
  };
}

function* phases(steps: number, operations: bigint, link: bigint): Generator<Phase> {
  const work = new Map([
    [EngineClass.TENSOR_BF16 as number, operations],
    [EngineClass.LINK_TX, link],
    [EngineClass.LINK_RX, link],
  ]);
  const counts = { samples: BATCH, tokens: BATCH * SEQUENCE };
  for (let step = 0; step < steps; step++) {
    yield { name: `step ${step + 1}`, durationSeconds: STEP_SECONDS, measured: false, work, step, counts };
    const stop = (step + 1) / STEPS_PER_STOP;
    if (Number.isInteger(stop)) {
      yield { name: `stop ${stop}`, durationSeconds: STOP_SECONDS, measured: false, work: new Map() };
    }
  }
}
