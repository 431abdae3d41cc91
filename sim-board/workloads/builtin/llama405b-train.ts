/** Llama 3.1 405B on 512 H100, as submitted to MLPerf Training v5.0. */
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { LLAMA_405B_STEP_SECONDS } from "../llama405b-steps.ts";
import { model } from "../models.ts";
import { CHECKPOINT_BYTES_PER_PARAMETER, matrixParameters, trainingStep } from "../transformer.ts";
import { type Phase, shareOf, type Workload, workloadOf } from "../types.ts";
import type { Builtin } from "./definition.ts";

export const llama405bTrain: Builtin = {
  name: "llama405b-train",
  title: "Llama 3.1 405B pre-training on 512 H100, FP8, step times as measured in MLPerf Training v5.0",
  stepsMax: LLAMA_405B_STEP_SECONDS.length,
  stepsDefault: LLAMA_405B_STEP_SECONDS.length,
  boards: 512,
  make: train,
};

/** Global batch and sequence length: keys global_batch_size and max_sequence_length of the log. */
const LLAMA_BATCH = 1152;
const LLAMA_SEQUENCE = 8192;

function train(steps: number, board: number): Workload {
  const shape = model("llama3.1-405b");
  const { boards } = llama405bTrain;
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
    name: llama405bTrain.name,
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
