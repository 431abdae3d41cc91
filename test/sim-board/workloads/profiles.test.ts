import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { collectiveBytes } from "../../../sim-board/workloads/collectives.ts";
import { slicePhases } from "../../../sim-board/workloads/device-timeline.ts";
import { type ProfiledKernel, productOf } from "../../../sim-board/workloads/profiled-kernels.ts";
import { readTrace } from "../../../sim-board/workloads/read.ts";
import { sumWork } from "../../../sim-board/workloads/types.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { expectSound, expectWithin } from "./expect-workload.ts";

const HTA = "traces/hta-kineto";

describe.skipIf(!sharedIsHere)("profiler traces", () => {
  test.each(["a100x2_resnet_ddp_nccl_data.json.gz", "a100x2_resnet_ddp.kernels.csv.gz"])(
    "ResNet on 2 A100 sends exactly 3 x 102,228,128 bytes from this rank (%s)",
    (name) => {
      const workload = readTrace(sharedPath(`${HTA}/${name}`));
      expectSound(workload);
      expect(workload.boards).toBe(2);
      expect(workload.accelerator).toBe("a100");
      const { work, recorded, durationSeconds } = workload.totals;
      expect(work.get(EngineClass.LINK_TX)).toBe(3n * 4n * 25_557_032n);
      expect(work.get(EngineClass.LINK_RX)).toBe(3n * 102_228_128n);
      expect(recorded.linkBytes).toBe(306_684_384n);
      // Parameters and normalization buffers, copied device to device once a step.
      expect(work.get(EngineClass.COPY)).toBe(307_323_096n);
      // No dimensions were recorded, so no operations are made up; two broadcasts a step have no recorded root.
      expect(recorded.flop).toBe(0n);
      expect(recorded.collectivesUnmetered).toBe(6);
      expectWithin(durationSeconds, 0.66055, 0.001);
    },
  );

  test("the three steps of the ResNet trace are found by their marks", () => {
    const workload = readTrace(sharedPath(`${HTA}/a100x2_resnet_ddp_nccl_data.json.gz`));
    expect(workload.totals.recorded.steps).toBe(3);
    expect(new Set([...workload.phases()].map(({ step }) => step))).toEqual(new Set([0, 1, 2]));
  });

  test("the recommender on an A100 has 1,674 joined products, 1.928e12 operations, 60.9 ms", () => {
    const workload = readTrace(sharedPath(`${HTA}/a100_8ranks_dlrm_rank3.kernels.csv.gz`));
    expectSound(workload);
    const { recorded, work } = workload.totals;
    expect(recorded.scope).toBe("board");
    expect(recorded.gemms).toBe(1674);
    expectWithin(recorded.flop, 1.928e12, 0.01);
    expectWithin(recorded.gemmSeconds!, 0.0609, 0.01);
    expect(work.get(EngineClass.TENSOR_TF32)! + work.get(EngineClass.VECTOR)!).toBe(recorded.flop);
  });

  test("batched products of the recommender count where they are asked for", () => {
    const path = sharedPath(`${HTA}/a100_8ranks_dlrm_rank3.kernels.csv.gz`);
    const without = readTrace(path).totals.recorded;
    const counted = readTrace(path, { batchedProducts: true });
    expectSound(counted);
    expect(counted.totals.recorded.flop).toBe(without.flop + without.batchedFlop!);
  });

  test("a sampled trace of 128 ranks yields what its operators say, and counts the collectives it cannot meter", () => {
    const workload = readTrace(sharedPath(`${HTA}/dlrm_128ranks_sampled_rank-0.json.gz`));
    expectSound(workload);
    expect(workload.boards).toBe(128);
    expect(workload.totals.recorded.collectivesUnmetered).toBe(10);
    expect(workload.totals.recorded.gemms).toBeGreaterThan(100);
    expect(workload.totals.work.get(EngineClass.LINK_TX)).toBeUndefined();
  });

  test("an inference trace of Meta's MTIA yields its DMA bytes and no invented operations", () => {
    const workload = readTrace(sharedPath(`${HTA}/mtia_inference_rank_0.json.gz`));
    expectSound(workload);
    expect(workload.accelerator).toBe("mtia-v2");
    expect(workload.totals.work).toEqual(new Map([[EngineClass.COPY as number, 788_900_408n]]));
  });

  test("a profile is of one board: another one is refused", () => {
    expect(() => readTrace(sharedPath(`${HTA}/mtia_inference_rank_0.json.gz`), { board: 1 })).toThrow("board 0, not 1");
  });
});

