/** Writes deterministic CBOR (RFC 8949 section 4.2.1): shortest heads, and the keys of a map in the order of their bytes. */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { compareParts } from "./cbor-check.ts";
import { type CborMap, type CborValue, Major, Simple, Tagged } from "./cbor-value.ts";
import { Refusal } from "./refusal.ts";

/** The encoding of a value. Throws a `Refusal` for what the profile doesn't have and what can be seen here. */
export function write(value: CborValue, depthMax: number = Limit.CBOR_DEPTH_MAX): Uint8Array {
  const writer = new Writer(depthMax);
  writer.item(value, 0);
  return writer.finish();
}

/** What every message fits in (`Limit.MESSAGE_BYTES_MAX`), with room to spare; the buffer grows to what it takes. */
const START_BYTES = 8192;
/** A buffer of that size from the call before: to make one takes longer than to fill it. */
let spare: Buffer | undefined;

const HEAD_BYTES_MAX = 9;
/** A code unit of UTF-16 is at most so many bytes of UTF-8. */
const UTF8_BYTES_MAX = 3;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Where an entry of a map stands in the buffer: its key, then its value. */
type Entry = { readonly start: number; readonly keyEnd: number; readonly end: number };

class Writer {
  #buffer: Buffer;
  #end = 0;
  readonly #depthMax: number;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
    this.#buffer = spare ?? Buffer.allocUnsafe(START_BYTES);
    spare = undefined;
  }

  /** What was written; nothing can be written after it. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#buffer.subarray(0, this.#end));
    if (this.#buffer.length === START_BYTES) spare = this.#buffer;
    return bytes;
  }

  /** `depth` counts the arrays, maps and tags around the item. */
  item(value: CborValue, depth: number): void {
    if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#bigint(value);
    else if (typeof value === "string") this.#text(value);
    else if (typeof value === "boolean") this.#head(Major.SIMPLE, value ? Simple.TRUE : Simple.FALSE);
    else if (value === null) this.#head(Major.SIMPLE, Simple.NULL);
    else if (value === undefined) throw new Refusal(ErrorCode.CBOR_SIMPLE, "undefined is not of the CBOR profile");
    else if (value instanceof Uint8Array) this.#bytes(value);
    else if (depth === this.#depthMax) throw new Refusal(ErrorCode.CBOR_DEPTH, "the value is nested too deep");
    else this.#nested(value, depth + 1);
  }

  #nested(value: CborValue, depth: number): void {
    if (Array.isArray(value)) {
      this.#head(Major.ARRAY, value.length);
      for (const item of value) this.item(item, depth);
    } else if (value instanceof Map) this.#map(value, depth);
    else if (value instanceof Tagged) {
      this.#head(Major.TAG, tagNumber(value.tag));
      this.item(value.value, depth);
    } else throw new Refusal(ErrorCode.CBOR_TYPE, "the CBOR profile has no such value");
  }

  #number(value: number): void {
    if (!Number.isInteger(value)) throw new Refusal(ErrorCode.CBOR_FLOAT, `${value} is not an integer`);
    if (!Number.isSafeInteger(value)) throw new Refusal(ErrorCode.CBOR_TYPE, `${value} is not exact: use a bigint`);
    if (value >= 0) this.#head(Major.UNSIGNED, value);
    else this.#head(Major.NEGATIVE, -1 - value);
  }

  #bigint(value: bigint): void {
    const number = Number(value);
    // -2^64 itself would still fit a head. No object has it, and other encoders write it as a bignum.
    if (Number.isSafeInteger(number)) this.#number(number);
    else if (value >= 2n ** 64n || value <= -(2n ** 64n)) {
      throw new Refusal(ErrorCode.CBOR_TYPE, `${value} is over 64 bits`);
    } else if (value > 0n) this.#wideHead(Major.UNSIGNED, value);
    else this.#wideHead(Major.NEGATIVE, -1n - value);
  }

  #bytes(value: Uint8Array): void {
    this.#head(Major.BYTES, value.length);
    this.#room(value.length);
    this.#buffer.set(value, this.#end);
    this.#end += value.length;
  }

  #text(value: string): void {
    if (LONE_SURROGATE.test(value)) throw new Refusal(ErrorCode.CBOR_UTF8, "the text has half a surrogate pair");
    this.#head(Major.TEXT, Buffer.byteLength(value));
    this.#room(value.length * UTF8_BYTES_MAX);
    this.#end += this.#buffer.write(value, this.#end);
  }

  #map(map: CborMap, depth: number): void {
    this.#head(Major.MAP, map.size);
    const entries: Entry[] = [];
    let isSorted = true;
    for (const [key, value] of map) {
      const start = this.#end;
      this.item(key, depth);
      const keyEnd = this.#end;
      this.item(value, depth);
      const before = entries.at(-1);
      if (before) isSorted &&= compareParts(this.#buffer, before.start, before.keyEnd, start, keyEnd) < 0;
      entries.push({ start, keyEnd, end: this.#end });
    }
    if (!isSorted) this.#sort(entries);
  }

  /** Brings the entries, which are the last that was written, into the order of their keys. */
  #sort(entries: readonly Entry[]): void {
    const buffer = this.#buffer;
    const sorted = entries.toSorted((a, b) => compareParts(buffer, a.start, a.keyEnd, b.start, b.keyEnd));
    buffer.set(Buffer.concat(sorted.map(({ start, end }) => buffer.subarray(start, end))), entries[0]!.start);
  }

  /** `argument` is a safe integer. */
  #head(major: number, argument: number): void {
    this.#room(HEAD_BYTES_MAX);
    const buffer = this.#buffer;
    const initial = major << 5;
    let at = this.#end;
    if (argument < 24) buffer[at++] = initial | argument;
    else if (argument < 2 ** 8) {
      buffer[at++] = initial | 24;
      buffer[at++] = argument;
    } else if (argument < 2 ** 16) {
      buffer[at++] = initial | 25;
      at = buffer.writeUInt16BE(argument, at);
    } else if (argument < 2 ** 32) {
      buffer[at++] = initial | 26;
      at = buffer.writeUInt32BE(argument, at);
    } else {
      buffer[at++] = initial | 27;
      at = buffer.writeUInt32BE(Math.floor(argument / 2 ** 32), at);
      at = buffer.writeUInt32BE(argument % 2 ** 32, at);
    }
    this.#end = at;
  }

  /** `argument` is over 32 bits. */
  #wideHead(major: number, argument: bigint): void {
    this.#room(HEAD_BYTES_MAX);
    this.#buffer[this.#end] = (major << 5) | 27;
    this.#buffer.writeBigUInt64BE(argument, this.#end + 1);
    this.#end += HEAD_BYTES_MAX;
  }

  /** Makes sure that so many bytes more fit. */
  #room(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = larger;
  }
}

function tagNumber(tag: number | bigint): number {
  const number = Number(tag);
  // Wider ones are in no use.
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** 32) {
    throw new Refusal(ErrorCode.CBOR_TYPE, "tags over 32 bits are not written");
  }
  return number;
}
