/** The README and the pages of docs/: their links lead somewhere, and what they say of the tree is so. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PAGES = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const read = (path: string) => readFileSync(join(root, path), "utf8");
const readme = read("README.md");

/** Anchors as GitHub makes them of headings, and those that a page sets itself. */
function anchorsOf(page: string): string[] {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return [...headings, ...[...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!)];
}

describe("the pages", () => {
  it.each(PAGES)("%s links only to what is there", (path) => {
    for (const [, target] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [file, anchor] = target!.split("#");
      const linked = file === "" ? path : join(dirname(path), file!);
      expect(existsSync(join(root, linked)), `${path} links to ${target}`).toBe(true);
      if (anchor) expect(anchorsOf(read(linked)), `${path} links to ${target}`).toContain(anchor);
    }
  });

  it("that sources name are there", () => {
    const tracked = execFileSync("git", ["ls-files", "-z", "firmware", "host", "sim-board", "test", ".ci"], {
      cwd: root,
      encoding: "utf8",
    });
    for (const source of tracked.split("\0").filter((path) => path !== "" && existsSync(join(root, path)))) {
      for (const [page] of read(source).matchAll(/\bdocs\/[a-z-]+\.md\b/g)) {
        expect(existsSync(join(root, page)), `${source} names ${page}`).toBe(true);
      }
    }
  });
});

describe("the README", () => {
  it("has a line for every folder at the top, and no other", () => {
    const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0");
    const folders = new Set(
      tracked.filter((path) => path.includes("/") && !path.startsWith(".")).map((path) => path.split("/")[0]!),
    );
    const listed = [...readme.matchAll(/^\| \[`([^`/]+)\/`\]/gm)].map(([, name]) => name!);
    expect(new Set(listed)).toEqual(folders);
  });

  it("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it("names only files and folders of the tree in its commands", () => {
    for (const [, path] of readme.matchAll(/\b((?:test|firmware|host|sim-board|\.ci)\/[\w./-]+)/g)) {
      expect(existsSync(join(root, path!)), path).toBe(true);
    }
  });

  // That it shows what the demonstration prints is tested where that runs: host/demo/demo.test.ts.

  const commands = [...readme.matchAll(/^```sh test\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block!.trimEnd().split("\n"),
  );

  it("has examples that are run here", () => {
    expect(commands.length).toBeGreaterThan(3);
  });

  it.each(commands)("gives a command that works: %s", (command) => {
    const run = spawnSync(command, { cwd: root, shell: true, encoding: "utf8", timeout: 60_000 });
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout.length).toBeGreaterThan(0);
  });
});
