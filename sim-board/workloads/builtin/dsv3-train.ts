/** DeepSeek-V3 on 2,048 H800: a mixture of experts, in FP8. Section numbers are of its report, arXiv 2412.19437. */
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { model } from "../models.ts";
import { CHECKPOINT_BYTES_PER_PARAMETER } from "../transformer.ts";
import { type Phase, shareOf, type Workload, workloadOf } from "../types.ts";
import type { Builtin } from "./definition.ts";

/** 3.1. */
const BOARDS = 2048;
/** 4.2: sequences of a batch after the first 469e9 tokens, and their length. */
const BATCH = 15_360;
const SEQUENCE = 4096;
const TOKENS = BATCH * SEQUENCE;
/** 1: 180,000 H800-hours for 10^12 tokens, "3.7 days on our cluster". */
const HOURS_PER_TOKEN = 180_000 / 1e12;
/** 1: 14.8e12 tokens; so many whole steps. */
const STEPS = Math.floor(14.8e12 / TOKENS);
/** 4.2: 61 layers, the first three without experts; 256 routed experts, 8 of them a token, width 2,048. */
const EXPERT_LAYERS = 58n;
const EXPERTS = 256n;
const EXPERTS_PER_TOKEN = 8n;
const EXPERT_WIDTH = 2048n;
/** 1: 671e9 parameters in all. */
const PARAMETERS = 671_000_000_000n;
/** 3.2: pipeline of 16, experts over 64, ZeRO-1 over the rest. */
const STAGES = 16n;
const EXPERT_RANKS = 64n;
const REPLICAS = BigInt(BOARDS) / STAGES;

export const dsv3Train: Builtin = {
  name: "dsv3-train",
  title: "DeepSeek-V3 pre-training on 2,048 H800, FP8, mixture of experts",
  stepsMax: STEPS,
  stepsDefault: 100,
  boards: BOARDS,
  make: train,
};

function train(steps: number, board: number): Workload {
  const shape = model("deepseek-v3");
  const jobOperations = 6n * BigInt(shape.activeParameters) * BigInt(TOKENS);
  const jobLink = linkBytes(BigInt(shape.hidden));
  const link = shareOf(jobLink, BOARDS, board);
  const work = new Map([
    [EngineClass.TENSOR_FP8 as number, shareOf(jobOperations, BOARDS, board)],
    [EngineClass.LINK_TX, link],
    [EngineClass.LINK_RX, link],
  ]);
  const durationSeconds = (TOKENS * HOURS_PER_TOKEN * 3600) / BOARDS;
  const counts = { samples: BATCH, tokens: TOKENS };
  const phases = Array.from({ length: steps }, (_, step): Phase => {
    return { name: `step ${step + 1}`, durationSeconds, measured: false, work, step, counts };
  });
  return workloadOf({
    name: dsv3Train.name,
    source: "DeepSeek-V3 Technical Report, arXiv 2412.19437, sections 1, 3 and 4.2",
    accelerator: "h800",
    boards: BOARDS,
    board,
    provenance: {
      measured: "H800-hours for 10^12 tokens, batch, sequence length, boards, active parameters, experts",
      computed:
        "operations by 6ND of the active parameters (attention over the context left out), all as FP8; link bytes: " +
        "experts' dispatch in FP8 and combine in BF16, forward and backward, routing taken as even; pipeline; gradients " +
        "and parameters in BF16 over the replicas",
    },
    recorded: {
      scope: "job",
      flop: jobOperations * BigInt(steps),
      linkBytes: jobLink * BigInt(steps),
      steps,
      samples: BATCH * steps,
      tokens: TOKENS * steps,
    },
    checkpoint: { bytes: shareOf(CHECKPOINT_BYTES_PER_PARAMETER * PARAMETERS, BOARDS, board), everySteps: 0 },
    phases,
  });
}

/** Bytes that all boards together send in a step. */
function linkBytes(hidden: bigint): bigint {
  const activation = BigInt(TOKENS) * hidden;
  // Out to the experts in one byte, back in two, forward and for the gradients; a 64th part stays where it is.
  const sent = (2n * EXPERT_LAYERS * EXPERTS_PER_TOKEN * activation * 3n * (EXPERT_RANKS - 1n)) / EXPERT_RANKS;
  const pipeline = 2n * (STAGES - 1n) * activation * 2n;
  // A ring of N sends 2(N-1)S: routed experts lie on REPLICAS / EXPERT_RANKS boards each, all else on REPLICAS.
  const routed = EXPERT_LAYERS * EXPERTS * 3n * hidden * EXPERT_WIDTH;
  const data = 4n * ((REPLICAS / EXPERT_RANKS - 1n) * routed + (REPLICAS - 1n) * (PARAMETERS - routed));
  return sent + pipeline + data;
}
