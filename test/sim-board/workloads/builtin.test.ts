import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { builtinWorkload, listWorkloads } from "../../../sim-board/workloads/builtin.ts";
import { operationsOf, shareOf, sumWork } from "../../../sim-board/workloads/types.ts";
import { expectSound, expectWithin } from "./expect-workload.ts";

describe("built-in workloads need no file", () => {
  test("each that is listed can be played, on any of its boards, and its totals are those of its phases", () => {
    for (const { name } of listWorkloads()) {
      const { boards } = builtinWorkload(name);
      for (const board of [0, 1, boards - 1]) expectSound(builtinWorkload(name, { board }));
    }
  });

  test("the boards of a job together do the job's work, to the last operation and byte", () => {
    for (const { name } of listWorkloads()) {
      const { boards, totals } = builtinWorkload(name, { steps: 2 });
      let operations = 0n;
      let sent = 0n;
      for (let board = 0; board < boards; board++) {
        const { work } = builtinWorkload(name, { steps: 2, board }).totals;
        operations += operationsOf(work);
        sent += work.get(EngineClass.LINK_TX) ?? 0n;
      }
      expect(operations).toBe(totals.recorded.flop);
      // Where a recording holds no link bytes none are made up.
      expect(sent).toBe(totals.recorded.linkBytes ?? 0n);
    }
  });

  test("llama405b-train is the measured run: 240 steps, median 55.1 s, 276,480 samples, 5.72e21 operations in FP8", () => {
    const workload = builtinWorkload("llama405b-train");
    const { recorded, work } = workload.totals;
    expect(workload.boards).toBe(512);
    expect(recorded.steps).toBe(240);
    expect(recorded.samples).toBe(276_480);
    expectWithin(recorded.flop, 5.72e21, 0.01);
    const seconds = [...workload.phases()].map((phase) => phase.durationSeconds).sort((a, b) => a - b);
    expectWithin((seconds[119]! + seconds[120]!) / 2, 55.1, 0.03);
    // 844 TFLOP/s a GPU: 85 % of its BF16 peak, so it can only be FP8.
    const rate = Number(work.get(EngineClass.TENSOR_FP8)) / workload.totals.durationSeconds;
    expectWithin(rate, 844e12, 0.01);
    expect(operationsOf(work)).toBe(work.get(EngineClass.TENSOR_FP8));
    // What tensor parallelism sends fits the link: under half of 450 GB/s each way.
    expect(Number(work.get(EngineClass.LINK_TX)) / workload.totals.durationSeconds).toBeLessThan(225e9);
  });

  test("llama405b-train saves 14 bytes a parameter, its 512th part from each board", () => {
    const { checkpoint } = builtinWorkload("llama405b-train", { board: 7 });
    expectWithin(checkpoint!.bytes * 512n, 14 * 405e9, 0.01);
  });

  test("resnet-ddp sends exactly 102,228,128 bytes a step from each rank: every parameter once, in FP32", () => {
    for (const steps of [1, 3, 100]) {
      const { work, recorded } = builtinWorkload("resnet-ddp", { steps }).totals;
      expect(work.get(EngineClass.LINK_TX)).toBe(102_228_128n * BigInt(steps));
      expect(work.get(EngineClass.LINK_RX)).toBe(102_228_128n * BigInt(steps));
      expect(recorded.linkBytes).toBe(2n * 102_228_128n * BigInt(steps));
      expect(recorded.steps).toBe(steps);
    }
    const [, first] = [...builtinWorkload("resnet-ddp").phases()];
    expect(first!.work.get(EngineClass.LINK_TX)).toBe(2_049_000n * 4n);
  });

  test("fewer steps can be asked for, and what is out of range or unknown is refused with a code", () => {
    expect([...builtinWorkload("llama405b-train", { steps: 5 }).phases()]).toHaveLength(5);
    for (const steps of [0, -1, 241, 1.5, Number.NaN]) {
      expect(() => builtinWorkload("llama405b-train", { steps })).toThrow(
        expect.objectContaining({ code: "workload/bad-option" }),
      );
    }
    expect(() => builtinWorkload("llama405b-train", { board: 512 })).toThrow("boards 0 to 511");
    expect(() => builtinWorkload("nothing")).toThrow(expect.objectContaining({ code: "workload/unknown-name" }));
  });
});

test("shares add up to the whole for any total and any number of boards", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 30n), fc.integer({ min: 1, max: 600 }), (total, boards) => {
      let sum = 0n;
      for (let board = 0; board < boards; board++) sum += shareOf(total, boards, board);
      expect(sum).toBe(total);
    }),
  );
});

test("a sum of phases leaves no entry of zero work", () => {
  const none = { name: "", durationSeconds: 1, measured: false, work: new Map([[EngineClass.COPY as number, 0n]]) };
  expect(sumWork([none]).size).toBe(0);
});
