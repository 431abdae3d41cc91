/** Files of a mirror: there whole or not at all, with every folder on the way, whatever ends the process or the machine. */
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../make-folder.ts";

const FILE_MODE = 0o644;

/** On the disk when it resolves: the bytes, the name, and the folders that had to be made. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const made = makeFolder(folder);
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", FILE_MODE);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(folder);
  // A folder is there when the one above it says so.
  if (made !== undefined) {
    for (let above = dirname(folder); above.length >= dirname(made).length; above = dirname(above)) {
      await syncFolder(above);
      if (above === dirname(above)) break;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows syncs no folders.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Undefined where there is no such file, or one of more than `bytesMax`. */
export async function readIfThere(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  try {
    const status = await stat(path);
    if (!status.isFile() || status.size > bytesMax) return undefined;
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether it is there or not; a folder with all in it. */
export function remove(path: string): Promise<void> {
  return rm(path, { force: true, recursive: true });
}

/** Files below a folder, in the order of their names; none where there is no folder. */
export async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
