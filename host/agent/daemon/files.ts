/** Files that are there whole or not at all, whatever ends the process or the machine. */
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../../make-folder.ts";

const MODE = 0o600;
const FOLDER_MODE = 0o700;

/** What the agent needs of a disk: the machine's, or a simulated one. */
export interface Files {
  /** With those above it, unless it is there. */
  makeFolder(path: string): Promise<void>;
  /** Names of what is in a folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Undefined where there is no such file, or one that is too long to be it. */
  readIfThere(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
  /** On the disk when it resolves: the file's bytes, and its name in the folder. */
  writeDurably(path: string, bytes: Uint8Array): Promise<void>;
  /** Whole or not at all where only the process ends: for what can be had again. */
  writeWhole(path: string, bytes: Uint8Array): Promise<void>;
  /** Whether it is there or not. */
  remove(path: string): Promise<void>;
}

export const MACHINE_FILES: Files = {
  async makeFolder(path) {
    makeFolder(path, FOLDER_MODE);
  },
  list: (folder) => readdir(folder),
  readIfThere,
  writeDurably,
  writeWhole,
  remove: (path) => rm(path, { force: true }),
};

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await replace(path, bytes, true);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  return replace(path, bytes, false);
}

async function readIfThere(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  try {
    if ((await stat(path)).size > bytesMax) return undefined;
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function replace(path: string, bytes: Uint8Array, durably: boolean): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", MODE);
  try {
    await file.writeFile(bytes);
    if (durably) await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