describe("what a profiled kernel did", () => {
  const kernel: ProfiledKernel = {
    startNs: 0,
    durationNs: 1,
    kernel: "cutlass_80_tensorop_s1688gemm_64x64",
    kind: "kernel",
    copyBytes: 0n,
    operator: "aten::addmm",
    inputDims: [[512], [1024, 1705], [1705, 512], [], []],
    inputTypes: ["float", "float", "float"],
  };

  test("a product of FP32 inputs is TF32 on the tensor cores and vector work off them", () => {
    const operations = 2n * 1024n * 1705n * 512n;
    expect(productOf(kernel)).toEqual({ engineClass: EngineClass.TENSOR_TF32, operations, batched: false });
    expect(productOf({ ...kernel, kernel: "ampere_sgemm_32x128_tn" })?.engineClass).toBe(EngineClass.VECTOR);
  });

  test.each([
    ["c10::Half", EngineClass.TENSOR_FP16],
    ["c10::BFloat16", EngineClass.TENSOR_BF16],
    ["c10::Float8_e4m3fn", EngineClass.TENSOR_FP8],
    ["signed char", EngineClass.TENSOR_INT8],
    ["double", EngineClass.TENSOR_FP64],
  ])("a product of %s inputs is counted in its own class", (type, engineClass) => {
    expect(productOf({ ...kernel, inputTypes: [type, type, type] })?.engineClass).toBe(engineClass);
  });

  test("a kernel that only adds up a split product is not counted again", () => {
    expect(productOf({ ...kernel, kernel: "splitKreduce_kernel<float>" })).toBeUndefined();
    expect(productOf({ ...kernel, kernel: "void cublasLt::splitKreduce_gemm" })).toBeUndefined();
  });

  test("dimensions that do not fit each other make no product", () => {
    expect(productOf({ ...kernel, inputDims: [[1], [2, 3], [4, 5]] })).toBeUndefined();
    expect(productOf({ ...kernel, inputDims: [] })).toBeUndefined();
  });
});

describe("collectives", () => {
  const of = (name: string, inElements: bigint, outElements: bigint, dtype = "Float", ranks = 8n) =>
    collectiveBytes({ name, inElements, outElements, dtype, ranks });

  test("bytes follow the ring formulas", () => {
    expect(of("allreduce", 1000n, 1000n)).toEqual({ sent: 7000n, received: 7000n });
    expect(of("_allgather_base", 1000n, 8000n, "BFloat16")).toEqual({ sent: 14_000n, received: 14_000n });
    expect(of("reduce_scatter_tensor_coalesced", 8000n, 1000n)).toEqual({ sent: 28_000n, received: 28_000n });
    expect(of("all_to_allv", 800n, 1600n, "Byte")).toEqual({ sent: 700n, received: 1400n });
    expect(of("allreduce", 1000n, 1000n, "Float", 1n)).toEqual({ sent: 0n, received: 0n });
  });

  test("a root that nobody recorded, and a data type that nobody knows, leave the bytes open", () => {
    expect(of("broadcast", 1n, 1n)).toBeUndefined();
    expect(of("allreduce", 1n, 1n, "Complex")).toBeUndefined();
    expect(of("allreduce", 1n, 1n, "Float", 0n)).toBeUndefined();
  });
});

test("cutting a timeline into slices loses and adds nothing, whatever overlaps", () => {
  const event = fc.record({
    startNs: fc.integer({ min: 0, max: 20_000_000 }),
    durationNs: fc.integer({ min: 0, max: 9_000_000 }),
    label: fc.constantFrom("a", "b"),
    work: fc
      .array(fc.tuple(fc.integer({ min: 0, max: 11 }), fc.bigInt(1n, 10n ** 18n)), { maxLength: 3 })
      .map((entries) => new Map(entries)),
  });
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (events) => {
      const phases = slicePhases(events, "test");
      const before = sumWork(events.map(({ work }) => ({ name: "", durationSeconds: 0, measured: true, work })));
      expect(sumWork(phases)).toEqual(before);
      for (const { work } of phases) for (const amount of work.values()) expect(amount).toBeGreaterThan(0n);
      const start = Math.min(...events.map(({ startNs }) => startNs));
      const end = Math.max(...events.map(({ startNs, durationNs }) => startNs + durationNs));
      const seconds = phases.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
      expect(seconds).toBeCloseTo(Math.max(end - start, 1) / 1e9, 9);
    }),
  );
});
