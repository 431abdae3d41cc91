import { describe, expect, test } from "vitest";
import { quorum } from "../../../fleet/studies/quorum.ts";
import { underReporting } from "../../../fleet/studies/under-reporting.ts";
import { judge, parametersOf, runStudy } from "./judge.ts";

describe("a node that reports less than it did", () => {
  test("what is published of it comes out, as far as it is said to; audits find it, and nobody else", async () => {
    const found = await judge(underReporting, "under-reporting");
    for (const [measures] of found.values()) {
      expect(measures!.sumGapShare).toBeCloseTo(measures!.sumGapByFormula!, 12);
      expect(Math.abs(measures!.sumDeviationSimulated! / measures!.sumDeviationByFormula! - 1)).toBeLessThan(0.03);
    }
    // Published is 0.36 %: what the scenario says of it is true.
    const [large] = found.get("256 nodes, 10 % x 20")!;
    expect(large!.sumDeviationByFormula).toBeCloseTo(0.0051, 4);
    expect(large!.sumDeviationHonest).toBeCloseTo(0.005, 4);
  });

  test("who hides nothing is found by no audit, and whoever hides any part by every one", async () => {
    const always = { auditShare: 1, rounds: 3, trials: 1000, nodes: 1 };
    const honest = parametersOf(underReporting, { ...always, hiddenShare: 0 });
    expect((await runStudy(underReporting, honest, "1")).measures.caughtSimulated).toBe(0);
    const slight = parametersOf(underReporting, { ...always, hiddenShare: 0.00001 });
    expect((await runStudy(underReporting, slight, "1")).measures.caughtSimulated).toBe(1);
  });
});

describe("a quorum of parties", () => {
  test("is as available and as safe as the binomials say", async () => {
    const found = await judge(quorum, "quorum");
    for (const [measures] of found.values()) {
      expect(measures!.availabilitySimulated).toBeCloseTo(measures!.availabilityByFormula!, 2);
      expect(measures!.theftSimulated).toBeCloseTo(measures!.theftByFormula!, 2);
    }
    // Each step up is safer and less available.
    const [two, four, six] = ["2 of 5", "4 of 7", "6 of 7"].map((point) => found.get(point)![0]!);
    expect(two!.theftByFormula!).toBeGreaterThan(four!.theftByFormula!);
    expect(four!.theftByFormula!).toBeGreaterThan(six!.theftByFormula!);
    expect(two!.stoppedHoursPerYear!).toBeLessThan(four!.stoppedHoursPerYear!);
    expect(four!.stoppedHoursPerYear!).toBeLessThan(six!.stoppedHoursPerYear!);
    expect(six!.keysToBlock).toBe(2);
  });

  test("of all parties fails with any of them, and of more than there are counts as all", async () => {
    const one = parametersOf(quorum, { parties: 3, needed: 9, unavailableShare: 1, stolenShare: 1, trials: 1000 });
    const { measures } = await runStudy(quorum, one, "1");
    expect(measures.availabilitySimulated).toBe(0);
    expect(measures.theftSimulated).toBe(1);
    expect(measures.keysToBlock).toBe(1);
  });
});
