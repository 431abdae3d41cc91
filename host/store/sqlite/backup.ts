/**
 * A copy of the store in a folder, taken while its verifier goes on: one SQLite file, and beside it a manifest with its
 * digest and the rows of each table. Any process may take it: the copy is of one committed state.
 */
import { createHash } from "node:crypto";
import { constants, createReadStream, existsSync } from "node:fs";
import { copyFile, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TABLE_NAMES } from "../columns.ts";
import { StoreError } from "../errors.ts";
import { fileError, syncPath, writeDurable } from "../files.ts";
import { markRestored } from "../restored.ts";
import { SqliteConnection } from "./connection.ts";
import { makeFolder } from "./folder-lock.ts";
import { DATABASE_FILE, openSqlite } from "./sqlite-store.ts";

const FORMAT = "quiesce-store-backup/1";

export interface BackupManifest {
  readonly format: typeof FORMAT;
  readonly createdMs: number;
  readonly bytes: number;
  /** Of the file, in hex. */
  readonly sha256: string;
  readonly rows: Readonly<Record<string, number>>;
}

export function manifestPath(file: string): string {
  return `${file}.manifest.json`;
}

/** Writes `file` and its manifest, which are not there yet. Throws `StoreError`. */
export async function backupFolder(folder: string, file: string, nowMs: number): Promise<BackupManifest> {
  const source = join(folder, DATABASE_FILE);
  if (!existsSync(source)) throw new StoreError("store/missing", folder);
  for (const path of [file, manifestPath(file)]) if (existsSync(path)) throw new StoreError("store/not-empty", path);
  const part = `${file}.part`;
  try {
    // Of a backup that was killed.
    await rm(part, { force: true });
    // SQLite takes an empty file for a new one, and would make one that others may read.
    await writeDurable(part, []);
    await copyDatabase(source, part);
    const rows = await countRows(part);
    const manifest: BackupManifest = { format: FORMAT, createdMs: nowMs, ...(await digestOf(part)), rows };
    await writeDurable(manifestPath(file), [`${JSON.stringify(manifest, undefined, 2)}\n`]);
    await rename(part, file);
    await syncPath(dirname(file));
    return manifest;
  } catch (error) {
    // That it failed is told; what cannot be taken away either stays to be seen.
    for (const path of [part, manifestPath(file)]) await rm(path, { force: true }).catch(() => {});
    throw fileError(error);
  }
}

/** Puts a backup into a folder that is empty or not there, and checks it. Throws `StoreError`. */
export async function restoreFolder(file: string, folder: string, nowMs: number): Promise<BackupManifest> {
  const manifest = await readManifest(file);
  await makeEmpty(folder);
  const target = join(folder, DATABASE_FILE);
  try {
    await copyFile(file, target, constants.COPYFILE_EXCL);
    // What is judged is the copy, so that nothing can change in between.
    const { sha256, bytes } = await digestOf(target);
    if (sha256 !== manifest.sha256 || bytes !== manifest.bytes) throw new StoreError("store/copy", "its digest");
    await syncPath(target);
    await checkRestored(target, manifest);
    const store = await openSqlite(folder);
    const mark = { backupMs: manifest.createdMs, restoredMs: nowMs };
    await markRestored(store, mark).finally(() => store.close());
    await syncPath(folder);
    return manifest;
  } catch (error) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
    throw fileError(error);
  }
}

async function copyDatabase(source: string, target: string): Promise<void> {
  const connection = new SqliteConnection(source);
  try {
    await connection.runElsewhere(`VACUUM INTO '${target.replaceAll("'", "''")}'`);
  } finally {
    connection.close();
  }
  await syncPath(target);
}

async function countRows(path: string): Promise<Record<string, number>> {
  const connection = new SqliteConnection(path);
  try {
    return Object.fromEntries(
      TABLE_NAMES.map((table) => {
        const { rows } = connection.execute<{ count: number }>(`select count(*) as count from "${table}"`);
        return [table, rows[0]!.count];
      }),
    );
  } finally {
    connection.close();
  }
}

async function checkRestored(path: string, manifest: BackupManifest): Promise<void> {
  const connection = new SqliteConnection(path);
  try {
    const { rows } = connection.execute<{ integrity_check: string }>("PRAGMA integrity_check(1)");
    if (rows[0]?.integrity_check !== "ok") throw new StoreError("store/copy", rows[0]?.integrity_check);
  } finally {
    connection.close();
  }
  const rows = await countRows(path);
  const different = TABLE_NAMES.find((table) => rows[table] !== manifest.rows[table]);
  if (different) throw new StoreError("store/copy", `${rows[different]} rows of ${different}`);
}

async function readManifest(file: string): Promise<BackupManifest> {
  let manifest: BackupManifest;
  try {
    manifest = JSON.parse(await readFile(manifestPath(file), "utf8")) as BackupManifest;
  } catch (cause) {
    throw new StoreError("store/copy", `no manifest: ${(cause as Error).message}`, { cause });
  }
  const { format, createdMs, bytes, sha256, rows } = manifest ?? {};
  const isWhole =
    Number.isSafeInteger(createdMs) &&
    Number.isSafeInteger(bytes) &&
    typeof sha256 === "string" &&
    rows instanceof Object;
  if (format !== FORMAT || !isWhole) throw new StoreError("store/copy", "its manifest");
  return manifest;
}

async function makeEmpty(folder: string): Promise<void> {
  makeFolder(folder);
  try {
    if ((await readdir(folder)).length > 0) throw new StoreError("store/not-empty", folder);
  } catch (error) {
    throw fileError(error);
  }
}

async function digestOf(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest("hex"), bytes };
}
