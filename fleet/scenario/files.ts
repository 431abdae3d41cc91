/** Where scenarios lie: those that come with Quiesce by their name, all others by their path. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { FILE_BYTES_MAX } from "./document.ts";
import { ScenarioError } from "./errors.ts";
import { nearestText } from "./nearest.ts";

const BUILT_IN = new URL("../scenarios/", import.meta.url);

/** Names of those that come with Quiesce, sorted. `folder` has their files. */
export function builtInScenarios(folder: URL = BUILT_IN): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();
}

/** The text of a scenario by its name, or of a file by its path. Throws a `ScenarioError`. */
export function scenarioText(nameOrPath: string, folder: URL = BUILT_IN): string {
  const isPath = /[/\\]|\.json$/.test(nameOrPath);
  const known = isPath ? [] : builtInScenarios(folder);
  if (!isPath && !known.includes(nameOrPath)) {
    throw new ScenarioError([
      `there is no scenario '${nameOrPath}' (a file needs its path)${nearestText(nameOrPath, known)}`,
    ]);
  }
  const place = isPath ? nameOrPath : new URL(`${nameOrPath}.json`, folder);
  try {
    // Before it is opened: a pipe would wait for somebody to write, and a device has no end.
    const found = statSync(place);
    if (!found.isFile()) {
      const what = found.isDirectory() ? "it is a folder" : "it is not a file";
      throw new ScenarioError([`${nameOrPath} cannot be read: ${what}`]);
    }
    if (found.size > FILE_BYTES_MAX)
      throw new ScenarioError([`${nameOrPath} has ${found.size} bytes, at most ${FILE_BYTES_MAX} are read`]);
    return decoded(readFileSync(place), nameOrPath);
  } catch (cause) {
    if (cause instanceof ScenarioError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code;
    throw new ScenarioError([`${nameOrPath} cannot be read: ${why}`], { cause });
  }
}

/** A byte order mark stays: it is no JSON, and is told as such. */
function decoded(bytes: Uint8Array, nameOrPath: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ScenarioError([`${nameOrPath} cannot be read: it is not UTF-8`], { cause });
  }
}
