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
    const { size } = statSync(place);
    if (size > FILE_BYTES_MAX)
      throw new ScenarioError([`${nameOrPath} has ${size} bytes, at most ${FILE_BYTES_MAX} are read`]);
    return readFileSync(place, "utf8");
  } catch (cause) {
    if (cause instanceof ScenarioError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : code;
    throw new ScenarioError([`${nameOrPath} cannot be read: ${why}`], { cause });
  }
}
