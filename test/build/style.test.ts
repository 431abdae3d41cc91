/** House rules that no linter knows. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const LINES_MAX = 400;
/** A test file is a list of promises about one thing: it may be as long as the list. */
const TEST_LINES_MAX = 600;
/** Files that may be longer, each with its reason. */
const LONGER = new Map([
  ["sim-board/board.ts", "one class: its event loop and the calls of a host share private state"],
]);

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\0")
  .filter((path) => /^(?:firmware|host|sim-board|attack|test)\/.*\.(?:ts|mjs)$|^\.ci\//.test(path));

/** Reads at once, and leaves out what was deleted but is still in the index. */
const sources = files.flatMap((path) => {
  try {
    return [{ path, text: readFileSync(`${root}${path}`, "utf8") }];
  } catch {
    return [];
  }
});
const firmware = sources.filter(({ path }) => path.startsWith("firmware/"));
const where = (found: { path: string }[]) => found.map(({ path }) => path);

describe("the sources", () => {
  it("are there", () => {
    expect(sources.length).toBeGreaterThan(100);
  });

  it(`have at most ${LINES_MAX} lines a file, tests ${TEST_LINES_MAX}, but for those with a reason`, () => {
    const long = sources.filter(({ path, text }) => {
      const most = path.endsWith(".test.ts") ? TEST_LINES_MAX : LINES_MAX;
      return text.split("\n").length > most + 1 && !LONGER.has(path);
    });
    expect(where(long)).toEqual([]);
  });

  it("leave nothing for later", () => {
    const marks = new RegExp(`\\b(?:${["TO", "DO"].join("")}|${["FIX", "ME"].join("")}|${["XX", "X"].join("")})\\b`);
    expect(where(sources.filter(({ text }) => marks.test(text)))).toEqual([]);
  });

  it("say at the head of each file what it is", () => {
    const headless = sources.filter(
      ({ path, text }) => path.endsWith(".ts") && !/^(?:\/\*\*|#!|\/\/ biome-ignore-all [^\n]*\n\/\*\*)/.test(text),
    );
    expect(where(headless.filter(({ path }) => !path.startsWith("test/")))).toEqual([]);
  });
});

describe("the firmware's sources", () => {
  it("import nothing from outside the firmware", () => {
    const strays = firmware.filter(({ text }) =>
      [...text.matchAll(/^(?:import|export)\b[^;]*? from "([^"]+)"/gm)].some(([, from]) => !from!.startsWith(".")),
    );
    expect(where(strays)).toEqual([]);
    const upward = firmware.filter(({ path, text }) => {
      const depth = path.split("/").length - 2;
      const up = "../".repeat(depth + 1);
      return text.includes(`from "${up}`);
    });
    expect(where(upward)).toEqual([]);
  });

  it("decorate classes only, never functions or variables", () => {
    const decorated = firmware.filter(({ text }) =>
      /^\s*@(?!unmanaged|final)\w+|^@\w+(?:\([^)]*\))?\s*\n\s*(?:export\s+)?(?:function|const|let)\b/m.test(text),
    );
    expect(where(decorated)).toEqual([]);
  });

  it("use no unchecked access, no floating point and no strings", () => {
    const loose = firmware.filter(({ text }) => /\bunchecked\(|\bf(?:32|64)\b|: string\b/.test(text));
    expect(where(loose.filter(({ path }) => path !== "firmware/panic.ts"))).toEqual([]);
  });
});

describe("what imports what", () => {
  const imports = (text: string) => [...text.matchAll(/from "([^"]+)"/g)].map(([, from]) => from!);

  it("the host meets boards in the demo and the CLI only", () => {
    const strays = sources.filter(
      ({ path, text }) =>
        path.startsWith("host/") &&
        !/^host\/(?:cli|demo)\//.test(path) &&
        imports(text).some((from) => from.includes("sim-board/")),
    );
    expect(where(strays)).toEqual([]);
  });

  it("host and board read the firmware's protocol tables and no other source of it", () => {
    const strays = sources.filter(
      ({ path, text }) =>
        /^(?:host|sim-board)\//.test(path) &&
        imports(text).some((from) => from.includes("firmware/") && !from.includes("firmware/protocol/")),
    );
    expect(where(strays)).toEqual([]);
  });

  it("CBOR is read and written by way of the strict check only", () => {
    const users = sources.filter(
      ({ path, text }) => path.startsWith("host/") && imports(text).some((from) => /^cbor-x\b/.test(from)),
    );
    expect(where(users)).toEqual(["host/protocol/cbor.ts"]);
  });
});
