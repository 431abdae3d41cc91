/**
 * Writes a stick, over what was packed on it before. All files are on the disk before the first old one goes, and the
 * manifest comes last: a stick that was pulled out too early has none, and is refused as unfinished.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { sha256 } from "../protocol/sha256.ts";
import { hexOf } from "../verifier/bytes.ts";
import { CourierError } from "./errors.ts";
import { finish, listFiles, remove, syncFolder, UNFINISHED, withIo, writeUnfinished, writeWhole } from "./files.ts";
import { MANIFEST, manifestText } from "./manifest.ts";
import { bytesMaxOf, STICK_BYTES_MAX, STICK_DEPTH_MAX, STICK_FILES_MAX, type Stick } from "./stick.ts";

const LISTED_MAX = 2 * STICK_FILES_MAX + 2;

/** Throws `CourierError`; a folder that holds anything else than a stick is left as it is. */
export function writeStick(folder: string, { direction, files }: Stick, madeMs: number): void {
  checkSize(files);
  withIo("stick/io", folder, () => {
    makeFolder(folder);
    if (!lstatSync(folder).isDirectory()) throw new CourierError("stick/missing", folder);
    const before = listFiles(folder, STICK_DEPTH_MAX, LISTED_MAX);
    for (const path of before) {
      const name = path.endsWith(UNFINISHED) ? path.slice(0, -UNFINISHED.length) : path;
      if (name !== MANIFEST && bytesMaxOf(name) === undefined) throw new CourierError("stick/unknown-file", path);
    }
    const paths = [...files.keys()].sort();
    for (const path of paths) writeUnfinished(join(folder, path), files.get(path)!);
    remove(join(folder, MANIFEST));
    syncFolder(folder);
    for (const path of before) if (!files.has(path) && !isBeingWritten(path, files)) remove(join(folder, path));
    for (const path of paths) finish(join(folder, path));
    for (const within of foldersOf(paths)) syncFolder(join(folder, within));
    const listed = paths.map((path) => {
      const bytes = files.get(path)!;
      return { path, bytes: bytes.length, sha256: hexOf(sha256(bytes)) };
    });
    writeWhole(join(folder, MANIFEST), Buffer.from(manifestText({ direction, madeMs, files: listed })));
  });
}

function isBeingWritten(path: string, files: Stick["files"]): boolean {
  return path.endsWith(UNFINISHED) && files.has(path.slice(0, -UNFINISHED.length));
}

function checkSize(files: Stick["files"]): void {
  const total = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (files.size > STICK_FILES_MAX || total > STICK_BYTES_MAX) {
    throw new CourierError("stick/too-much", `${files.size} files of ${total} bytes together`);
  }
}

/** Every folder that holds one of the files. */
function foldersOf(paths: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
      folders.add(path.slice(0, end));
  }
  return folders;
}
