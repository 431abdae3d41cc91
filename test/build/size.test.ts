/** `npm run size`: every byte is somebody's, and what it says of the limits and of main is so. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Build, buildHere, buildOf, findMain } from "../size/build.ts";
import { sizeCommand } from "../size/command.ts";
import { IMAGE_BYTES_MAX, KIB, PAGE_BYTES, PAGES_MAX } from "../size/limits.ts";
import { freeBytes, sourceAndName } from "../size/memory-map.ts";
import { type Against, changes, limitsOf } from "../size/report.ts";
import { type Sizes, sizesOf } from "../size/sizes.ts";
import { kept } from "../streams.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const HEAD_BYTES = 8;
const sum = (sized: readonly { bytes: number }[]) => sized.reduce((total, { bytes }) => total + bytes, 0);

let build: Build;
let sizes: Sizes;
beforeAll(async () => {
  build = await buildHere();
  sizes = sizesOf(build);
});

describe("the sizes of the governor", () => {
  it("add up: sections to the module, functions to the code, sources to functions and constants", () => {
    expect(HEAD_BYTES + sum(sizes.sections)).toBe(sizes.bytes);
    const section = (name: string) => sizes.sections.find((one) => one.name === name)!.bytes;
    // A section's own head, and the count of its entries.
    expect(section("code") - sum(sizes.functions)).toBeLessThanOrEqual(8);
    expect(section("code")).toBeGreaterThan(sum(sizes.functions));
    expect(sizes.sources.reduce((total, { code }) => total + code, 0)).toBe(sum(sizes.functions));
    expect(sizes.sources.reduce((total, { data }) => total + data, 0)).toBeLessThan(section("data"));
  });

  it("give each function the name it has", () => {
    const module = binaryen.readBinary(build.shipped.bytes);
    const exported = Array.from({ length: module.getNumExports() }, (_, i) =>
      binaryen.getExportInfo(module.getExportByIndex(i)),
    );
    module.dispose();
    expect(exported.length).toBeGreaterThan(5);
    for (const { name, value } of exported) {
      const [, own] = sourceAndName(sizes.functions[Number(value)]!.name);
      expect(own).toBe(name === "_initialize" ? "~start" : name);
    }
  });

  it("say what every byte of memory is for, no byte twice", () => {
    const { regions } = sizes;
    for (const [i, { address, bytes }] of regions.entries()) {
      expect(address + bytes).toBeLessThanOrEqual(regions[i + 1]?.address ?? PAGES_MAX * PAGE_BYTES);
    }
    expect(sum(regions) + freeBytes(regions)).toBe(PAGES_MAX * PAGE_BYTES);
    expect(sum(sizes.stateParts)).toBe(sizes.places.stateBytes);
    const place = (kind: string) => regions.filter((region) => region.kind === kind).map(({ address }) => address);
    expect(place("State")).toEqual([sizes.places.state]);
    expect(place("mailbox")).toEqual([sizes.places.mailbox]);
    expect(regions.find(({ source, name }) => source === "firmware/crypto/sha512" && name === "K")).toMatchObject({
      kind: "ROM",
      bytes: 640,
    });
  });

  it("keep within the limits", () => {
    expect(limitsOf(sizes).filter(({ holds }) => !holds)).toEqual([]);
  });
});

describe("a commit's firmware", () => {
  it("builds from git alone to what the commit says its hash is", async () => {
    const show = (path: string) => execFileSync("git", ["show", `HEAD:${path}`], { cwd: root, encoding: "utf8" });
    const { shipped } = await buildOf("HEAD");
    const digest = createHash("sha256").update(shipped.bytes).digest("hex");
    expect(show("firmware/governor.sha256")).toContain(digest);
  });

  it("is looked for on main, and it is said why where there is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "quiesce-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    expect(findMain(folder)).toEqual({ why: "this is no git repository" });
    const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "ignore" });
    git("init", "--initial-branch", "other");
    expect(findMain(folder)).toEqual({ why: "this clone has no branch main" });
    const author = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    git(...author, "commit", "--allow-empty", "-m", "first");
    git("branch", "main");
    expect(findMain(folder)).toEqual({ commit: expect.stringMatching(/^[0-9a-f]{7,}$/) });
  });
});

describe("a difference", () => {
  it("is a function that is larger, smaller, new or gone; the largest comes first", () => {
    const before = [
      { name: "same", bytes: 5 },
      { name: "grew", bytes: 5 },
      { name: "gone", bytes: 7 },
    ];
    const now = [
      { name: "same", bytes: 5 },
      { name: "grew", bytes: 6 },
      { name: "new", bytes: 3 },
    ];
    expect(changes(now, before)).toEqual([
      { name: "gone", bytes: 0, before: 7 },
      { name: "new", bytes: 3, before: 0 },
      { name: "grew", bytes: 6, before: 5 },
    ]);
  });
});

describe("npm run size", () => {
  const none: Against = { why: "there is no git here" };
  const run = (args: string[], { here = sizes, base = none }: { here?: Sizes; base?: Against } = {}) =>
    kept((streams) => sizeCommand(args, streams, { here: async () => here, base: async () => base }));
  const [slim, wide] = ["firmware/mailbox/perform", "firmware/mailbox/info"];
  const other = (): Sizes => ({
    ...sizes,
    bytes: sizes.bytes - 10,
    functions: sizes.functions.map((one) => (one.name === slim ? { ...one, bytes: one.bytes - 10 } : one)),
  });

  it("shows people the limits, the largest parts and the memory, and says why there is nothing to compare with", async () => {
    const { exit, out } = await run([]);
    expect(exit).toBe(0);
    for (const shown of ["State block, bytes", "firmware/crypto/field25519", "State: ledger", none.why, "--all"]) {
      expect(out).toContain(shown);
    }
    expect(out).not.toContain(wide);
  });

  it("shows every function and region where all are asked for", async () => {
    const { out } = await run(["--all"]);
    for (const { name } of [...sizes.functions, ...sizes.regions]) expect(out).toContain(name);
  });

  it("shows what differs from main", async () => {
    const base = { commit: "abc1234", sizes: other() };
    const { out } = await run([], { base });
    expect(out).toMatch(/against main \(abc1234\): \+10 bytes, 1 functions of another size/);
    expect(out).toMatch(/firmware\/mailbox\/perform .* \+10\n/);
    expect((await run([], { base: { commit: "abc1234", sizes } })).out).toContain("no difference");
  });

  it("gives programs one document", async () => {
    const { exit, out } = await run(["--json"], { base: { commit: "abc1234", sizes: other() } });
    expect(exit).toBe(0);
    const document = JSON.parse(out) as { module: { bytes: number }; main: { functions: unknown[] } };
    expect(Object.keys(document)).toEqual(["limits", "module", "memory", "main"]);
    expect(document.module.bytes).toBe(sizes.bytes);
    expect(document.main.functions).toHaveLength(1);
  });

  it("fails where a limit is broken, and names it", async () => {
    const { exit, out, err } = await run([], { here: { ...sizes, bytes: IMAGE_BYTES_MAX + 1 } });
    expect(exit).toBe(1);
    expect(out).toContain("BROKEN");
    expect(err).toBe(`module, bytes: ${48 * KIB + 1}, but at most ${48 * KIB} are allowed\n`);
  });

  it("says how it is used", async () => {
    const { exit, out } = await run(["--help"]);
    expect(exit).toBe(0);
    expect(out).toContain("$ npm run size");
  });

  it.each([["--small"], ["governor"]])("refuses %s in one line", async (argument) => {
    const { exit, out, err } = await run([argument]);
    expect(exit).toBe(2);
    expect(out).toBe("");
    expect(err.trimEnd()).not.toContain("\n");
  });
});
