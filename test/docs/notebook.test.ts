/** The notebook of docs/ prints what it says it prints: `npx tsx test/docs/notebook.ts` writes it anew. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { NOTEBOOK, rerun } from "./notebook.ts";

describe("the notebook", () => {
  it("shows what its commands and its cells print", async () => {
    const page = readFileSync(NOTEBOOK, "utf8");
    expect(await rerun(page)).toBe(page);
    // Three commands of fleets and an estimate, two cells of JavaScript: none was left out by the form of its block.
    expect([page.match(/^\$ quiesce/gm)?.length, page.match(/^```text$/gm)?.length]).toEqual([4, 2]);
  });

  it("fails where a cell fails", async () => {
    await expect(rerun("```js\nthrow new RangeError('far');\n```\n")).rejects.toThrow("RangeError: far");
    await expect(rerun("```console\n$ quiesce fleet run none.json\n```\n")).rejects.toThrow("ended with 2");
  });
});
