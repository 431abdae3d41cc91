/** Reads a stick: all that its manifest lists and nothing else, every file as it was when it was packed. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../protocol/sha256.ts";
import { hexOf } from "../verifier/bytes.ts";
import { CourierError } from "./errors.ts";
import { listFiles, readBounded, UNFINISHED, withIo } from "./files.ts";
import { MANIFEST, MANIFEST_BYTES_MAX, type Manifest, readManifest } from "./manifest.ts";
import { type Direction, STICK_DEPTH_MAX, STICK_FILES_MAX, type Stick } from "./stick.ts";

/** What a listing may show besides: the manifest, and as much again that was not finished. */
const LISTED_MAX = 2 * STICK_FILES_MAX + 2;

/** Throws `CourierError`: the first thing that is wrong with it. */
export function readStick(folder: string, direction: Direction): Stick {
  return withIo("stick/io", folder, () => {
    const manifest = manifestOf(folder);
    if (manifest.direction !== direction) {
      throw new CourierError("stick/direction", `${folder} was packed ${manifest.direction}`);
    }
    checkListing(folder, manifest);
    return { direction, files: new Map(manifest.files.map((file) => [file.path, readListed(folder, file)])) };
  });
}

/** Undefined where nothing was packed yet, or packing was cut short. */
export function readStickIfPacked(folder: string, direction: Direction): Stick | undefined {
  const isThere = withIo("stick/io", folder, () => {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found && !found.isDirectory()) throw new CourierError("stick/missing", folder);
    return found !== undefined && lstatSync(join(folder, MANIFEST), { throwIfNoEntry: false }) !== undefined;
  });
  return isThere ? readStick(folder, direction) : undefined;
}

function manifestOf(folder: string): Manifest {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new CourierError("stick/missing", folder);
  const bytes = readBounded(join(folder, MANIFEST), MANIFEST_BYTES_MAX);
  if (bytes === undefined) throw new CourierError("stick/unfinished", folder);
  if (bytes.length > MANIFEST_BYTES_MAX) throw new CourierError("stick/too-much", MANIFEST);
  return readManifest(Buffer.from(bytes).toString("utf8"));
}

function checkListing(folder: string, { files }: Manifest): void {
  const listed = new Set(files.map(({ path }) => path));
  for (const path of listFiles(folder, STICK_DEPTH_MAX, LISTED_MAX)) {
    if (path === MANIFEST || path.endsWith(UNFINISHED) || listed.has(path)) continue;
    throw new CourierError("stick/unknown-file", path);
  }
}

function readListed(folder: string, file: Manifest["files"][number]): Uint8Array {
  const bytes = readBounded(join(folder, file.path), file.bytes);
  if (bytes === undefined) throw new CourierError("stick/missing-file", file.path);
  if (bytes.length !== file.bytes || hexOf(sha256(bytes)) !== file.sha256) {
    throw new CourierError("stick/damaged", file.path);
  }
  return bytes;
}
