/** A build of the governor: the module that ships, and the same sources unoptimized, which still name their memory. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Compiled, compile } from "../compile.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = "firmware/governor.ts";
const UNOPTIMIZED = ["--optimizeLevel", "0", "--shrinkLevel", "0"];

export type Build = { shipped: Compiled; named: Compiled };

/** The build in `build/`. */
export async function buildHere(): Promise<Build> {
  const bytes = new Uint8Array(readFileSync(`${root}build/governor.wasm`));
  const text = readFileSync(`${root}build/governor.wat`, "utf8");
  return { shipped: { bytes, text }, named: await compile(ENTRY, { target: "governor", args: UNOPTIMIZED }) };
}

/** The commit to compare with, or why there is none. */
export type Base = { commit: string } | { why: string };

/** The last commit on `main`: here, or where the clone comes from. */
export function findMain(cwd: string = root): Base {
  for (const branch of ["main", "origin/main"]) {
    try {
      return { commit: git(cwd, "rev-parse", "--short", "--verify", "--quiet", `${branch}^{commit}`).trim() };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return { why: "there is no git here" };
    }
  }
  try {
    git(cwd, "rev-parse", "--git-dir");
    return { why: "this clone has no branch main" };
  } catch {
    return { why: "this is no git repository" };
  }
}

/** The firmware of a commit, compiled by today's compiler. */
export async function buildOf(commit: string): Promise<Build> {
  const sources = new Map<string, string | null>();
  const readFile = (path: string) => {
    if (!sources.has(path)) sources.set(path, show(commit, path));
    return sources.get(path)!;
  };
  const shipped = await compile(ENTRY, { target: "governor", readFile });
  return { shipped, named: await compile(ENTRY, { target: "governor", readFile, args: UNOPTIMIZED }) };
}

function show(commit: string, path: string): string | null {
  try {
    return git(root, "show", `${commit}:${path}`);
  } catch {
    return null;
  }
}

function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
