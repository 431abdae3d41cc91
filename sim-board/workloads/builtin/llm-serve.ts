/**
 * Llama-2-70B on 8 H100 serving two kinds of requests, in the numbers of Azure's services of November 2023. Requests,
 * context and generated tokens of the whole hour are exact; here they come evenly and are all about alike.
 */
import { accelerator } from "../../accelerators.ts";
import { type Batch, SERVED_MODEL, serve } from "../serving.ts";
import { type Workload, workloadOf } from "../types.ts";
import type { Builtin } from "./definition.ts";

type Service = {
  what: string;
  requests: number;
  contextTokens: number;
  generatedTokens: number;
  /** Whole seconds from the first to the last request. */
  seconds: number;
  /** Requests of so many seconds start together: no longer than it takes to serve them. */
  batchSeconds: number;
};

const BOARDS = 8;

const CODE: Service = {
  what: "code completion",
  requests: 8819,
  contextTokens: 18_059_974,
  generatedTokens: 245_896,
  seconds: 3436,
  batchSeconds: 1,
};

const CHAT: Service = {
  what: "conversation",
  requests: 19_366,
  contextTokens: 22_361_870,
  generatedTokens: 4_088_665,
  seconds: 3502,
  batchSeconds: 2,
};

export const llmServeCode = builtin("llm-serve-code", CODE);
export const llmServeChat = builtin("llm-serve-chat", CHAT);

function builtin(name: string, service: Service): Builtin {
  const batches = service.seconds / service.batchSeconds;
  return {
    name,
    title: `Llama-2-70B on 8 H100, BF16, serving ${service.what} in the numbers of Azure's services`,
    stepsMax: batches,
    stepsDefault: batches,
    boards: BOARDS,
    make: (steps, board) => served(name, service, steps, board),
  };
}

function served(name: string, service: Service, steps: number, board: number): Workload {
  const chip = accelerator("h100");
  const { phases, recorded } = serve(batchesOf(service, steps), { chip, boards: BOARDS, board });
  return workloadOf({
    name,
    source:
      "Azure LLM inference traces 2023: github.com/Azure/AzurePublicDataset (CC-BY-4.0, Microsoft; Patel et al., " +
      "Splitwise, ISCA 2024); times: operator profiles of github.com/microsoft/vidur (MIT; MLSys 2024)",
    accelerator: chip.name,
    boards: BOARDS,
    board,
    provenance: {
      measured: "number of requests, context and generated tokens of an hour; shares of the peaks that operators reach",
      computed:
        `requests evenly spread and alike, ${service.batchSeconds} s of them as one batch; ${SERVED_MODEL.name} in BF16, ` +
        `tensor-parallel over ${BOARDS} boards: operations, memory and link bytes from its shape, times from a roofline`,
    },
    recorded,
    phases,
  });
}

/** Parts of the totals that add up to them exactly, like the ticks of a line. */
function* batchesOf(service: Service, steps: number): Generator<Batch> {
  const part = (total: number, index: number, count: number) =>
    Math.floor((total * (index + 1)) / count) - Math.floor((total * index) / count);
  const batches = service.seconds / service.batchSeconds;
  let request = 0;
  for (let batch = 0; batch < steps; batch++) {
    const requests = Array.from({ length: part(service.requests, batch, batches) }, () => {
      const index = request++;
      return {
        context: part(service.contextTokens, index, service.requests),
        generated: part(service.generatedTokens, index, service.requests),
      };
    });
    yield { startSeconds: (batch + 1) * service.batchSeconds, requests };
  }
}
