import { describe, expect, test } from "vitest";
import { centersOf, FEATURES, featuresOf, isTraining } from "../../../fleet/studies/classifier.ts";
import { meteredWorkload } from "../../../fleet/studies/metered-workload.ts";
import { trainOrInfer } from "../../../fleet/studies/train-or-infer.ts";
import { builtinWorkload, listWorkloads } from "../../../sim-board/workloads/builtin.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { judge, parametersOf, runStudy } from "./judge.ts";

const RECORDINGS: [file: string, training: boolean][] = [
  ["mlperf-training-v5.0/NVIDIA_eos_512xH100_llama31_405b_result_0.txt", true],
  ["mlperf-training-v5.0/NVIDIA_tyche_512xGB200_llama31_405b_result_0.txt", true],
  ["mlperf-training-v4.1/Google_tpu-v5p-4096_gpt3_result_0.txt", true],
  ["mlperf-training-v4.1/NVIDIA_256xH100_gpt3_result_0.txt", true],
  ["azure-llm-2023/AzureLLMInferenceTrace_code.csv", false],
];

describe("training or inference, by the signed meter", () => {
  test("honest work is mostly told right, and a disguise fools what it is made for", async () => {
    const found = await judge(trainOrInfer, "train-or-infer");
    for (const [point, seeds] of found) {
      for (const measures of seeds) {
        expect(measures.builtins, point).toBe(listWorkloads().length);
        expect(measures.recordings).toBe(0);
        // Without a visible exchange of gradients training is still training, by its operations a byte.
        expect(measures.accuracyQuiet!, point).toBeGreaterThan(0.9);
      }
    }
    const [all, bytes] = [found.get("all four features")!, found.get("bytes alone")!];
    expect(bytes[0]!.accuracyThrottled!).toBeGreaterThan(0.9);
    expect(all[0]!.accuracyThrottled!).toBeLessThan(0.5);
    expect(bytes[0]!.accuracyHonest!).toBeLessThan(all[0]!.accuracyHonest!);
  });

  test.skipIf(!sharedIsHere)(
    "real recordings are told right, but for short runs that evaluations chop up",
    async () => {
      const right = async (named: typeof RECORDINGS) => {
        const recordings = named.map(([file, training]) => ({ file: sharedPath(`traces/${file}`), training }));
        const { measures } = await runStudy(trainOrInfer, parametersOf(trainOrInfer, { jobs: 100, recordings }), "1");
        expect(measures.recordings).toBe(named.length);
        return measures.recordingsRight;
      };
      expect(await right(RECORDINGS)).toBe(RECORDINGS.length);
      // Adapters on 8 MI300X: a fifth of the time is evaluation, and 22 % of the peak is used, as in a service.
      expect(await right([["mlperf-training-v5.0/AMD_8xMI300X_llama2_70b_lora_result_0.txt", true]])).toBe(0);
    },
  );

  test("a recording that is not there is refused with its name", async () => {
    const parameters = parametersOf(trainOrInfer, { recordings: [{ file: "/nowhere/trace.json", training: true }] });
    await expect(async () => runStudy(trainOrInfer, parameters, "1")).rejects.toMatchObject({
      code: "trace/unreadable",
    });
  });
});

describe("a workload as its meter shows it", () => {
  test("has all its work in its windows, and no window more than the chip can do", () => {
    for (const { name } of listWorkloads()) {
      const workload = builtinWorkload(name, { steps: 20 });
      const { windows, peakPerSecond } = meteredWorkload(workload, { windows: 100_000, windowSeconds: 0.25 });
      const sum = windows.reduce((total, { linkBytes }) => total + linkBytes, 0);
      const sent = Number(workload.totals.work.get(10) ?? 0n);
      // The last window is cut where the workload ends within it.
      expect(sum, name).toBeGreaterThan(0.9 * sent - 1);
      expect(sum, name).toBeLessThan(1.000001 * sent + 1);
      expect(Math.max(...windows.map(({ operations }) => operations)), name).toBeLessThanOrEqual(
        1.1 * peakPerSecond * 0.25,
      );
    }
  });

  test("stands still between its requests", () => {
    const { windows } = meteredWorkload(builtinWorkload("llm-serve-code"), { windows: 100, windowSeconds: 0.1 });
    expect(windows[0]!.operations).toBe(0);
    expect(windows[10]!.operations).toBeGreaterThan(0);
    expect(windows[18]!.operations).toBe(0);
  });
});

describe("the nearest of two centers", () => {
  const meter = (operations: number, memoryBytes: number, linkBytes: number) => ({
    windows: [{ operations, memoryBytes, linkBytes }],
    peakPerSecond: 1000,
  });
  const examples = [
    { training: true, features: featuresOf(meter(1000, 1, 10), 1)! },
    { training: true, features: featuresOf(meter(900, 1, 11), 1)! },
    { training: false, features: featuresOf(meter(100, 10, 1), 1)! },
    { training: false, features: featuresOf(meter(120, 9, 1), 1)! },
  ];
  const centers = centersOf(examples);

  test("tells its own examples right, and leaves out what a meter does not hold", () => {
    for (const { training, features } of examples) expect(isTraining(features, centers, FEATURES)).toBe(training);
    expect(isTraining(featuresOf(meter(950, 0, 0), 1)!, centers, FEATURES)).toBe(true);
    expect(isTraining(featuresOf(meter(90, 0, 0), 1)!, centers, FEATURES)).toBe(false);
  });

  test("has no verdict on a board that did nothing", () => {
    expect(featuresOf(meter(0, 5, 5), 1)).toBeUndefined();
  });
});
