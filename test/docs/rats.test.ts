/** docs/rats.md: its two tables are those of the code. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { REFUSALS, STEPS, stepsOf } from "../../host/rats/appraisal-claims.ts";

const page = readFileSync(new URL("../../docs/rats.md", import.meta.url), "utf8");

/** The rows of the table under a heading, without its head. */
function rowsOf(heading: string): string[][] {
  const section = page.split(`### ${heading}\n`)[1]!.split("\n#")[0]!;
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  return lines.slice(1).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("docs/rats.md", () => {
  it("lists the steps with their numbers and claims", () => {
    const steps = Object.entries(STEPS).map(([name, [number, claim]]) => {
      const purposes = (["license", "recovery"] as const).filter((purpose) => stepsOf(purpose).includes(name));
      return [`${number}`, name, purposes.join(", "), claim];
    });
    expect(rowsOf("Steps")).toEqual(steps);
  });

  it("lists the refusals with what each says of which claim, and why", () => {
    const refusals = Object.entries(REFUSALS).map(([code, [step, said]]) => {
      const [first] = said;
      const claims =
        said.length === 4 ? [`all four: ${first![1]}`] : said.map(([claim, value]) => `${claim}: ${value}`);
      return [`\`${code}\``, `${STEPS[step]![0]}`, claims.join(", ") || "none"];
    });
    const rows = rowsOf("Refusals");
    expect(rows.map((row) => row.slice(0, 3))).toEqual(refusals);
    expect(rows.every(([, , , why]) => why !== "")).toBe(true);
  });
});
