/** Compiles AssemblyScript in memory, with the options of `asconfig.json`. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const root = fileURLToPath(new URL("../", import.meta.url));

export type Compiled = {
  bytes: Uint8Array<ArrayBuffer>;
  /** The same as text, with the names of functions and globals. */
  text: string;
};

export type CompileOptions = {
  target?: "governor" | "primitives";
  /** Where `asconfig.json` and the entry's path begin. Default: this project. */
  baseDir?: string;
  /** Reads a source by its path from there, null if there is none. Default: from the disk. */
  readFile?: (path: string) => string | null;
  /** More arguments for the compiler. */
  args?: readonly string[];
};

/** @throws Error with what the compiler says. */
export async function compile(entry: string, options: CompileOptions = {}): Promise<Compiled> {
  const { target = "primitives", baseDir = root, readFile, args = [] } = options;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let text: string | undefined;
  const files = ["--outFile", `build/${target}.wasm`, "--textFile", `build/${target}.wat`];
  const { error, stderr } = await main([entry, "--baseDir", baseDir, "--target", target, ...files, ...args], {
    ...(readFile && { readFile }),
    writeFile(_name: string, contents: string | Uint8Array) {
      if (typeof contents === "string") text = contents;
      else bytes = new Uint8Array(contents);
    },
  });
  if (error || bytes === undefined || text === undefined) {
    throw new Error(`${entry} does not compile:\n${stderr.toString()}`);
  }
  return { bytes, text };
}

/** One passage of a source, which it has once, and what stands there instead. */
export type Change = { path: string; passage: string | RegExp; instead: string };

/** Compiles with a source changed: what is broken has to be noticed. @throws Error if it is not there, or not once. */
export function compileChanged(entry: string, change: Change, options: CompileOptions = {}): Promise<Compiled> {
  const { path, passage, instead } = change;
  const source = readFileSync(`${root}${path}`, "utf8");
  const times = typeof passage === "string" ? source.split(passage).length - 1 : countOf(source, passage);
  if (times !== 1) throw new Error(`${path} does not have this once: ${passage}`);
  const readFile = (name: string) => {
    if (name === path) return source.replace(passage, instead);
    return existsSync(`${root}${name}`) ? readFileSync(`${root}${name}`, "utf8") : null;
  };
  return compile(entry, { ...options, readFile });
}

function countOf(source: string, passage: RegExp): number {
  return [...source.matchAll(new RegExp(passage, "g"))].length;
}

/** Names of all functions in the order of their indices, the imported ones first. */
export function functionNames(text: string): string[] {
  return [...text.matchAll(/^ \((?:import .*\()?func \$(\S+?)(?=[\s)])/gm)].map(([, name]) => name!);
}
