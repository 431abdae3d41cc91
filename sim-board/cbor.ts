/**
 * The little CBOR that the board itself needs (RFC 8949): the boot ROM writes one fixed certificate, the invariants read
 * what the governor has already accepted. Not the protocol's codec: that is strict and lives in `host/protocol/`.
 */

export type Item = number | bigint | string | boolean | null | Uint8Array | Item[] | Map<Item, Item> | Tagged;
export type Tagged = { tag: number; item: Item };

/** Head of a major type with its argument, in the shortest form. Arguments here stay below 2^32. */
export function head(major: number, argument: number): Uint8Array {
  const type = major << 5;
  if (argument < 24) return Uint8Array.of(type | argument);
  if (argument < 0x100) return Uint8Array.of(type | 24, argument);
  if (argument < 0x10000) return Uint8Array.of(type | 25, argument >>> 8, argument & 0xff);
  return Uint8Array.of(type | 26, argument >>> 24, (argument >>> 16) & 0xff, (argument >>> 8) & 0xff, argument & 0xff);
}

export function integer(value: number): Uint8Array {
  return value < 0 ? head(1, -1 - value) : head(0, value);
}

export function byteString(bytes: Uint8Array): Uint8Array {
  return concat(head(2, bytes.length), bytes);
}

export function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return concat(head(3, bytes.length), bytes);
}

export function array(...items: Uint8Array[]): Uint8Array {
  return concat(head(4, items.length), ...items);
}

/** Keys and values in turn, already in the order of RFC 8949 section 4.2.1. */
export function map(...entries: Uint8Array[]): Uint8Array {
  return concat(head(5, entries.length / 2), ...entries);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Reads one item that fills `bytes`; undefined if they are anything else. Byte strings are copies. */
export function read(bytes: Uint8Array): Item | undefined {
  const reader = new Reader(bytes);
  try {
    const item = reader.item(0);
    return reader.at === bytes.length ? item : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const DEPTH_MOST = 16;

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  item(depth: number): Item {
    if (depth > DEPTH_MOST) throw new RangeError("too deep");
    const initial = this.#view.getUint8(this.at++);
    const major = initial >> 5;
    if (major === 7) return this.#simple(initial & 31);
    const argument = this.#argument(initial & 31);
    if (major === 0) return argument;
    if (major === 1) return typeof argument === "bigint" ? -1n - argument : -1 - argument;
    const count = Number(argument);
    if (major === 6) return { tag: count, item: this.item(depth + 1) };
    if (count > this.#bytes.length - this.at) throw new RangeError("longer than the input");
    if (major === 2) return this.#take(count).slice();
    if (major === 3) return new TextDecoder().decode(this.#take(count));
    if (major === 4) return Array.from({ length: count }, () => this.item(depth + 1));
    const entries = new Map<Item, Item>();
    for (let i = 0; i < count; i++) entries.set(this.item(depth + 1), this.item(depth + 1));
    return entries;
  }

  #take(count: number): Uint8Array {
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  #simple(value: number): Item {
    if (value === 20 || value === 21) return value === 21;
    if (value === 22) return null;
    throw new RangeError("not in the profile");
  }

  /** Numbers up to 2^53 - 1, bigint beyond. */
  #argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info > 27) throw new RangeError("not in the profile");
    const length = 1 << (info - 24);
    let value = 0n;
    for (let i = 0; i < length; i++) value = (value << 8n) | BigInt(this.#view.getUint8(this.at++));
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
}
