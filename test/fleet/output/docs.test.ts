/** docs/fleet.md says of the folder what is in it. */
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { resultsCsv, summaryCsv } from "../../../fleet/output/csv.ts";
import { OUTPUT_ERRORS } from "../../../fleet/output/errors.ts";
import { MANIFEST, RESULT_FILES } from "../../../fleet/output/manifest.ts";
import { METRICS, resultOf } from "./results.ts";

const page = readFileSync(new URL("../../../docs/fleet.md", import.meta.url), "utf8");
const [, section] = page.split("## What a run leaves behind\n");
const rows = (text: string) =>
  [...text.matchAll(/^\| (`[^|]*?) \| ([^|]*?) \|/gm)].map(([, name, what]) => [name!, what!]);

describe("the page on fleets", () => {
  it("has every file of a folder, every column of its tables, and every code", () => {
    const first = rows(section!).map(([name]) => name!);
    for (const file of [...RESULT_FILES, MANIFEST]) expect(first).toContain(`\`${file}\``);
    const names = first.flatMap((name) => [...name.matchAll(/`([^`]+)`/g)].map(([, one]) => one!));
    for (const table of [resultsCsv(resultOf({}), METRICS), summaryCsv(resultOf({}), METRICS)]) {
      const [head] = parse(table, { to: 1 }) as string[][];
      for (const column of head!) expect(names).toContain(column);
    }
  });

  it("has a line for each code, and no other", () => {
    const phrases = Object.fromEntries(rows(section!).map(([name, what]) => [name!.replaceAll("`", ""), what!]));
    for (const code of Object.keys(OUTPUT_ERRORS)) expect(phrases, code).toHaveProperty([code]);
    expect(Object.keys(phrases).filter((name) => name.startsWith("output/"))).toEqual(Object.keys(OUTPUT_ERRORS));
  });
});
