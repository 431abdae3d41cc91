/** The whole system by seed: a seed is one run, no fault of any kind breaks anything, and every kind of fault came about. */
import { describe, expect, it } from "vitest";
import { UnknownCase } from "../../../attack/campaign.ts";
import { soak } from "../../../attack/soak/campaign.ts";
import { HAPPENINGS } from "../../../attack/soak/counts.ts";
import { runSeed } from "../../../attack/soak/run.ts";

const SEED = String(process.env.QUIESCE_SEED);
/**
 * The share of every run of the tests: so many cases, and more until every kind of fault was met. `quiesce attack soak` goes
 * on for as long as one likes.
 */
const CASES = 6;
const CASES_MAX = 36;

describe("a seed", () => {
  it("is one run: the same events at the same times, the same bytes, the same counts", async () => {
    const [one, again, other] = [await runSeed(SEED), await runSeed(SEED), await runSeed(`${SEED}1`)];
    expect(again.trace).toBe(one.trace);
    expect(again.counts.all()).toEqual(one.counts.all());
    expect(other.trace).not.toBe(one.trace);
  });

  it("is a case's id, which runs it alone", async () => {
    const outcome = await soak.run({ seed: "7", only: `${SEED}1` });
    const { finding, counts } = await runSeed(`${SEED}1`);
    expect(outcome).toMatchObject({ tried: 1, findingCount: finding === undefined ? 0 : 1, counts: counts.all() });
  });

  it("is a word, and nothing else", async () => {
    await expect(async () => soak.run({ seed: "1", only: "a b" })).rejects.toThrow(UnknownCase);
    await expect(async () => soak.run({ seed: "", casesMax: 1 })).rejects.toThrow(UnknownCase);
  });
});

describe("the share of every run", () => {
  it("finds nothing, with every kind of fault in it, and with work, orders and reports all the same", async () => {
    const met = new Set<string>();
    for (let tried = 0; tried < CASES || (tried < CASES_MAX && met.size < HAPPENINGS.length); tried += CASES) {
      const seed = String(Number(SEED) + tried);
      const { findings, verdicts, counts } = await soak.run({ seed, casesMax: CASES });
      expect(findings).toEqual([]);
      expect(verdicts).toEqual({ "came back": CASES });
      for (const happening of HAPPENINGS) if (counts![happening]! > 0) met.add(happening);
      expect(counts!["pauses that held"]).toBeGreaterThanOrEqual(CASES);
      expect(counts!.licenses).toBeGreaterThan(CASES);
      // Whoever is refused comes again after a while, and not at once: three boards and their agent have little to say.
      expect(counts!.messages! / counts!["simulated seconds"]!).toBeLessThan(12);
    }
    expect(HAPPENINGS.filter((happening) => !met.has(happening))).toEqual([]);
  });
});
