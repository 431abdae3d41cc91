/**
 * The file of a run that may be broken off: a head that says of which run, then a line for each cell that is done, with a
 * checksum. What is not whole counts as not done, wherever it stands; a torn end is cut off.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { sha256Text } from "../scenario/canonical.ts";
import { RESULT_CHARACTERS_MAX } from "./cell.ts";
import { RunError } from "./errors.ts";

/** Which run it is of: results of another one are worth nothing to it. */
export interface RunIdentity {
  readonly scenarioSha256: string;
  readonly seed: string;
  readonly version: string;
  readonly firmwareSha256: string;
}

const FORMAT = 1;
const CHUNK_BYTES = 1_048_576;
/** A result of the largest size in characters of three bytes, and what stands around it. */
const LINE_BYTES_MAX = 3 * RESULT_CHARACTERS_MAX + 4_096;
/** What was written is on the disk after so long at most. */
const SYNC_MS = 1_000;
const CHECK_DIGITS = 16;
const LINE = /^\{"task":([0-9]{1,9}),"check":"([0-9a-f]{16})","result":(.+)\}$/s;

export class Checkpoint {
  readonly #path: string;
  readonly #descriptor: number;
  #syncedAtMs = performance.now();
  /** Lines that are not whole, other than a torn end. */
  damaged = 0;

  private constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /** Opens the file or begins it; `take` is given what is done. Throws a `RunError` for a file of another run. */
  static open(path: string, identity: RunIdentity, take: (index: number, text: string) => void): Checkpoint {
    const descriptor = opened(path);
    const checkpoint = new Checkpoint(path, descriptor);
    try {
      checkpoint.#read(identity, take);
      return checkpoint;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Throws a `RunError` where the disk takes no more: what was added before stays. */
  add(results: readonly (readonly [index: number, text: string])[]): void {
    this.#writing(() => {
      writeAll(this.#descriptor, results.map(([index, text]) => lineOf(index, text)).join(""));
      if (performance.now() - this.#syncedAtMs < SYNC_MS) return;
      fsyncSync(this.#descriptor);
      this.#syncedAtMs = performance.now();
    });
  }

  /** Throws a `RunError`, as `add` does. */
  close(): void {
    try {
      this.#writing(() => fsyncSync(this.#descriptor));
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #read(identity: RunIdentity, take: (index: number, text: string) => void): void {
    const path = this.#path;
    const head = `${JSON.stringify({ quiesce: "fleet checkpoint", format: FORMAT, ...identity })}\n`;
    let isHead = true;
    const { wholeBytes, tail } = eachLine(this.#descriptor, path, (line) => {
      if (isHead) checkHead(line, path, identity);
      else this.#take(line, take);
      isHead = false;
    });
    // A run that was broken off while it wrote the head has done nothing yet.
    if (isHead && !head.startsWith(tail)) throw noCheckpoint(path);
    this.#writing(() => {
      ftruncateSync(this.#descriptor, wholeBytes);
      if (isHead) writeAll(this.#descriptor, head);
    });
  }

  #writing(write: () => void): void {
    attempt(this.#path, "written", write);
  }

  #take(line: string, take: (index: number, text: string) => void): void {
    const [, index, check, text] = LINE.exec(line) ?? [];
    if (text !== undefined && checkOf(Number(index), text) === check) take(Number(index), text);
    else this.damaged++;
  }
}

function opened(path: string): number {
  // What was written to a pipe or a device cannot be read again.
  const found = attempt(path, "opened", () => statSync(path, { throwIfNoEntry: false }));
  if (found && !found.isFile()) {
    throw new RunError("fleet/checkpoint", `the checkpoint ${path} is not a file, and is left as it is`);
  }
  return attempt(path, "opened", () => openSync(path, "a+"));
}

/** Gives what `act` gives; what the system refuses becomes a `RunError`. */
function attempt<T>(path: string, done: "opened" | "written", act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new RunError("fleet/checkpoint", `the checkpoint ${path} cannot be ${done}: ${code}`, { cause });
  }
}

function checkHead(line: string, path: string, identity: RunIdentity): void {
  let head: Readonly<Record<string, unknown>>;
  try {
    head = Object(JSON.parse(line));
  } catch (cause) {
    throw noCheckpoint(path, cause);
  }
  if (head.quiesce !== "fleet checkpoint" || head.format !== FORMAT) throw noCheckpoint(path);
  const words = {
    scenarioSha256: "scenario (or other options that change it)",
    seed: "seed",
    version: "version of Quiesce",
    firmwareSha256: "firmware",
  } as const;
  for (const name of Object.keys(words) as (keyof RunIdentity)[]) {
    if (head[name] === identity[name]) continue;
    const both = `it has ${JSON.stringify(head[name])}, this run has ${JSON.stringify(identity[name])}`;
    throw new RunError("fleet/checkpoint", `the checkpoint ${path} is of another ${words[name]}: ${both}`);
  }
}

function noCheckpoint(path: string, cause?: unknown): RunError {
  return new RunError("fleet/checkpoint", `${path} is no checkpoint of a fleet's run, and is left as it is`, { cause });
}

function lineOf(index: number, text: string): string {
  return `{"task":${index},"check":"${checkOf(index, text)}","result":${text}}\n`;
}

function checkOf(index: number, text: string): string {
  return sha256Text(`${index}:${text}`).slice(0, CHECK_DIGITS);
}

/** Gives how many bytes the whole lines have, and what stands after them. */
function eachLine(descriptor: number, path: string, take: (line: string) => void) {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let [wholeBytes, parts, partBytes, position] = [0, [] as Buffer[], 0, 0];
  for (;;) {
    const count = readSync(descriptor, chunk, 0, chunk.length, position);
    if (count === 0) break;
    position += count;
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0 && end < count; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, end)]);
      take(line.toString("utf8"));
      wholeBytes += line.length + 1;
      [parts, partBytes, from] = [[], 0, end + 1];
    }
    parts.push(Buffer.from(chunk.subarray(from, count)));
    partBytes += count - from;
    if (partBytes > LINE_BYTES_MAX) throw noCheckpoint(path);
  }
  return { wholeBytes, tail: Buffer.concat(parts).toString("utf8") };
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}
