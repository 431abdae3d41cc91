/** The frame of all campaigns: which cases run, what counts as a finding, and that an id replays one. */
import { describe, expect, it } from "vitest";
import { AttackSucceeded, type Cases, runCases, UnknownCase } from "../../attack/campaign.ts";
import { CAMPAIGNS } from "../../attack/campaigns.ts";

/** Cases that note which of them ran; the odd ones find something. */
function casesOf(count: number): Cases & { ran: number[] } {
  const ran: number[] = [];
  return {
    count,
    ran,
    idOf: (index) => `c${index}`,
    indexOf: (id) => (/^c\d+$/.test(id) && Number(id.slice(1)) < count ? Number(id.slice(1)) : undefined),
    run(index) {
      ran.push(index);
      if (index % 2 === 1) throw new AttackSucceeded(`case ${index} got through`);
      return "refused";
    },
  };
}

describe("a campaign", () => {
  it("runs every case once, counts what each came to, and names what it found", () => {
    const cases = casesOf(5);
    const outcome = runCases("x", cases, { seed: "1" });
    expect(cases.ran).toEqual([0, 1, 2, 3, 4]);
    expect(outcome).toEqual({
      campaign: "x",
      seed: "1",
      cases: 5,
      tried: 5,
      verdicts: { refused: 3, FOUND: 2 },
      findingCount: 2,
      findings: [
        { id: "c1", what: "case 1 got through" },
        { id: "c3", what: "case 3 got through" },
      ],
    });
  });

  it("runs as many cases as it may, one of each stretch, the same ones for the same seed", () => {
    const chosen = (seed: string) => {
      const cases = casesOf(1000);
      expect(runCases("x", cases, { seed, casesMax: 10 }).tried).toBe(10);
      return cases.ran;
    };
    const ran = chosen("1");
    expect(ran.map((index) => Math.floor(index / 100))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(chosen("1")).toEqual(ran);
    expect(chosen("2")).not.toEqual(ran);
  });

  it("replays one case by its id, and knows no other ids", () => {
    const cases = casesOf(5);
    expect(runCases("x", cases, { seed: "1", only: "c3" }).findings).toEqual([
      { id: "c3", what: "case 3 got through" },
    ]);
    expect(cases.ran).toEqual([3]);
    expect(() => runCases("x", cases, { seed: "1", only: "c5" })).toThrow(UnknownCase);
  });

  it("shows each of its cases where they have names, and which of them found something", () => {
    const outcome = runCases("x", { ...casesOf(3), named: true }, { seed: "1" });
    expect(outcome.each).toEqual([{ id: "c0", verdict: "refused" }, { id: "c1" }, { id: "c2", verdict: "refused" }]);
    expect(runCases("x", casesOf(3), { seed: "1" }).each).toBeUndefined();
  });

  it("does not take a fault of its own for a finding", () => {
    const broken: Cases = {
      ...casesOf(1),
      run() {
        throw new TypeError("a fault");
      },
    };
    expect(() => runCases("x", broken, { seed: "1" })).toThrow(TypeError);
  });

  it("counts no more findings than it keeps, and keeps no more than a hundred", () => {
    const { findingCount, findings } = runCases("x", casesOf(400), { seed: "1" });
    expect([findingCount, findings.length]).toEqual([200, 100]);
  });
});

describe("every campaign", () => {
  it("has a name of its own, and says what it tries and what must hold", () => {
    expect(new Set(CAMPAIGNS.map(({ name }) => name)).size).toBe(CAMPAIGNS.length);
    for (const { name, about, claim } of CAMPAIGNS) {
      expect(name).toMatch(/^[a-z-]+$/);
      expect(Math.min(about.length, claim.length)).toBeGreaterThan(20);
    }
  });

  // The bounded share: all of it is `quiesce attack NAME`. Those of two are run by tests of their own, with more to see.
  const HAVE_TESTS_OF_THEIR_OWN = ["soak", "host"];
  const others = CAMPAIGNS.filter(({ name }) => !HAVE_TESTS_OF_THEIR_OWN.includes(name));
  it.each(others.map((campaign) => [campaign.name, campaign] as const))("%s finds nothing", async (_name, campaign) => {
    const casesMax = campaign.casesInTests ?? 60;
    const { findings, tried } = await campaign.run({ seed: String(process.env.QUIESCE_SEED), casesMax });
    expect(findings).toEqual([]);
    expect(tried).toBeGreaterThan(0);
  });
});
