/** Spin and gcc, from outside: what is searched, and what a search said. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODEL = fileURLToPath(new URL("../../model/quiesce.pml", import.meta.url));
const DEPTH_MAX = 20_000;
const MEMORY_MIB_MAX = 4096;
/** Unoptimized: compiling would take longer than searching. */
const OPTIONS = ["-O0", "-w", "-DCOLLAPSE", "-DSAFETY", "-DNOREDUCE", `-DMEMLIM=${MEMORY_MIB_MAX}`];
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export type Search = {
  readonly name: string;
  /** Definitions of the model: bounds, and the guard that a mutant lacks. */
  readonly defines: readonly string[];
  /** The `ltl` formula; undefined: assertions alone. */
  readonly claim: string | undefined;
};

export type Found = {
  readonly name: string;
  readonly claim: string;
  readonly holds: boolean;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly memoryMib: number;
  readonly seconds: number;
};

/** The first of the tools that is not there. */
export function missingTool(): string | undefined {
  const there = (tool: string, option: string) => spawnSync(tool, [option], { stdio: "ignore" }).error === undefined;
  if (!there("spin", "-V")) return "spin";
  return there("gcc", "--version") ? undefined : "gcc";
}

/** Searches exhaustively: full states, collapsed; no hashing that could lose one. @throws Error if a tool fails. */
export function search({ name, defines, claim }: Search): Found {
  return inFolder((folder) => {
    run(folder, "spin", ["-a", ...asOptions(defines), MODEL]);
    run(folder, "gcc", [...OPTIONS, ...(claim ? [] : ["-DNOCLAIM"]), "-o", "pan", "pan.c"]);
    const said = run(folder, "./pan", [`-m${DEPTH_MAX}`, "-n", ...(claim ? ["-N", claim] : [])]);
    return { name, claim: claim ?? "assertions", ...readPan(said) };
  });
}

/** @throws Error if the search did not reach its end. */
export function readPan(said: string): Omit<Found, "name" | "claim"> {
  const figure = (pattern: RegExp) => Number(pattern.exec(said)?.[1]);
  const found = {
    holds: figure(/errors: (\d+)/) === 0,
    states: figure(/^\s*([\d.e+]+) states, stored/m),
    transitions: figure(/^\s*([\d.e+]+) transitions/m),
    depth: figure(/depth reached (\d+)/),
    memoryMib: figure(/([\d.]+)\s+total actual memory usage/),
    seconds: figure(/elapsed time ([\d.]+)/),
  };
  const cutShort = /max search depth too small|reached -DMEMLIM|out of memory|Interrupted/.test(said);
  if (cutShort || (found.holds && /Search not completed/.test(said)) || !Number.isFinite(found.states)) {
    throw new Error(`the search did not end: ${said.slice(0, 400)}`);
  }
  return { ...found, seconds: Number.isFinite(found.seconds) ? found.seconds : 0 };
}

/** One random walk through the model, as `spin` prints it. No gcc is needed but for its preprocessor. */
export function walk(seed: number, steps: number, defines: readonly string[]): string {
  return inFolder((folder) => run(folder, "spin", [`-n${seed}`, `-u${steps}`, ...asOptions(defines), MODEL]));
}

/** A run that breaks an assertion, as `spin` prints it; undefined if there is none. */
export function runTo(defines: readonly string[]): string | undefined {
  return inFolder((folder) => {
    run(folder, "spin", ["-a", ...asOptions(defines), MODEL]);
    run(folder, "gcc", [...OPTIONS, "-DNOCLAIM", "-o", "pan", "pan.c"]);
    if (readPan(run(folder, "./pan", [`-m${DEPTH_MAX}`, "-n"])).holds) return undefined;
    // Its exit status says that the assertion is broken.
    return spawnSync("spin", ["-k", join(folder, "quiesce.pml.trail"), ...asOptions(defines), MODEL], {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: OUTPUT_BYTES_MAX,
    }).stdout;
  });
}

const asOptions = (defines: readonly string[]) => defines.map((define) => `-D${define}`);

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-model-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(folder: string, tool: string, args: string[]): string {
  const options = { cwd: folder, encoding: "utf8", maxBuffer: OUTPUT_BYTES_MAX } as const;
  const { status, stdout, stderr, error } = spawnSync(tool, args, options);
  if (error || status !== 0) throw new Error(`${tool} failed: ${error?.message ?? `${stdout}${stderr}`.slice(0, 800)}`);
  return stdout;
}
