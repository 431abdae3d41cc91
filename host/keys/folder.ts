/**
 * The folder that holds key files: only its owner may look in, files appear whole or not at all and survive a power cut,
 * and one process at a time changes them.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { KeyError } from "./errors.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const LOCK = ".lock";
/** Windows knows neither modes nor links of this kind, and syncs no folders. */
const isPosix = process.platform !== "win32";

export class KeyFolder {
  readonly path: string;

  /** Throws `KeyError` (`keys/folder`, `keys/permissions`). */
  constructor(path: string) {
    this.path = path;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats?.isDirectory()) throw new KeyError("keys/folder", path);
    checkMode(stats, path);
  }

  /** Makes the folder if it is not there. */
  static make(path: string): KeyFolder {
    attempt(path, () => makeFolder(path, FOLDER_MODE));
    return new KeyFolder(path);
  }

  /** Names that match, in order. */
  names(pattern: RegExp): string[] {
    return attempt(this.path, () => readdirSync(this.path))
      .filter((name) => pattern.test(name))
      .sort();
  }

  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  /** Throws `KeyError` (`keys/symlink`, `keys/permissions`, `keys/too-long`, `keys/io`). */
  read(name: string, bytesMax: number): Uint8Array {
    const path = join(this.path, name);
    const stats = attempt(path, () => lstatSync(path));
    if (!stats.isFile()) throw new KeyError("keys/symlink", path);
    const descriptor = attempt(path, () => openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)));
    try {
      const opened = fstatSync(descriptor);
      checkMode(opened, path);
      if (opened.size > bytesMax) throw new KeyError("keys/too-long", path);
      const buffer = new Uint8Array(bytesMax);
      return buffer.slice(0, readSync(descriptor, buffer, 0, bytesMax, 0));
    } finally {
      closeSync(descriptor);
    }
  }

  /** A file that was not there. Only within `change`. Throws `KeyError` (`keys/exists`). */
  create(name: string, bytes: Uint8Array): void {
    if (this.has(name)) throw new KeyError("keys/exists", join(this.path, name));
    this.replace(name, bytes);
  }

  /** The whole file or what was there before, at any power cut. Only within `change`. */
  replace(name: string, bytes: Uint8Array): void {
    const path = join(this.path, name);
    const temporary = join(this.path, `.new-${randomBytes(8).toString("hex")}`);
    attempt(path, () => {
      try {
        writeWhole(temporary, bytes);
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
      this.#sync();
    });
  }

  /**
   * Runs `work` while no other process changes the folder. The lock of a process that died stays: who held it is said,
   * and a person decides. Throws `KeyError` (`keys/locked`).
   */
  async change<T>(work: () => Promise<T>): Promise<T> {
    const path = join(this.path, LOCK);
    try {
      writeWhole(path, Buffer.from(`${process.pid}\n`));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw new KeyError("keys/io", path, { cause });
      throw new KeyError("keys/locked", holderText(path), { cause });
    }
    try {
      return await work();
    } finally {
      rmSync(path, { force: true });
    }
  }

  #sync(): void {
    if (!isPosix) return;
    const descriptor = openSync(this.path, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, "wx", FILE_MODE);
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function checkMode(stats: Stats, path: string): void {
  if (isPosix && (stats.mode & 0o077) !== 0) throw new KeyError("keys/permissions", path);
}

function holderText(path: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(path, "latin1"), 10)}; if it is gone, delete ${path}`;
  } catch {
    return "it has just finished: try again";
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof KeyError) throw cause;
    throw new KeyError("keys/io", `${path}: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`, { cause });
  }
}
