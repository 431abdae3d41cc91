/**
 * Deterministic CBOR on the host (RFC 8949 section 4.2.1), and the only importer of cbor-x.
 *
 * cbor-x is neither deterministic nor strict, and it acts on tags. So: *encode* brings a value into the form that
 * cbor-x writes deterministically, and then checks what it wrote; *decode* checks first, respells what cbor-x would
 * act on, and copies the byte strings, which would alias the input. The build without native addon and without code
 * generation is taken: one behavior on every machine.
 */
import { Encoder, Tag } from "cbor-x/index-no-eval";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborRules, cborCheck } from "./cbor-check.ts";
import { Refusal } from "./refusal.ts";

export { type CborRules, cborCheck } from "./cbor-check.ts";

/** A tag and what it stands before. */
export class Tagged {
  /** A bigint over 2^53 - 1. */
  readonly tag: number | bigint;
  readonly value: CborValue;

  constructor(tag: number | bigint, value: CborValue) {
    this.tag = tag;
    this.value = value;
  }
}

/** Any item of the profile. Integers: numbers where they are safe integers, bigints beyond, up to 64 bits. */
export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | CborMap
  | Tagged;

export type CborMap = ReadonlyMap<CborValue, CborValue>;

const codec: { encode(value: unknown, options?: number): Uint8Array; decode(bytes: Uint8Array): unknown } = new Encoder(
  {
    useRecords: false,
    mapsAsObjects: false,
    tagUint8Array: false,
  },
);
/** cbor-x writes over what it wrote before, where it else takes 8 KiB anew every few messages: `RESET_BUFFER_MODE`. */
const OVERWRITE = 1024;
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const LONE_SURROGATE = /\p{Surrogate}/u;

/** The one encoding of a value. Throws a `Refusal` for what the profile doesn't have. */
export function encode(value: CborValue, rules?: Pick<CborRules, "depthMax">): Uint8Array {
  const bytes = new Uint8Array(codec.encode(normalize(value, 0, rules?.depthMax ?? Limit.CBOR_DEPTH_MAX), OVERWRITE));
  // What was written is held against the rules: this also finds bignums that are none.
  const code = cborCheck(bytes, rules);
  if (code !== ErrorCode.OK) throw new Refusal(code, "this value is not of the CBOR profile");
  return bytes;
}

/** The value of exactly one item, by the profile or by `rules`. Throws a `Refusal` with the code of the first violation. */
export function decode(bytes: Uint8Array, rules?: CborRules): CborValue {
  const code = cborCheck(bytes, rules);
  if (code !== ErrorCode.OK) throw new Refusal(code, "not one deterministic CBOR item of the profile");
  return own(codec.decode(respell(bytes)));
}

