/** Reading what a command is pointed at: bounded, and with one clear refusal for everything that is wrong with it. */
import { closeSync, existsSync, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { CoseTag } from "../../firmware/protocol/cose-labels.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { wrongUse } from "./exit.ts";

/** Longest input that is read: the longest message in hex, two characters a byte, with room for line ends. */
const INPUT_BYTES_MAX = 4 * Limit.MESSAGE_BYTES_MAX;
const STDIN = 0;

/** Bytes of a file, or of stdin for `-`. Throws `CliError` for what cannot be read or is too long. */
export function readInput(path: string, bytesMax = INPUT_BYTES_MAX): Uint8Array {
  const name = path === "-" ? "stdin" : basename(path);
  let descriptor: number;
  try {
    descriptor = path === "-" ? STDIN : openSync(path, "r");
  } catch (cause) {
    throw wrongUse(`${path} cannot be opened: ${reason(cause)}`, cause);
  }
  try {
    if (fstatSync(descriptor).isDirectory()) throw wrongUse(`${path} is a folder, not a file`);
    const bytes = readBounded(descriptor, bytesMax);
    if (bytes.length === 0) throw wrongUse(`${name} is empty`);
    if (bytes.length > bytesMax) throw wrongUse(`${name} is longer than any object of this protocol`);
    return bytes;
  } catch (cause) {
    if (cause instanceof Error && cause.name === "CliError") throw cause;
    throw wrongUse(`${name} cannot be read: ${reason(cause)}`, cause);
  } finally {
    if (descriptor !== STDIN) closeSync(descriptor);
  }
}

/** A COSE message of a file: as it is, or as text in hex or base64. */
export function readObject(path: string): Uint8Array {
  const name = path === "-" ? "stdin" : basename(path);
  const bytes = unwrapText(readInput(path));
  if (!bytes || !isCose(bytes)) {
    throw wrongUse(`${name} is no COSE_Sign1 or COSE_Sign message, neither as it is nor in hex or base64`);
  }
  if (bytes.length > Limit.MESSAGE_BYTES_MAX) {
    throw wrongUse(`${name} holds ${bytes.length} bytes: no object has over ${Limit.MESSAGE_BYTES_MAX}`);
  }
  return bytes;
}

/** Length of a file that is read in pieces, however long it is. Throws `CliError` for what is no file or is empty. */
export function inputBytes(path: string): number {
  let status: Stats;
  try {
    status = statSync(path);
  } catch (cause) {
    throw wrongUse(`${path} cannot be opened: ${reason(cause)}`, cause);
  }
  if (status.isDirectory()) throw wrongUse(`${path} is a folder, not a file`);
  if (status.size === 0) throw wrongUse(`${path} is empty`);
  return status.size;
}

/** Throws `CliError` where no new file can be made. */
export function checkNewFile(path: string): void {
  if (existsSync(path)) throw wrongUse(`${path} is there already, and nothing is overwritten`);
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw wrongUse(`${path} cannot be made: there is no folder ${folder}`);
}

/** Up to one byte more than is allowed, so that too much is seen. */
function readBounded(descriptor: number, bytesMax: number): Uint8Array {
  const buffer = new Uint8Array(bytesMax + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.slice(0, length);
}

/** The bytes that a text in hex or base64 stands for; binary as it is; undefined for any other text. */
export function unwrapText(bytes: Uint8Array): Uint8Array | undefined {
  if (!bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09)) {
    return bytes;
  }
  const text = Buffer.from(bytes).toString("latin1").replace(/\s+/g, "");
  if (/^([0-9a-f]{2})+$/i.test(text)) return new Uint8Array(Buffer.from(text, "hex"));
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return new Uint8Array(Buffer.from(text, "base64"));
  return undefined;
}

/** Begins with tag 18 or 98 in its one deterministic form. */
function isCose(bytes: Uint8Array): boolean {
  return bytes[0] === (0xc0 | CoseTag.SIGN1) || (bytes[0] === 0xd8 && bytes[1] === CoseTag.SIGN);
}

function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "permission denied";
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
