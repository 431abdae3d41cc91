/** All campaigns of attacks by one command: it runs them, tells of findings, and refuses what makes no sense. */
import { describe, expect, it } from "vitest";
import { kept } from "../streams.ts";
import { campaignCommand } from "./command.ts";

const run = (...args: string[]) => kept((streams) => campaignCommand(["attack", ...args], streams));

describe("npm run campaign -- attack", () => {
  it("runs the campaigns that are named, in their order, and tells how many cases of each", async () => {
    const { exit, out } = await run("cut-pairs", "constant-time", "--cases", "7", "--seed", "3", "--json");
    expect(exit).toBe(0);
    const { ok, seed, results } = JSON.parse(out);
    expect({ ok, seed }).toEqual({ ok: true, seed: 3 });
    expect(results.map(({ campaign, tried }: { campaign: string; tried: number }) => [campaign, tried])).toEqual([
      ["cut-pairs", 7],
      ["constant-time", 7],
    ]);
  });

  it("is a table for people", async () => {
    const { exit, out } = await run("host", "--cases", "3");
    expect(exit).toBe(0);
    expect(out).toMatch(/host +3 of \d+ +0 +\d+ s/);
  });

  it.each([
    [["nothing"], 'there is no campaign "nothing"'],
    [["--cases", "0"], "--cases is a whole number"],
    [["--seed", "x"], "--seed is a whole number"],
    [["--lanes", "65"], "--lanes is a whole number from 1 to 64"],
    [["--blows"], "Unknown option"],
  ])("refuses %j", async (args, message) => {
    const { exit, err } = await run(...args);
    expect(exit).toBe(2);
    expect(err).toContain(message);
  });
});