/** What cbor-x writes deterministically: sorted maps, numbers within 32 bits and bigints beyond, its own tags. */
function normalize(value: CborValue, depth: number, depthMax: number): unknown {
  switch (typeof value) {
    case "number":
      if (!Number.isInteger(value)) throw new Refusal(ErrorCode.CBOR_FLOAT, `${value} is not an integer`);
      if (!Number.isSafeInteger(value)) throw new Refusal(ErrorCode.CBOR_TYPE, `${value} is not exact: use a bigint`);
      return isShort(value) ? value : integer(BigInt(value));
    case "bigint":
      return integer(value);
    case "string":
      if (LONE_SURROGATE.test(value)) throw new Refusal(ErrorCode.CBOR_UTF8, "the text has half a surrogate pair");
      return value;
    case "boolean":
      return value;
    case "undefined":
      throw new Refusal(ErrorCode.CBOR_SIMPLE, "undefined is not of the CBOR profile");
  }
  if (value === null) return value;
  if (value instanceof Uint8Array) {
    // cbor-x takes a Buffer for a typed array that wants a tag.
    return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (depth === depthMax) throw new Refusal(ErrorCode.CBOR_DEPTH, "the value is nested too deep");
  if (Array.isArray(value)) return value.map((item) => normalize(item, depth + 1, depthMax));
  if (value instanceof Map) return sorted(value as CborMap, depth + 1, depthMax);
  if (value instanceof Tagged) {
    const tag = Number(value.tag);
    // cbor-x writes wider ones wrong, and none is in use.
    if (!Number.isInteger(tag) || tag < 0 || tag >= 2 ** 32) {
      throw new Refusal(ErrorCode.CBOR_TYPE, "only tags of 0 to 32 bits are written");
    }
    return new Tag(normalize(value.value, depth + 1, depthMax), tag);
  }
  throw new Refusal(ErrorCode.CBOR_TYPE, "the CBOR profile has no such value");
}

/** A map whose keys are in the order of their bytes. */
function sorted(map: CborMap, depth: number, depthMax: number): Map<unknown, unknown> {
  if (!isInOrder(map.keys())) return sortedNow(map, depth, depthMax);
  const items = new Map<unknown, unknown>();
  for (const [key, item] of map) items.set(key, normalize(item, depth, depthMax));
  return items;
}

/** Whether all are numbers of the shortest heads and in order already, as the keys of most maps are. */
function isInOrder(keys: Iterable<CborValue>): boolean {
  let last = -1;
  for (const key of keys) {
    if (typeof key !== "number" || !Number.isInteger(key) || !isShort(key) || place(key) <= last) return false;
    last = place(key);
  }
  return true;
}

function sortedNow(map: CborMap, depth: number, depthMax: number): Map<unknown, unknown> {
  const entries: { key: unknown; item: unknown }[] = [];
  for (const [key, item] of map) {
    entries.push({ key: normalize(key, depth, depthMax), item: normalize(item, depth, depthMax) });
  }
  if (entries.every(({ key }) => typeof key === "number")) {
    entries.sort((a, b) => place(a.key as number) - place(b.key as number));
    const numbered = new Map<unknown, unknown>();
    for (const { key, item } of entries) numbered.set(key, item);
    return numbered.size === entries.length ? numbered : twice();
  }
  const encoded = entries.map(({ key, item }) => ({ order: new Uint8Array(codec.encode(key, OVERWRITE)), key, item }));
  encoded.sort((a, b) => Buffer.compare(a.order, b.order));
  for (let i = 1; i < encoded.length; i++) {
    if (Buffer.compare(encoded[i - 1]!.order, encoded[i]!.order) === 0) twice();
  }
  return new Map(encoded.map(({ key, item }) => [key, item]));
}

function twice(): never {
  throw new Refusal(ErrorCode.CBOR_KEY_DUPLICATE, "the map has a key twice");
}

/** Shortest heads sort as their numbers do, and the negative ones, -1 first, after all others. */
function place(key: number): number {
  return key >= 0 ? key : 2 ** 32 - 1 - key;
}

/** What cbor-x writes as an integer: beyond 32 bits it takes a number for a float. */
function isShort(value: number | bigint): boolean {
  return value < 2 ** 32 && value >= -(2 ** 32);
}

function integer(value: bigint): number | bigint {
  // -2^64 itself would still fit a head, but cbor-x writes it as a bignum.
  if (value >= 2n ** 64n || value <= -(2n ** 64n)) {
    throw new Refusal(ErrorCode.CBOR_TYPE, `${value} is over 64 bits`);
  }
  return isShort(value) ? Number(value) : value;
}

/** Tags of our own spelling, seen by nobody but cbor-x, which has no meaning for them. */
const SPELLED_TAG = 1000;
const SPELLED_TEXT = 1001;

/**
 * Checked bytes, spelled so that cbor-x acts on nothing: tag n before x becomes 1000([n, x]), because it knows many tags
 * and can't be told to leave them; a text that begins with a byte order mark becomes 1001(bytes), because it drops the
 * mark of a long one. Heads follow one another, so this needs no nesting.
 */
function respell(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let done = 0;
  let at = 0;
  while (at < bytes.length) {
    const head = at;
    const initial = bytes[head]!;
    const major = initial >> 5;
    const info = initial & 31;
    const width = info < 24 || major === 7 ? 0 : 1 << (info - 24);
    at += 1 + width;
    let length = info;
    if (width > 0) {
      length = 0;
      for (let i = head + 1; i < at; i++) length = length * 256 + bytes[i]!;
    }
    const isMarked =
      major === 3 && length >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
    if (major === 6 || isMarked) {
      const before =
        major === 6
          ? [0xd9, SPELLED_TAG >> 8, SPELLED_TAG & 255, 0x82, info]
          : [0xd9, SPELLED_TEXT >> 8, SPELLED_TEXT & 255, 0x40 | info];
      parts.push(bytes.subarray(done, head), Uint8Array.from(before));
      done = head + 1;
    }
    if (major === 2 || major === 3) at += length;
  }
  // A view of its own: cbor-x hangs a property on what it is given.
  if (parts.length === 0) return bytes.subarray();
  return Buffer.concat([...parts, bytes.subarray(done)]);
}

/** What cbor-x gave, as our types. */
function own(value: unknown): CborValue {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = own(value[i]);
    return value;
  }
  if (value instanceof Map) return ownMap(value);
  if (value instanceof Tag) {
    if (value.tag === SPELLED_TEXT) return textDecoder.decode(value.value);
    return new Tagged(own(value.value[0]) as number | bigint, own(value.value[1]));
  }
  return value as number | string | boolean | null;
}

/** In place, where keys are what they are to be: nobody else has it, and maps are what decoding makes most of. */
function ownMap(map: Map<unknown, unknown>): CborMap {
  let isKeyed = true;
  map.forEach((item, key) => {
    if (typeof key !== "number" && typeof key !== "string") isKeyed = false;
    else map.set(key, own(item));
  });
  if (isKeyed) return map as Map<CborValue, CborValue>;
  return new Map([...map].map(([key, item]) => [own(key), own(item)]));
}
