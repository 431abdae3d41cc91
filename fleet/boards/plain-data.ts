/**
 * Plain data in few bytes: what a board has beside its memories is mostly zeros, small numbers and the same names over and
 * over. Objects go by the number of their shape, zeros take a byte; what is no plain data (an array of bytes, a date) goes by
 * V8. What shares an object, or holds itself, is not for here. The same values in the same order give the same bytes.
 */
import { deserialize, serialize } from "node:v8";

enum Tag {
  UNDEFINED,
  NULL,
  FALSE,
  TRUE,
  /** Followed by a varint. */
  NATURAL,
  /** Followed by eight bytes. */
  DOUBLE,
  BIG_ZERO,
  /** Signed, followed by eight bytes. */
  BIG_64,
  /** The five below are followed by a varint, their length. */
  BIG_DECIMAL,
  TEXT,
  ARRAY,
  SET,
  MAP,
  /** Followed by the number of its shape and its values. */
  OBJECT,
  /** By V8: its length as a varint, then that. */
  OTHER,
}

/** A BigInt of this many bits or fewer goes as eight bytes. */
const BIG_BITS = 64;

/** Writes and reads; both sides know shapes by number, so what one of these has packed only it can read. */
export class PlainData {
  readonly #shapes: (readonly string[])[] = [];
  readonly #shapeOf = new Map<string, number>();
  #room: Buffer = Buffer.alloc(4096);
  #at = 0;

  /** Valid until the next call: whoever keeps it copies it. */
  pack(value: unknown): Uint8Array {
    this.#at = 0;
    this.#write(value);
    return this.#room.subarray(0, this.#at);
  }

  unpack(packed: Uint8Array): unknown {
    return new Reader(packed, this.#shapes).value();
  }

  #write(value: unknown): void {
    if (typeof value === "bigint") this.#big(value);
    else if (typeof value === "number") this.#number(value);
    else if (value === undefined) this.#tag(Tag.UNDEFINED);
    else if (value === null) this.#tag(Tag.NULL);
    else if (typeof value === "boolean") this.#tag(value ? Tag.TRUE : Tag.FALSE);
    else if (typeof value === "string" && value.isWellFormed()) this.#text(Tag.TEXT, value);
    else if (Array.isArray(value)) this.#list(Tag.ARRAY, value.length, value);
    else this.#object(value);
  }

  #object(value: unknown): void {
    // Set by its name, a field `__proto__` would be something else.
    const isPlain = typeof value === "object" && value !== null && !Object.hasOwn(value, "__proto__");
    const kind = isPlain ? Object.getPrototypeOf(value) : undefined;
    if (kind === Object.prototype) this.#shaped(value as Record<string, unknown>);
    else if (kind === Set.prototype) this.#list(Tag.SET, (value as Set<unknown>).size, value as Set<unknown>);
    else if (kind === Map.prototype) this.#map(value as Map<unknown, unknown>);
    else this.#other(value);
  }

  #list(tag: Tag, size: number, items: Iterable<unknown>): void {
    this.#sized(tag, size);
    for (const item of items) this.#write(item);
  }

  #map(map: Map<unknown, unknown>): void {
    this.#sized(Tag.MAP, map.size);
    for (const [key, item] of map) {
      this.#write(key);
      this.#write(item);
    }
  }

  #other(value: unknown): void {
    const bytes = serialize(value);
    this.#sized(Tag.OTHER, bytes.length);
    this.#reserve(bytes.length);
    this.#room.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #shaped(value: Record<string, unknown>): void {
    const names = Object.keys(value);
    const joined = JSON.stringify(names);
    let shape = this.#shapeOf.get(joined);
    if (shape === undefined) {
      shape = this.#shapes.push(names) - 1;
      this.#shapeOf.set(joined, shape);
    }
    this.#sized(Tag.OBJECT, shape);
    for (const name of names) this.#write(value[name]);
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.#sized(Tag.NATURAL, value);
      return;
    }
    this.#tag(Tag.DOUBLE);
    this.#reserve(8);
    this.#at = this.#room.writeDoubleBE(value, this.#at);
  }

  #big(value: bigint): void {
    if (value === 0n) {
      this.#tag(Tag.BIG_ZERO);
    } else if (BigInt.asIntN(BIG_BITS, value) === value) {
      this.#tag(Tag.BIG_64);
      this.#reserve(8);
      this.#at = this.#room.writeBigInt64BE(value, this.#at);
    } else {
      this.#text(Tag.BIG_DECIMAL, `${value}`);
    }
  }

  #text(tag: Tag, text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#sized(tag, bytes);
    this.#reserve(bytes);
    this.#at += this.#room.write(text, this.#at);
  }

  #sized(tag: Tag, size: number): void {
    this.#tag(tag);
    this.#reserve(8);
    let left = size;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#room[this.#at++] = (left % 0x80) | 0x80;
    this.#room[this.#at++] = left;
  }

  #tag(tag: Tag): void {
    this.#reserve(1);
    this.#room[this.#at++] = tag;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#room.length) return;
    const room = Buffer.alloc(2 * (this.#at + bytes));
    room.set(this.#room);
    this.#room = room;
  }
}

class Reader {
  readonly #bytes: Buffer;
  readonly #shapes: readonly (readonly string[])[];
  #at = 0;

  constructor(packed: Uint8Array, shapes: readonly (readonly string[])[]) {
    this.#bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
    this.#shapes = shapes;
  }

  value(): unknown {
    const tag: Tag = this.#bytes[this.#at++]!;
    switch (tag) {
      case Tag.UNDEFINED:
        return undefined;
      case Tag.NULL:
        return null;
      case Tag.FALSE:
        return false;
      case Tag.TRUE:
        return true;
      case Tag.NATURAL:
        return this.#size();
      case Tag.DOUBLE:
        return this.#bytes.readDoubleBE(this.#pass(8));
      case Tag.BIG_ZERO:
        return 0n;
      case Tag.BIG_64:
        return this.#bytes.readBigInt64BE(this.#pass(8));
      case Tag.BIG_DECIMAL:
        return BigInt(this.#text());
      case Tag.TEXT:
        return this.#text();
      case Tag.ARRAY:
        return this.#items();
      case Tag.SET:
        return new Set(this.#items());
      case Tag.MAP:
        return this.#map();
      case Tag.OBJECT:
        return this.#object();
      case Tag.OTHER: {
        const length = this.#size();
        const at = this.#pass(length);
        return deserialize(this.#bytes.subarray(at, at + length));
      }
    }
  }

  #object(): object {
    const value: Record<string, unknown> = {};
    for (const name of this.#shapes[this.#size()]!) value[name] = this.value();
    return value;
  }

  #map(): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (let left = this.#size(); left > 0; left--) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  #items(): unknown[] {
    const items: unknown[] = [];
    for (let left = this.#size(); left > 0; left--) items.push(this.value());
    return items;
  }

  #text(): string {
    const length = this.#size();
    const at = this.#pass(length);
    return this.#bytes.toString("utf8", at, at + length);
  }

  #size(): number {
    let size = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = this.#bytes[this.#at++]!;
      size += (byte & 0x7f) * unit;
      if (byte < 0x80) return size;
    }
  }

  #pass(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
