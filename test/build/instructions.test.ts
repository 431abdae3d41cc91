/** What the firmware executes is what is recorded, to the instruction: slower code shows on the noisiest machine. */
import { describe, expect, it } from "vitest";
import { instructionsCommand } from "../instructions/command.ts";
import { type Counted, countAll } from "../instructions/operations.ts";
import { change, differences, differenceTable, readRecord } from "../instructions/record.ts";
import { kept } from "../streams.ts";

const counted = countAll();

describe("the instructions of each operation", () => {
  it("are those that are recorded", () => {
    const changed = differences(readRecord(), counted);
    const message = `firmware/instructions.json says otherwise:\n${differenceTable(changed)}\nIf the firmware was meant to change, run \`npm run firmware:hash\`.\n`;
    expect(changed, message).toEqual([]);
  });

  it("are counted the same every time", () => {
    expect(countAll()).toEqual(counted);
  });

  it("grow as an operation has more to do", () => {
    const of = (name: string) => counted.find((one) => one.name === name)!.counts.instructions;
    expect(of("SHA-512, 1 KiB")).toBeGreaterThan(of("SHA-512, 64 B"));
    expect(of("Ed25519 verify under a known key, 64 B")).toBeLessThan(of("Ed25519 verify, 64 B") / 2);
    expect(of("a license of two")).toBeGreaterThan(2 * of("Ed25519 verify, 64 B"));
    expect(of("evidence")).toBeGreaterThan(of("Ed25519 sign by a key pair, 64 B"));
    expect(of("a slice: settle, reserve, grant")).toBeGreaterThan(of("HMAC-SHA-256, 64 B"));
  });
});

describe("a difference from the record", () => {
  const one = (name: string, instructions: number): Counted => ({
    module: "governor",
    name,
    counts: { instructions, loads: 0, stores: 0, calls: 0 },
  });

  it("is shown with what it was, what it is and by how much, and so is what came and went", () => {
    const rows = differences({ governor: { same: 5, slower: 200, gone: 7 } }, [
      one("same", 5),
      one("slower", 210),
      one("new", 1),
    ]);
    expect(rows.map(({ name, recorded, now }) => [name, recorded, now])).toEqual([
      ["slower", 200, 210],
      ["new", undefined, 1],
      ["gone", 7, undefined],
    ]);
    const shown = differenceTable(rows).split("\n").slice(2);
    expect(shown.map((line) => line.trim().split(/ {2,}/).slice(1))).toEqual([
      ["slower", "200", "210", "+5 %"],
      ["new", "-", "1", "new"],
      ["gone", "7", "-", "gone"],
    ]);
  });

  it("is seen if it is one instruction in millions", () => {
    expect(change(2_000_000, 1_999_999)).toBe("-0.00005 %");
    expect(differences({ governor: { verify: 2_000_000 } }, [one("verify", 2_000_001)])).toHaveLength(1);
  });
});

describe("npm run instructions", () => {
  const run = (...args: string[]) => kept((streams) => instructionsCommand(args, streams));

  it("shows people a line for each operation, and programs a document", async () => {
    const people = await run();
    expect(people.exit).toBe(0);
    for (const { name, counts } of counted) {
      expect(people.out).toContain(name);
      expect(people.out).toContain(counts.instructions.toLocaleString("en-US"));
    }
    const { operations } = JSON.parse((await run("--json")).out) as {
      operations: { name: string; instructions: number }[];
    };
    expect(operations.map(({ name, instructions }) => [name, instructions])).toEqual(
      counted.map(({ name, counts }) => [name, counts.instructions]),
    );
  });

  it.each([["--fast"], ["boot"]])("refuses %s in one line", async (argument) => {
    const { exit, out, err } = await run(argument);
    expect(exit).toBe(2);
    expect(out).toBe("");
    expect(err).toContain("Usage: npm run instructions");
    expect(err.trimEnd()).not.toContain("\n");
  });
});
