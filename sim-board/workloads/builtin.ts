/**
 * Workloads that stand on published figures alone and need no file: one file each in builtin/, where each number's
 * source stands beside it.
 */
import type { Builtin } from "./builtin/definition.ts";
import { dsv3Train } from "./builtin/dsv3-train.ts";
import { llama405bFrontier } from "./builtin/llama405b-frontier.ts";
import { llama405bTrain } from "./builtin/llama405b-train.ts";
import { llmServeChat, llmServeCode } from "./builtin/llm-serve.ts";
import { loraFinetune } from "./builtin/lora-finetune.ts";
import { recsysTrain } from "./builtin/recsys-train.ts";
import { resnetDdp } from "./builtin/resnet-ddp.ts";
import { WorkloadError } from "./errors.ts";
import type { Workload } from "./types.ts";

export type BuiltinOptions = {
  /** Training steps to play (batches of requests where it serves), from the first. Default and most: see each workload. */
  steps?: number;
  /** Which board of the job; default 0. */
  board?: number;
};

const ALL: readonly Builtin[] = [
  llama405bTrain,
  llama405bFrontier,
  dsv3Train,
  llmServeCode,
  llmServeChat,
  resnetDdp,
  loraFinetune,
  recsysTrain,
];

export function listWorkloads(): { name: string; title: string; stepsMax: number; stepsDefault: number }[] {
  return ALL.map(({ name, title, stepsMax, stepsDefault }) => ({ name, title, stepsMax, stepsDefault }));
}

export function builtinWorkload(name: string, options: BuiltinOptions = {}): Workload {
  const builtin = ALL.find((one) => one.name === name);
  if (builtin) return builtin.make(...checked(builtin, options));
  throw new WorkloadError(
    "workload/unknown-name",
    `no built-in workload is called "${name}"; known: ${ALL.map((one) => one.name).join(", ")}`,
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
