/** A recommender on 8 A100, as one rank was profiled: six steps alike, of which few milliseconds are products. */
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { type Phase, type Workload, workloadOf } from "../types.ts";
import type { Builtin } from "./definition.ts";

const BOARDS = 8;
/** The profile: 464.594 ms, 1,674 products with dimensions in 60.903 ms; each of its sums is a whole multiple of six. */
const PROFILED_STEPS = 6;
const PROFILE_SECONDS = 0.464594;
const PROFILE_GEMMS = 1674;
const PROFILE_GEMM_SECONDS = 0.060903;
/** A sixth of what the profile's products and copies come to, a board. */
const TF32_OPERATIONS = 314_142_490_624n;
const VECTOR_OPERATIONS = 7_162_169_344n;
const COPY_BYTES = 374_220_586n;

export const recsysTrain: Builtin = {
  name: "recsys-train",
  title: "Recommender training on 8 A100, TF32, products and copies as profiled",
  stepsMax: 10_000,
  stepsDefault: PROFILED_STEPS,
  boards: BOARDS,
  make: train,
};

function train(steps: number, board: number): Workload {
  const products = new Map([
    [EngineClass.TENSOR_TF32 as number, TF32_OPERATIONS],
    [EngineClass.VECTOR, VECTOR_OPERATIONS],
  ]);
  const copies = new Map([[EngineClass.COPY as number, COPY_BYTES]]);
  const productSeconds = PROFILE_GEMM_SECONDS / PROFILED_STEPS;
  const otherSeconds = PROFILE_SECONDS / PROFILED_STEPS - productSeconds;
  const phases = Array.from({ length: steps }, (_, step): Phase[] => [
    { name: `step ${step + 1} copies, lookups`, durationSeconds: otherSeconds, measured: true, work: copies, step },
    { name: `step ${step + 1} products`, durationSeconds: productSeconds, measured: true, work: products, step },
  ]).flat();
  return workloadOf({
    name: recsysTrain.name,
    source:
      "Kineto trace of a recommender on 8 A100, rank 3: github.com/facebookresearch/HolisticTraceAnalysis (MIT), " +
      "tests/data/trace_diff",
    accelerator: "a100",
    boards: BOARDS,
    board,
    provenance: {
      measured: "dimensions and time of the products, copied bytes, time of six steps, here all alike",
      computed:
        "operations from the dimensions (batched products left out); every rank taken to do as rank 3; products in one " +
        "stretch; no link bytes: the profile holds no sizes of its collectives",
    },
    recorded: {
      scope: "job",
      flop: (TF32_OPERATIONS + VECTOR_OPERATIONS) * BigInt(BOARDS * steps),
      steps,
      gemms: (PROFILE_GEMMS / PROFILED_STEPS) * BOARDS * steps,
      gemmSeconds: productSeconds * BOARDS * steps,
    },
    phases,
  });
}
