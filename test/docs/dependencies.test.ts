import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

const manifest = JSON.parse(read("package.json")) as Record<"dependencies" | "devDependencies", Record<string, string>>;
const [, runTime, development] = read("docs/dependencies.md").split(/^## .*$/m);
const listed = (section: string) => [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);

describe("the page of dependencies", () => {
  it("gives a reason for each package that runs, and names no other", () => {
    expect(listed(runTime!)).toEqual(Object.keys(manifest.dependencies).sort());
  });

  it("does so for each package of the developers", () => {
    expect(listed(development!)).toEqual(Object.keys(manifest.devDependencies).sort());
  });
});
