/** Folders are made with all that they lie in, or refused at once. */
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeFolder } from "../../host/make-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-folders-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (...names: string[]) => join(folder, ...names);

describe("a folder", () => {
  it("is made with those that it lies in, and says which was the uppermost", () => {
    expect(makeFolder(path("a", "b", "c"), 0o700)).toBe(path("a"));
    for (const made of [path("a"), path("a", "b"), path("a", "b", "c")]) {
      expect(statSync(made).mode & 0o777).toBe(process.platform === "win32" ? 0o666 : 0o700);
    }
    expect(makeFolder(path("a", "d"))).toBe(path("a", "d"));
  });

  it("may be there, or a link to one", () => {
    symlinkSync(folder, path("link"));
    expect([makeFolder(folder), makeFolder(path("link")), makeFolder(".")]).toEqual([undefined, undefined, undefined]);
  });

  it("is no file, and lies in none", () => {
    writeFileSync(path("file"), "");
    expect(() => makeFolder(path("file"))).toThrow("EEXIST");
    expect(() => makeFolder(path("file", "x", "y"))).toThrow("ENOTDIR");
  });

  it.skipIf(process.platform !== "linux")("is refused at once where the system has none to give", () => {
    expect(() => makeFolder("/proc/quiesce")).toThrow("ENOENT");
    expect(() => makeFolder("/proc/quiesce/x")).toThrow("ENOENT");
  });
});
