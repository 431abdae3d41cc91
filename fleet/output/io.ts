/** Folders that are written to, and what the system refuses of them as one coded line. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { OutputError } from "./errors.ts";

export function withIo<T>(folder: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof OutputError || code === undefined) throw cause;
    throw new OutputError("output/io", `${folder} (${code})`, { cause });
  }
}

/**
 * Makes a folder and those that it lies in, where they are not there yet. `mkdirSync` with `recursive` never ends where a
 * folder that is there takes no new one and says ENOENT, as /proc does: it makes the parent again and again.
 */
export function makeFolder(path: string): void {
  const folders = [path];
  for (let above = dirname(path); !statSync(above, { throwIfNoEntry: false }); above = dirname(above)) {
    if (above === folders.at(-1)) break;
    folders.push(above);
  }
  for (const folder of folders.reverse()) {
    try {
      mkdirSync(folder);
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code === "EEXIST" && statSync(folder).isDirectory();
      if (!isThere) throw error;
    }
  }
}
