import { describe, expect, it } from "vitest";
import { kept } from "../streams.ts";
import { BENCHES } from "./benches.ts";
import { benchCommand } from "./command.ts";
import { type BenchDocument, type Effort, median, runBench } from "./frame.ts";

/** Enough to see that everything runs; figures of it mean nothing. */
const TINY: Effort = { rounds: 1, batchMs: 0 };

const command = (...args: string[]) => kept((streams) => benchCommand(args, streams, TINY));

describe("every benchmark", () => {
  it.each([...BENCHES.keys()])("%s gives one document with figures of ours and theirs", async (name) => {
    const { exit, out } = await command(name, "--json");
    expect(exit).toBe(0);
    const document = JSON.parse(out) as BenchDocument;
    expect(Object.keys(document)).toEqual(["bench", "results"]);
    expect(document.bench).toBe(name);
    expect(document.results.length).toBeGreaterThan(0);
    for (const result of document.results) {
      expect(Object.keys(result).sort()).toEqual(["against", "name", "ours", "ratio", "theirs", "unit"]);
      expect(result.ours).toBeGreaterThan(0);
      expect(result.theirs).toBeGreaterThan(0);
      expect(result.ratio).toBeCloseTo(result.ours / result.theirs, 9);
    }
  });

  it("is in the list with a line that says what it measures", async () => {
    const { exit, out } = await command("--list");
    expect(exit).toBe(0);
    expect(out.trimEnd().split("\n").length).toBe(BENCHES.size);
    for (const [name, { about }] of BENCHES) {
      expect(out).toContain(name);
      expect(out).toContain(about);
    }
  });

  it("shows a table to people and its progress on stderr", async () => {
    const { exit, out, err } = await command("boot");
    expect(exit).toBe(0);
    expect(out).toContain("ours/theirs");
    expect(err).toContain("boot 1 of 2");
  });
});

describe("what happens in a second", () => {
  it("is in the table: runs, or megabytes where they are what counts", async () => {
    const { out } = await command("crypto");
    expect(out).toMatch(/Ed25519 sign 64 B .* [\d,.]+ +[\d,.]+$/m);
    expect(out).toMatch(/SHA-512 of 64 KiB .* [\d,.]+ MB +[\d,.]+ MB$/m);
  });
});

describe("wrong use of the benchmarks", () => {
  it.each([
    [["no-such"], 'no benchmark "no-such"'],
    [[], "no benchmark named"],
    [["boot", "crypto"], "one at a time"],
    [["--fast"], "--fast"],
  ])("%j is refused in one line", async (args, message) => {
    const { exit, out, err } = await command(...args);
    expect(exit).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
  });
});

describe("the frame", () => {
  it("runs ours and theirs in turns, and each as often", async () => {
    const order: string[] = [];
    const note = (who: string) => () => void order.push(who);
    const bench = {
      about: "",
      cases: () => [{ name: "n", against: "a", ours: note("ours"), theirs: note("theirs") }],
    };
    await runBench("x", bench, { rounds: 4, batchMs: 0 });
    expect(order.slice(2)).toEqual(["ours", "theirs", "theirs", "ours", "ours", "theirs", "theirs", "ours"]);
  });

  it("runs all peers of a case in the rounds of that case, and gives each a result beside the same figure of ours", async () => {
    const order: string[] = [];
    const note = (who: string) => () => void order.push(who);
    const peers = ["a", "b"].map((against) => ({ against, theirs: note(against) }));
    const bench = { about: "", cases: async () => [{ name: "n", ours: note("ours"), peers }] };
    const { results } = await runBench("x", bench, { rounds: 3, batchMs: 0 });
    expect(order.slice(3)).toEqual(["ours", "a", "b", "a", "b", "ours", "b", "ours", "a"]);
    expect(results.map(({ against }) => against)).toEqual(["a", "b"]);
    expect(results[0]!.ours).toBe(results[1]!.ours);
  });

  it("takes medians, so that one slow batch changes nothing", () => {
    expect(median([1, 100, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
