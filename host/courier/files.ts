/** Files that are there whole or not at all, and read without following links, for sticks and for what a site keeps. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { CourierError, type CourierErrorCode } from "./errors.ts";

/** What is being written ends so, until it is whole. */
export const UNFINISHED = ".new";

type Io = Extract<CourierErrorCode, "stick/io" | "kept/io">;

/** Gives what `act` gives; what the system refuses becomes a `CourierError` with this code. */
export function withIo<T>(code: Io, path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof CourierError) throw cause;
    const { code: reason } = cause as NodeJS.ErrnoException;
    if (reason === undefined) throw cause;
    throw new CourierError(code, `${path} (${reason})`, { cause });
  }
}

/** On the disk under a temporary name; without `mode` for its owner alone. */
export function writeUnfinished(path: string, bytes: Uint8Array, mode = 0o600): void {
  makeFolder(dirname(path));
  const file = openSync(
    `${path}${UNFINISHED}`,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
    mode,
  );
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function finish(path: string): void {
  renameSync(`${path}${UNFINISHED}`, path);
}

/** On the disk, with its name, when it returns. */
export function writeWhole(path: string, bytes: Uint8Array, mode?: number): void {
  writeUnfinished(path, bytes, mode);
  finish(path);
  syncFolder(dirname(path));
}

/** Windows syncs no folders. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The bytes of a regular file, `bytesMax` and one more at most; undefined where there is none. */
export function readBounded(path: string, bytesMax: number): Uint8Array | undefined {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(file);
    const bytes = new Uint8Array(Math.min(size, bytesMax + 1));
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(file, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return bytes.slice(0, length);
  } finally {
    closeSync(file);
  }
}

/** Everything below a folder that is no folder itself, with `/` between names; links are not followed. */
export function listFiles(folder: string, depthMax: number, countMax: number): string[] {
  const found: string[] = [];
  const walk = (prefix: string, depth: number): void => {
    for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`;
      if (found.length >= countMax) throw new CourierError("stick/too-much", `over ${countMax} files`);
      if (entry.isDirectory() && depth < depthMax) walk(`${path}/`, depth + 1);
      else found.push(path);
    }
  };
  walk("", 1);
  return found.sort();
}

export function remove(path: string): void {
  rmSync(path, { force: true, recursive: true });
}
