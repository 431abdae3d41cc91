/** Access to the public vectors and traces that live beside a checkout, in `../shared`, and are never part of it. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../shared/", import.meta.url);

/** True where the shared folder stands beside this checkout. `.ci/run` makes its absence a failure. */
export const sharedIsHere = existsSync(new URL("vectors/README.md", root));

if (!sharedIsHere) {
  process.stderr.write("../shared is not here: the tests that read its vectors and traces are skipped\n");
}

/** Absolute path of a file below `../shared`. */
export function sharedPath(path: string): string {
  return fileURLToPath(new URL(path, root));
}

export function sharedJson<T>(path: string): T {
  return JSON.parse(readFileSync(sharedPath(path), "utf8")) as T;
}
