/** The whole-system simulation is worth something only if it finds what it looks for: one part at a time planted to fail. */
import { describe, expect, it } from "vitest";
import { soakWith } from "../../../attack/soak/campaign.ts";
import { type RunParts, runSeed } from "../../../attack/soak/run.ts";
import { without } from "../without.ts";

const SEEDS_MAX = 12;
/** Near these it shows soon what was forgotten: elsewhere a run may have to wait first for what does not come. */
const FORGOTTEN_SOON = 2;
/** In most runs every verifier has a part in every recovery: near this seed there is one that has not. */
const RECOVERED_WITHOUT = 1022;

/** What the first of these seeds finds that finds anything, and its seed. */
async function firstFinding(parts: RunParts, from = 1): Promise<{ what: string; seed: string }> {
  for (let seed = from; seed < from + SEEDS_MAX; seed++) {
    const { findings } = await soakWith(parts, { seed: String(seed), casesMax: 1 });
    if (findings[0]) return { what: findings[0].what, seed: findings[0].id };
  }
  return { what: "nothing", seed: "1" };
}

// biome-ignore format: a table, one row a defense
const GOVERNORS: readonly [without: string, path: string, text: string, instead: string, finding: RegExp][] = [
  ["the lease", "firmware/gate/conditions.ts", "leaseIsFresh() ? ErrorCode.OK", "true ? ErrorCode.OK", /^S4 is broken/],
];

describe("the simulation finds", () => {
  it("verifiers that forget in a crash what they had committed", async () => {
    const { what } = await firstFinding({ planted: { forgetfulVerifiers: true } }, FORGOTTEN_SOON);
    expect(what).toMatch(/two orders of epoch|another order became active|took report|two licenses|these do not work/);
  });

  it("an agent that shows no verifier the recoveries that it had no part in", async () => {
    const { what } = await firstFinding({ planted: { hidesRecoveries: true } }, RECOVERED_WITHOUT);
    expect(what).toMatch(/ has \d+ of class \d+, board \d+ \d+/);
  });

  it("a network that does not mend", async () => {
    const { what } = await firstFinding({ planted: { cutOff: 2 } });
    expect(what).toMatch(/^after the faults these do not work/);
  });

  it.each(GOVERNORS)("a governor without %s, and the seed tells it again", async (_, path, text, instead, finding) => {
    const image = await without(path, text, instead);
    const { what, seed } = await firstFinding({ image });
    expect(what).toMatch(finding);
    expect((await runSeed(seed, { image })).finding).toBe(what);
  });
});
