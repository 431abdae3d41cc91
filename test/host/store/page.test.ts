/** docs/store.md says what the sources say. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contentChecks } from "../../../host/service/checks/content.ts";
import { TABLE_NAMES } from "../../../host/store/columns.ts";
import { STORE_ERRORS } from "../../../host/store/errors.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";

const page = readFileSync(new URL("../../../docs/store.md", import.meta.url), "utf8");
const section = (title: string) => page.split(/^## /m).find((text) => text.startsWith(title))!;
const firstCells = (text: string) =>
  [...text.matchAll(/^\| (`[^|]+`)[^|]* \|/gm)].flatMap(([, cell]) => cell!.match(/[\w/-]+/g)!);

describe("the page of the store", () => {
  it("lists each code with its class and meaning", () => {
    const rows = [...page.matchAll(/^\| `(store\/[\w-]+)` \| (\w+) \| (.+) \|$/gm)].map(([, ...cells]) => cells);
    expect(rows).toEqual(
      Object.entries(STORE_ERRORS).map(([code, [errorClass, phrase]]) => [code, errorClass, phrase]),
    );
  });

  it("lists each table and each check", () => {
    const named = section("Tables").match(/`\w+`/g)!;
    expect(TABLE_NAMES.filter((name) => !named.includes(`\`${name}\``))).toEqual([]);
    expect(firstCells(section("Checks"))).toEqual(STRUCTURAL_CHECKS.map(({ name }) => name));
    expect(firstCells(section("What the rows say"))).toEqual(contentChecks().map(({ name }) => name));
  });
});
