/**
 * One process has the folder. The lock is the exclusive lock that SQLite takes on a file of its own, `lock`: the kernel
 * drops it with the process, however that ends, so that nothing stale is ever left. The database itself cannot carry it,
 * since a database that is locked so has no other readers. Never open `lock` in any other way: POSIX drops all locks of
 * a process on a file as soon as that process closes one descriptor of it (fcntl, IEEE 1003.1).
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import Database from "libsql";
import { StoreError } from "../errors.ts";
import { sqliteError } from "./errors.ts";

const FOLDER_MODE = 0o700;

export class FolderLock {
  readonly #database: Database.Database;

  /** Makes the folder if it is not there. Throws `StoreError` (`store/folder`, `store/locked`). */
  constructor(folder: string) {
    makeFolder(folder);
    try {
      this.#database = new Database(join(folder, "lock"), { timeout: 0 });
    } catch (cause) {
      throw sqliteError(cause);
    }
    try {
      this.#database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    } catch (cause) {
      this.#database.close();
      const error = sqliteError(cause);
      throw error.code === "store/unavailable" ? new StoreError("store/locked", folder, { cause }) : error;
    }
  }

  release(): void {
    this.#database.close();
  }
}

/** With those above it, if they are not there. Throws `StoreError` (`store/folder`). */
export function makeFolder(folder: string): void {
  try {
    makeEach(resolve(folder));
    if (!statSync(folder).isDirectory()) throw new StoreError("store/folder", folder);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError("store/folder", `${folder}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** Node's own recursive way tries for ever where a file system knows the folder above and makes none in it. */
function makeEach(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (!existsSync(above)) makeEach(above);
  mkdirSync(folder, { mode: FOLDER_MODE });
}
