/** The campaigns are worth something only if they find what they look for: governors whose journal is broken. */
import { describe, expect, it } from "vitest";
import { type Cases, runCases } from "../../attack/campaign.ts";
import { byteCuts } from "../../attack/cuts.ts";
import { flashAttacks } from "../../attack/flash.ts";
import { GovernorImage } from "../../sim-board/governor-module.ts";
import { compileChanged } from "../compile.ts";

/** Compiled faster than what ships: what it decides is the same. */
const PLAIN = { target: "governor", args: ["--optimizeLevel", "1", "--shrinkLevel", "0"] } as const;

/** The governor with one passage of its source changed. */
async function broken(path: string, passage: RegExp, instead: string): Promise<GovernorImage> {
  const change = { path, passage, instead };
  return new GovernorImage((await compileChanged("firmware/governor.ts", change, PLAIN)).bytes);
}

/** What those of the cases find whose ids are such. */
function foundBy(cases: Cases, ids: RegExp, casesMax = 1000): string {
  const chosen = Array.from({ length: cases.count }, (_, index) => index).filter((index) =>
    ids.test(cases.idOf(index)),
  );
  const share: Cases = { ...cases, count: chosen.length, run: (index) => cases.run(chosen[index]!) };
  const { findings } = runCases("broken", share, { seed: String(process.env.QUIESCE_SEED), casesMax });
  return findings.map(({ what }) => what).join();
}

/** Every second operation. */
const BETWEEN_OPERATIONS = /^op\d*[02468]$/;

describe("power cuts find a governor that", () => {
  it("grants what it has not recorded", async () => {
    const image = await broken(
      "firmware/gate/credit.ts",
      /if \(!planGrants\(\)\) return overdue[^;]*;\s*const written = journalCommit\(\);/,
      "const written = journalCommit(); if (!planGrants()) return written;",
    );
    expect(foundBy(byteCuts(image), BETWEEN_OPERATIONS)).toContain("S5 is broken");
  });

  it("steps the counter before it has recorded", async () => {
    const image = await broken(
      "firmware/journal/journal.ts",
      /(if \(!writeRecord\(\)\) return ErrorCode\.JOURNAL_WRITE;)\s*counterStep\(\);/,
      "counterStep(); $1",
    );
    expect(foundBy(byteCuts(image), BETWEEN_OPERATIONS)).toContain("locked by JOURNAL_ROLLBACK");
  });

  it("takes a record for whole without its tag", async () => {
    const image = await broken("firmware/journal/record.ts", /equalBytes\(tag, recordIn \+ end[^)]*\) != 0 &&/, "");
    expect(foundBy(byteCuts(image), /\.(64|192)-front$/)).not.toBe("");
  });
});

describe("attacks on the flash find a governor that", () => {
  it("ignores the counter", async () => {
    const image = await broken(
      "firmware/journal/journal.ts",
      /if \(level == NO_SLOT\) return [^;]*;\s*if \(!recordIsAuthentic\(counter\)\)[^;]*;/,
      `let newest = level;
       for (let back = counter; newest == NO_SLOT && back > 0; back--) newest = findRecord(back);
       if (newest == NO_SLOT) return ErrorCode.JOURNAL_MISSING;`,
    );
    expect(foundBy(flashAttacks(image), /^old/, 40)).not.toBe("");
  });
});
