/** Makes folders. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those that it lies in, where they are not there yet; gives the uppermost that was made. `mkdir` with
 * `recursive` never ends where a folder that is there takes no new one and says ENOENT, as /proc does: it makes the parent
 * again and again. Throws what the system says.
 */
export function makeFolder(path: string, mode?: number): string | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const folders = [path];
  for (let above = dirname(path); !statSync(above, { throwIfNoEntry: false }); above = dirname(above)) {
    // A root, or a working folder that is gone.
    if (above === folders.at(-1)) break;
    folders.push(above);
  }
  return folders.reverse().filter((folder) => isMade(folder, mode))[0];
}

/** Whether it was not there before. */
function isMade(folder: string, mode: number | undefined): boolean {
  try {
    mkdirSync(folder, { mode });
    return true;
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST" && statSync(folder).isDirectory();
    if (!isThere) throw error;
    return false;
  }
}
