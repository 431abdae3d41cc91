/**
 * The manifest of a stick: which way it goes, and every file with its length and SHA-256. It says whether the stick came
 * through whole, and nothing about who made it: what is to be believed on a stick is signed by itself.
 */
import { CourierError } from "./errors.ts";
import { bytesMaxOf, DIRECTIONS, type Direction, STICK_BYTES_MAX, STICK_FILES_MAX } from "./stick.ts";

export const MANIFEST = "manifest.json";
export const MANIFEST_BYTES_MAX = 32 * 1024 * 1024;

const FORMAT = "quiesce-stick";
const VERSION = 1;

export interface ManifestFile {
  readonly path: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

export interface Manifest {
  readonly direction: Direction;
  /** By the clock of the machine that packed it: for people. */
  readonly madeMs: number;
  /** By path. */
  readonly files: readonly ManifestFile[];
}

export function manifestText({ direction, madeMs, files }: Manifest): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, direction, madeMs, files }, null, 1)}\n`;
}

/** Throws `CourierError` (`stick/manifest`, `stick/unknown-file`, `stick/too-much`). */
export function readManifest(text: string): Manifest {
  const document = members(parsed(text), ["format", "version", "direction", "madeMs", "files"], MANIFEST);
  const { format, version, direction, madeMs, files } = document;
  if (format !== FORMAT) refuse("its format is another");
  if (version !== VERSION) refuse(`its version is not ${VERSION}`);
  if (!DIRECTIONS.includes(direction as Direction)) refuse("its direction is none");
  if (!isCount(madeMs)) refuse("its date is none");
  if (!Array.isArray(files)) refuse("its files are no list");
  if (files.length > STICK_FILES_MAX) throw new CourierError("stick/too-much", `${files.length} files`);
  const read = files.map((file, index) => readFile(file, index, direction as Direction));
  const paths = new Set(read.map(({ path }) => path));
  if (paths.size !== read.length) refuse("it lists a file twice");
  const total = read.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > STICK_BYTES_MAX) throw new CourierError("stick/too-much", `${total} bytes`);
  return { direction: direction as Direction, madeMs: madeMs as number, files: read };
}

function readFile(value: unknown, index: number, direction: Direction): ManifestFile {
  const { path, bytes, sha256 } = members(value, ["path", "bytes", "sha256"], `file ${index}`);
  if (typeof path !== "string" || path.length > 256) refuse(`file ${index} has no path`);
  const bytesMax = bytesMaxOf(path, direction);
  if (bytesMax === undefined) throw new CourierError("stick/unknown-file", `file ${index} of the manifest`);
  if (!isCount(bytes) || (bytes as number) > bytesMax) refuse(`${path} has no length that it may have`);
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) refuse(`${path} has no SHA-256`);
  return { path, bytes: bytes as number, sha256 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CourierError("stick/manifest", "it is not JSON", { cause });
  }
}

function members(value: unknown, names: readonly string[], where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(`${where} is no object`);
  const found = Object.keys(value);
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(value, name))) {
    refuse(`${where} has not just the members ${names.join(", ")}`);
  }
  return value as Record<string, unknown>;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function refuse(detail: string): never {
  throw new CourierError("stick/manifest", detail);
}
