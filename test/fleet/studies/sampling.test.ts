import { describe, expect, test } from "vitest";
import { inspectionSampling } from "../../../fleet/studies/inspection-sampling.ts";
import { tamperedFraction } from "../../../fleet/studies/tampered-fraction.ts";
import { judge, parametersOf, runStudy } from "./judge.ts";

describe("snapshots of chips find a training run", () => {
  test("the published table comes out, by formula and simulated", async () => {
    const found = await judge(inspectionSampling, "inspection-sampling");
    // Where the run is most of the chip-time, the two ways of sampling part widely: the inspector needs fewer.
    const [crowded] = found.get("Llama 3.1 405B, 1,500 chips")!;
    expect(crowded!.runShare).toBeGreaterThan(0.7);
    expect(crowded!.samplesByTableFormula! / crowded!.samplesByPrintedFormula!).toBeGreaterThan(1.5);
  });

  test("a run that fills the chips is found by the first snapshot an inspector takes", async () => {
    const parameters = parametersOf(inspectionSampling, { runOperations: 1e32, trials: 1000 });
    const { measures } = await runStudy(inspectionSampling, parameters, "1");
    expect(measures.runShare).toBe(1);
    expect(measures.samplesByPrintedFormula).toBe(1);
    expect(measures.samplesByInspectorSimulated).toBe(1);
  });

  test("a seed gives the same to the last digit, another seed something near", async () => {
    const parameters = parametersOf(inspectionSampling, { trials: 50_000 });
    const [one, again, other] = await Promise.all(
      ["a", "a", "b"].map((seed) => runStudy(inspectionSampling, parameters, seed)),
    );
    expect(again).toEqual(one);
    const key = "samplesByChipsSimulated";
    expect(other!.measures[key]).not.toBe(one!.measures[key]);
    expect(Math.abs(other!.measures[key]! / one!.measures[key]! - 1)).toBeLessThan(0.03);
  });
});

describe("inspections find a tampered board", () => {
  test("230 at one in a hundred and 2,302 at one in a thousand, and the leak is the same", async () => {
    const found = await judge(tamperedFraction, "tampered-fraction");
    for (const measures of found.values()) {
      for (const { inspectionsByFormula, inspectionsWithoutReplacementByFormula } of measures) {
        expect(inspectionsWithoutReplacementByFormula!).toBeLessThanOrEqual(inspectionsByFormula!);
      }
    }
  });

  test("whoever opens every board but the tampered ones has no other left", async () => {
    const parameters = parametersOf(tamperedFraction, {
      boards: 2,
      tamperedShare: 0.5,
      detectionProbability: 0.999,
      trials: 1000,
    });
    const { measures } = await runStudy(tamperedFraction, parameters, "1");
    expect(measures.inspectionsWithoutReplacementByFormula).toBe(2);
    expect(measures.inspectionsWithoutReplacementSimulated).toBe(2);
  });
});
