/** `quiesce board run`: a whole workload under licenses ends with the books closed, and with the recording's totals. */
import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { loadGovernor } from "../../../host/cli/firmware.ts";
import { chooseWorkload } from "../../../host/cli/workload.ts";
import { runWorkload } from "../../../host/demo/run-workload.ts";
import { addWork, type Phase, sumWork, type Work, workloadOf } from "../../../sim-board/workloads/types.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { quiesce } from "../cli/run-cli.ts";

function run(options: Parameters<typeof chooseWorkload>[0]) {
  return runWorkload({ image: loadGovernor(), workload: chooseWorkload(options), seed: 1, whole: true });
}

function expectClosed(result: ReturnType<typeof run>): void {
  expect(result).toMatchObject({ ok: true, exact: true, balanced: true, invariants: { broken: 0 } });
  for (const { recorded, metered } of result.comparisons) expect(metered).toBe(recorded);
}

describe("a built-in workload", () => {
  it.each(["llama405b-train", "resnet-ddp"])("%s: licensed = done = reported = its own totals", (workload) => {
    expectClosed(run({ workload }));
  });

  it("of 13,235 s runs under several licenses, none longer than an hour", () => {
    const result = run({ workload: "llama405b-train" });
    expect(result.seconds).toBeGreaterThan(13_000);
    expect(result.licenses).toBe(5);
    expect(result.played).toMatchObject({ steps: 240, tokens: 2_264_924_160 });
  });
});

// biome-ignore format: a table
const RECORDINGS = [
  "mlperf-training-v5.0/NVIDIA_eos_512xH100_llama31_405b_result_0.txt",
  "mlperf-training-v5.0/NVIDIA_tyche_512xGB200_llama31_405b_result_0.txt",
  "mlperf-training-v5.0/AMD_8xMI300X_llama2_70b_lora_result_0.txt",
  "mlperf-training-v5.0/Lenovo_8xB200/llama2_70b_lora/result_0.txt",
  "mlperf-training-v5.0/Lenovo_8xB200/bert/result_0.txt",
  "mlperf-training-v4.1/NVIDIA_256xH100_gpt3_result_0.txt",
  "mlperf-training-v4.1/Dell_8x8xH100_POWER/result_0.txt",
  "mlperf-training-v4.1/Google_tpu-v5p-4096_gpt3_result_0.txt",
  "azure-llm-2023/AzureLLMInferenceTrace_code.csv",
  "hta-kineto/a100_8ranks_dlrm_rank3.kernels.csv.gz",
  "hta-kineto/a100x2_resnet_ddp.kernels.csv.gz",
  "hta-kineto/a100x2_resnet_ddp_nccl_data.json.gz",
  "hta-kineto/dlrm_128ranks_sampled_rank-0.json.gz",
  "hta-kineto/mtia_inference_rank_0.json.gz",
];

describe.skipIf(!sharedIsHere)("a public recording", () => {
  it.each(RECORDINGS)("%s: licensed = done = reported = recorded", (file) => {
    expectClosed(run({ trace: sharedPath(`traces/${file}`) }));
  });

  it("through the command, with its tokens and link bytes in the document", async () => {
    const trace = sharedPath("traces/azure-llm-2023/AzureLLMInferenceTrace_code.csv");
    const { exit, stdout, stderr } = await quiesce(["board", "run", "--trace", trace, "--json"]);
    expect(stderr).toBe("");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      played: { whole: true, requests: 8819, tokens: 18_305_870 },
      metered: { flop: { equal: true }, linkBytes: { equal: true } },
      counted: {
        tokens: { recorded: 18_305_870, done: 18_305_870, equal: true },
        requests: { recorded: 8819, done: 8819, equal: true },
      },
    });
  });

  it("that is a power log is refused in one line", async () => {
    const trace = sharedPath("traces/mlperf-training-v4.1/Dell_8x8xH100_POWER/power_result_0_node_0.txt");
    const { exit, stderr } = await quiesce(["board", "run", "--trace", trace]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^quiesce: [^\n]+\n$/);
  });
});

describe("samples, tokens and requests", () => {
  const short = { workload: "llama405b-train", steps: 3 };
  const TOKENS_PER_STEP = 1152 * 8192;

  it("are those of the phases that were done, and equal to the recording's", () => {
    const result = run(short);
    expect(result.played).toMatchObject({ samples: 3 * 1152, tokens: 3 * TOKENS_PER_STEP });
    expect(result.comparisons.map(({ name }) => name)).toEqual(["flop", "linkBytes", "samples", "tokens"]);
    expectClosed(result);
  });

  it("of a run that stops early are fewer, and a run that claims to be whole is not good then", () => {
    const workload = chooseWorkload(short);
    const phases = [...workload.phases()].slice(0, 2);
    const stopped = { ...workload, totals: { ...workload.totals, work: sumWork(phases) }, phases: () => phases };
    const settings = { image: loadGovernor(), workload: stopped, seed: 1 };
    const partial = runWorkload({ ...settings, whole: false });
    expect(partial).toMatchObject({ ok: true, comparisons: [], played: { tokens: 2 * TOKENS_PER_STEP } });
    const claimed = runWorkload({ ...settings, whole: true });
    expect(claimed).toMatchObject({ ok: false, exact: true });
    expect(claimed.comparisons).toContainEqual({
      name: "tokens",
      recorded: 3n * BigInt(TOKENS_PER_STEP),
      metered: 2n * BigInt(TOKENS_PER_STEP),
    });
  });

  it("off by a single token are noticed", () => {
    const workload = chooseWorkload(short);
    const { recorded } = workload.totals;
    const totals = { ...workload.totals, recorded: { ...recorded, tokens: recorded.tokens! + 1 } };
    const settings = { image: loadGovernor(), workload: { ...workload, totals }, seed: 1, whole: true };
    expect(runWorkload(settings)).toMatchObject({ ok: false, exact: true, balanced: true });
  });
});

describe("a workload with odd phases", () => {
  /** Bursts, gaps, a phase longer than a license, one far over the chip's peak, work of one unit. */
  it("still ends with the books closed", () => {
    const work = (...amounts: [number, bigint][]): Work => {
      const result: Work = new Map();
      for (const [engineClass, amount] of amounts) addWork(result, engineClass, amount);
      return result;
    };
    const phase = (name: string, durationSeconds: number, amounts: Work, startSeconds?: number): Phase => ({
      name,
      durationSeconds,
      measured: true,
      work: amounts,
      startSeconds,
    });
    const phases = [
      phase("gap", 100, work()),
      phase("one operation", 0, work([EngineClass.VECTOR, 1n])),
      phase("burst", 0.001, work([EngineClass.TENSOR_BF16, 10n ** 15n], [EngineClass.COPY, 7n])),
      phase("late", 30, work([EngineClass.LINK_RX, 10n ** 9n + 7n]), 4000),
      phase("long", 9000, work([EngineClass.TENSOR_BF16, 10n ** 18n + 1n])),
      phase("end", 1, work([EngineClass.TENSOR_BF16, 3n])),
    ];
    const workload = workloadOf({
      name: "odd",
      source: "made for this test",
      accelerator: "h100",
      boards: 1,
      board: 0,
      provenance: { measured: "nothing", computed: "everything" },
      recorded: { scope: "board", flop: 10n ** 15n + 10n ** 18n + 5n },
      phases,
    });
    const result = runWorkload({ image: loadGovernor(), workload, seed: 1, whole: true });
    expectClosed(result);
    expect(result.seconds).toBeGreaterThan(13_000);
  });
});
