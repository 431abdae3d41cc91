/** Low-rank adapters of Llama-2-70B on one server of 8 B200, as submitted to MLPerf Training v5.0, with its power. */
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { model } from "../models.ts";
import { CHECKPOINT_BYTES_PER_PARAMETER, loraOperations, loraParameters } from "../transformer.ts";
import { type Phase, shareOf, type Workload, workloadOf } from "../types.ts";
import type { Builtin } from "./definition.ts";

const BOARDS = 8;
/** Sequences of a step, their length, and the adapters' rank: keys global_batch_size, lora_rank; packed to 8,192. */
const BATCH = 8;
const SEQUENCE = 8192;
const RANK = 16;
/** Median of the logged blocks. */
const STEP_SECONDS = 1.525;
const STEPS = 384;
/** Five evaluations in the run: the first after half of the steps, the others 48 steps apart. */
const FIRST_EVALUATION_STEP = 192;
const EVALUATION_EVERY_STEPS = 48;
const EVALUATION_SECONDS = 14.17;

export const loraFinetune: Builtin = {
  name: "lora-finetune",
  title: "Llama-2-70B, low-rank adapters, on 8 B200, FP8, with the power measured in MLPerf Training v5.0",
  stepsMax: STEPS,
  stepsDefault: STEPS,
  boards: BOARDS,
  make: finetune,
};

function finetune(steps: number, board: number): Workload {
  const shape = model("llama2-70b");
  const jobOperations = BigInt(BATCH) * loraOperations(shape, SEQUENCE, RANK);
  const work = new Map([[EngineClass.TENSOR_FP8 as number, shareOf(jobOperations, BOARDS, board)]]);
  const counts = { samples: BATCH, tokens: BATCH * SEQUENCE };
  const phases: Phase[] = [];
  for (let step = 0; step < steps; step++) {
    const done = step + 1;
    phases.push({ name: `step ${done}`, durationSeconds: STEP_SECONDS, measured: true, work, step, counts });
    if (done >= FIRST_EVALUATION_STEP && done % EVALUATION_EVERY_STEPS === 0) {
      phases.push({ name: "evaluation", durationSeconds: EVALUATION_SECONDS, measured: true, work: new Map() });
    }
  }
  return workloadOf({
    name: loraFinetune.name,
    source:
      "MLPerf Training v5.0, Lenovo, 8 x B200, llama2_70b_lora, result_0 and its power log: " +
      "github.com/mlcommons/training_results_v5.0 (Apache-2.0)",
    accelerator: "b200",
    boards: BOARDS,
    board,
    provenance: {
      measured: "mean time of a step and of an evaluation, batch, rank; power of the server at the wall",
      computed:
        "operations: frozen matrices twice, attention and adapters three times the forward; evaluations without work, " +
        "and no link bytes: the log holds neither",
    },
    recorded: {
      scope: "job",
      flop: jobOperations * BigInt(steps),
      steps,
      samples: BATCH * steps,
      tokens: BATCH * SEQUENCE * steps,
    },
    checkpoint: {
      bytes: shareOf(CHECKPOINT_BYTES_PER_PARAMETER * loraParameters(shape, RANK), BOARDS, board),
      everySteps: 0,
    },
    power: { meanWatts: 9580, maxWatts: 10_096, swingWithin2SecondsP95Share: 0.07 },
    phases,
  });
}
