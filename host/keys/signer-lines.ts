/**
 * The signer protocol: one JSON object a line, both ways, over the standard streams of a process. docs/keys.md has it.
 *
 *   {"id":1,"method":"list"}                                    {"id":1,"keys":[{"kid":hex,"publicKey":hex,...}]}
 *   {"id":2,"method":"sign","kid":hex,"message":base64}         {"id":2,"signature":base64}
 *                                                               {"id":2,"error":{"code":text,"message":text}}
 */
import type { Readable } from "node:stream";
import { KeyError } from "./errors.ts";

/** The list of a full keystore is the longest line; the longest message takes 6 KiB. */
const LINE_BYTES_MAX = 65_536;

/** Most that is signed at once: the longest Sig_structure, and some. */
export const SIGNED_BYTES_MAX = 8192;

export type Line = Readonly<Record<string, unknown>>;

const NEW_LINE = 0x0a;
const textDecoder = new TextDecoder("utf-8", { fatal: true });

/** Objects as they come; an end without a new line is no line. Throws `KeyError` (`keys/signer-protocol`). */
export async function* readLines(stream: Readable): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEW_LINE); end >= 0; end = chunk.indexOf(NEW_LINE, from)) {
      if (length + end - from > LINE_BYTES_MAX) throw new KeyError("keys/signer-protocol", "a line is too long");
      yield parseLine(Buffer.concat([...parts, chunk.subarray(from, end)]));
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LINE_BYTES_MAX) throw new KeyError("keys/signer-protocol", "a line is too long");
  }
}

export function lineOf(object: Line): string {
  return `${JSON.stringify(object)}\n`;
}

function parseLine(bytes: Uint8Array): Line {
  let value: unknown;
  try {
    value = JSON.parse(textDecoder.decode(bytes));
  } catch (cause) {
    throw new KeyError("keys/signer-protocol", "a line is no JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new KeyError("keys/signer-protocol", "a line is no JSON object");
  }
  return value as Line;
}

/** Undefined for anything but the hex of so many bytes. */
export function hexBytes(value: unknown, length: number): Uint8Array | undefined {
  if (typeof value !== "string" || value.length !== 2 * length || !/^[0-9a-f]*$/.test(value)) return undefined;
  return new Uint8Array(Buffer.from(value, "hex"));
}

/** Undefined for anything but base64 (RFC 4648 section 4, with padding) of at most so many bytes. */
export function base64Bytes(value: unknown, bytesMax: number): Uint8Array | undefined {
  if (typeof value !== "string" || value.length > 4 * Math.ceil(bytesMax / 3)) return undefined;
  const bytes = Buffer.from(value, "base64");
  return bytes.length <= bytesMax && bytes.toString("base64") === value ? new Uint8Array(bytes) : undefined;
}
