/** Reading of recordings: bounded bytes, bounded lines, and one clear refusal for everything that is wrong with a file. */

import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { WorkloadError } from "./errors.ts";

/** Largest file, and largest text it may decompress to. */
export const FILE_BYTES_MAX = 256 * 1024 * 1024;
/** Most lines, events or rows of one recording. */
export const RECORDS_MAX = 4_000_000;
/** Most phases of one workload. */
export const PHASES_MAX = 1_000_000;
/** Longest single phase that is believed, in seconds: a year. */
export const SECONDS_MAX = 366 * 86_400;

export type TraceFile = {
  path: string;
  /** Last part of the path: what messages call the file. */
  name: string;
  /** Unpacked. */
  bytes: Uint8Array;
  /** The same as text; of a binary file nothing. */
  text: string;
};

/** `sha256`: of the file as it lies there, in hex; another one is refused. */
export function readTraceFile(path: string, sha256?: string): TraceFile {
  const name = basename(path);
  let bytes = readBounded(path, name);
  if (sha256 !== undefined) {
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== sha256)
      throw new WorkloadError("trace/other-file", `${name} has the SHA-256 ${found}, not ${sha256}`);
  }
  if (bytes.length === 0) throw new WorkloadError("trace/empty", `${name} is empty`);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzip(bytes, name);
  if (bytes.length === 0) throw new WorkloadError("trace/empty", `${name} decompresses to nothing`);
  if (bytes.subarray(257, 262).toString("latin1") === "ustar") {
    throw new WorkloadError("trace/unknown-format", `${name} is a tar archive; unpack it and name one of its files`);
  }
  const isBinary = bytes.subarray(0, 4096).includes(0);
  return { path, name, bytes, text: isBinary ? "" : new TextDecoder("utf-8").decode(bytes) };
}

function readBounded(path: string, name: string): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    throw new WorkloadError("trace/unreadable", `${name} cannot be opened: ${reason(cause)}`, { cause });
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new WorkloadError("trace/unreadable", `${name} is not a file`);
    if (stat.size > FILE_BYTES_MAX) throw tooLarge(name);
    return readFileSync(descriptor);
  } catch (cause) {
    if (cause instanceof WorkloadError) throw cause;
    throw new WorkloadError("trace/unreadable", `${name} cannot be read: ${reason(cause)}`, { cause });
  } finally {
    closeSync(descriptor);
  }
}

function gunzip(bytes: Buffer, name: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: FILE_BYTES_MAX });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(name);
    throw new WorkloadError("trace/broken-gzip", `${name} is not whole gzip: ${reason(cause)}`, { cause });
  }
}

function tooLarge(name: string): WorkloadError {
  return new WorkloadError("trace/too-large", `${name} holds over ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
}

/** The system's code (ENOENT, EISDIR) or the first line of the message. */
function reason(cause: unknown): string {
  const error = cause as NodeJS.ErrnoException;
  return error.code ?? String(error.message).split("\n")[0]!;
}

/** `value` as a finite number from 0 to `max`, or a refusal that says which number of which file it was. */
export function quantity(value: unknown, what: string, file: string, max = Number.MAX_SAFE_INTEGER): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number) || number < 0 || number > max) {
    const shown = String(JSON.stringify(value)).slice(0, 40);
    throw new WorkloadError("trace/bad-number", `${file}: ${what} is ${shown}, not a number from 0 to ${max}`);
  }
  return number;
}

/** The same for whole numbers. */
export function wholeQuantity(value: unknown, what: string, file: string, max = Number.MAX_SAFE_INTEGER): number {
  const number = quantity(value, what, file, max);
  if (!Number.isInteger(number)) {
    throw new WorkloadError("trace/bad-number", `${file}: ${what} is ${number}, not a whole number`);
  }
  return number;
}

/** The same from 1 up: what a job cannot be without. */
export function positiveQuantity(value: unknown, what: string, file: string, max = Number.MAX_SAFE_INTEGER): number {
  const number = wholeQuantity(value, what, file, max);
  if (number === 0) throw new WorkloadError("trace/bad-number", `${file}: ${what} is 0`);
  return number;
}

export function refuseTooMany(count: number, what: string, file: string, max = RECORDS_MAX): void {
  if (count > max) throw new WorkloadError("trace/too-many", `${file} has over ${max} ${what}`);
}

export type ReadOptions = {
  /** Of the file, in hex: another one is refused. */
  sha256?: string | undefined;
  /** Which board of the job; default 0. */
  board?: number;
  /** Boards of the job, where the recording does not say. */
  boards?: number;
  /** A name of `ACCELERATORS`, where the recording does not say. */
  accelerator?: string;
  /**
   * Count batched products (bmm) of a profile too; default false, which is how the published totals of the public
   * recommender trace are counted. Their operations are stated as `batchedFlop` either way.
   */
  batchedProducts?: boolean;
};

/** `value` as text; anything else in its place is refused. */
export function textValue(value: unknown, what: string, file: string): string {
  if (typeof value === "string") return value.slice(0, 400);
  throw new WorkloadError("trace/malformed", `${file}: ${what} is not text`);
}

export function boardCount(boards: number): number {
  if (Number.isInteger(boards) && boards >= 1 && boards <= 1_000_000) return boards;
  throw new WorkloadError("workload/bad-option", `the number of boards must be from 1 to 1,000,000, not ${boards}`);
}

/** A profile is of one board: another one cannot be asked for. */
export function profiledBoard(options: ReadOptions, recorded: number): number {
  if (options.board === undefined || options.board === recorded) return recorded;
  throw new WorkloadError("workload/bad-option", `the profile was taken on board ${recorded}, not ${options.board}`);
}

export function boardOption(options: ReadOptions, boards: number): number {
  const board = options.board ?? 0;
  if (!Number.isInteger(board) || board < 0 || board >= boards) {
    throw new WorkloadError("workload/bad-option", `the job has the boards 0 to ${boards - 1}, not ${board}`);
  }
  return board;
}
