import { describe, expect, test } from "vitest";
import { thresholds } from "../../../fleet/studies/thresholds.ts";
import { listWorkloads } from "../../../sim-board/workloads/builtin.ts";
import { judge, parametersOf, runStudy } from "./judge.ts";

describe("a threshold of operations or of chips", () => {
  test("is seen by reports as late as half a period, and as much later as they leave out", async () => {
    const found = await judge(thresholds, "thresholds");
    for (const seeds of found.values()) {
      for (const measures of seeds) {
        expect(Math.abs(measures.seenLateSeconds! / measures.seenLateSecondsByFormula! - 1)).toBeLessThan(0.05);
        expect(measures.chipsSeenDays!).toBeGreaterThan(measures.chipsOverDays!);
        expect(measures.chipsAtSight!).toBeGreaterThan(16);
      }
    }
    const at = (point: string) => found.get(point)![0]!;
    expect(at("10^25, daily").chipsAtSight!).toBeGreaterThan(at("10^25, hourly").chipsAtSight!);
  });

  test("of one board with one report is seen at the report that crosses it", async () => {
    const one = parametersOf(thresholds, {
      boards: 1,
      thresholdOperations: 1e18,
      reportSeconds: 100,
      deliverySecondsMax: 0,
    });
    const { measures } = await runStudy(thresholds, one, "1");
    expect(measures.seenLateSeconds!).toBeGreaterThanOrEqual(0);
    expect(measures.seenLateSeconds!).toBeLessThanOrEqual(100);
  });

  test("any built-in workload can be the one that crosses it, and the counting rule matters where types are wide", async () => {
    for (const { name } of listWorkloads()) {
      const parameters = parametersOf(thresholds, { workload: name, boards: 4, thresholdOperations: 1e20 });
      expect((await runStudy(thresholds, parameters, "1")).measures.operationsPerSecond!, name).toBeGreaterThan(1e12);
    }
    const rate = async (countingRule: string) => {
      const parameters = parametersOf(thresholds, {
        workload: "resnet-ddp",
        boards: 2,
        thresholdOperations: 1e20,
        countingRule,
      });
      return (await runStudy(thresholds, parameters, "1")).measures.operationsPerSecond!;
    };
    expect((await rate("fp16-equivalent-or-native")) / (await rate("native"))).toBeCloseTo(2, 9);
  });
});
