import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FlashShape } from "../../firmware/protocol/board.ts";
import { splice } from "../../host/docs/markdown.ts";
import { pages } from "../../host/docs/pages.ts";
import { enumEntries, errorCodes, gateStates, transitions } from "../../host/docs/tables.ts";
import { WEAR_PARTS } from "../../host/docs/wear-curve.ts";
import { Board } from "../../sim-board/board.ts";
import { COUNTER_PART } from "../../sim-board/parts/counter.ts";
import { FLASH_PART } from "../../sim-board/parts/flash.ts";
import { governorImage } from "../rig.ts";

const root = new URL("../../", import.meta.url);
const made = pages(root);
const textOf = (path: string) => made.find((page) => page.path === path)!.text;

describe("the generated pages", () => {
  it.each(made.map(({ path }) => path))("%s is what the sources make of it: else run `npm run docs`", (path) => {
    expect(readFileSync(new URL(path, root), "utf8")).toBe(textOf(path));
  });

  it("name every refusal with its code", () => {
    const page = textOf("docs/errors.md");
    const refusals = errorCodes().filter(({ value }) => value !== 0);
    expect(refusals.length).toBeGreaterThan(80);
    for (const { name, value } of refusals) {
      expect(page).toContain(`| \`0x${value.toString(16).padStart(4, "0")}\` | \`${name}\` |`);
    }
  });

  it("show every state and every transition", () => {
    const page = textOf("docs/states.md");
    for (const { name, comment } of gateStates()) {
      expect(comment.length, name).toBeGreaterThan(10);
      expect(page).toContain(comment);
    }
    const rows = page.split("## Transitions")[1]!.match(/^\| `/gm);
    expect(rows?.length).toBe(transitions().length);
  });
});

describe("the figures of the journal's page", () => {
  const page = textOf("docs/journal.md");

  it("stand on the parts of the simulated board", () => {
    expect(WEAR_PARTS.counterLifeSteps).toBe(COUNTER_PART.lifeSteps);
    expect(WEAR_PARTS.sectorErases).toBe(FLASH_PART.enduranceErases);
    expect(WEAR_PARTS.flashSectors).toBe(new Board({ image: governorImage(), seed: 1 }).flash.sectors);
  });

  it("are what the parts give", () => {
    const journalSectors = WEAR_PARTS.flashSectors - FlashShape.JOURNAL_SECTOR;
    const fills = Math.ceil(WEAR_PARTS.counterLifeSteps / FlashShape.RECORDS_PER_SECTOR);
    const each = Math.round(fills / journalSectors);
    for (const figure of [
      `${WEAR_PARTS.counterLifeSteps.toLocaleString("en-US")} steps`,
      `${journalSectors} of journal, ${journalSectors * FlashShape.RECORDS_PER_SECTOR} records`,
      `${fills.toLocaleString("en-US")} sectors`,
      `${each.toLocaleString("en-US")} erases of each of ${journalSectors}`,
      `${Math.round((100 * each) / WEAR_PARTS.sectorErases)} % of what they are`,
      "4.0 years at one a minute",
    ]) {
      expect(page).toContain(figure);
    }
    expect(WEAR_PARTS.counterLifeSteps / (60 * 24 * 365.25)).toBeCloseTo(4, 1);
    expect(Math.ceil(fills / WEAR_PARTS.sectorErases)).toBe(7);
    expect(page).toContain("From seven journal sectors on");
  });

  it("reach four years of counter life at a slice of two minutes", () => {
    expect(page).toMatch(/^\| 120 s \| 1,440 \| 4\.0 years \|/m);
  });
});

describe("the generator", () => {
  it("refuses a page whose marks are missing or doubled", () => {
    expect(() => splice("no marks", "curve", "x")).toThrow("marks");
    const marked = "<!-- curve: made by `npm run docs` -->\n<!-- :curve -->";
    expect(splice(marked, "curve", "x\n")).toContain("\nx\n");
    expect(splice(splice(marked, "curve", "x\n"), "curve", "y\n")).toBe(splice(marked, "curve", "y\n"));
    expect(() => splice(`${marked}${marked}`, "curve", "x")).toThrow("marks");
  });

  it("says which table it does not find", () => {
    expect(() => enumEntries("states.ts", "NoSuchEnum")).toThrow("firmware/protocol/states.ts has no enum NoSuchEnum");
  });
});
