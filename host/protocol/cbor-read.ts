/**
 * Reads an item that `cborCheck` has passed, and only such a one: where the check has judged, nothing is judged again.
 * Byte strings are copies, so that the input may be reused.
 */
import { type CborValue, Major, Simple, Tagged } from "./cbor-value.ts";

export function readChecked(bytes: Uint8Array): CborValue {
  return new Reader(bytes).item();
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // A plain view: what a `Buffer` calls slice is no copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  item(): CborValue {
    const initial = this.#bytes[this.#at++]!;
    const major = initial >> 5;
    const info = initial & 31;
    switch (major) {
      case Major.UNSIGNED:
        return this.#argument(info);
      case Major.NEGATIVE:
        return negative(this.#argument(info));
      case Major.BYTES: {
        const start = this.#skip(info);
        return this.#bytes.slice(start, this.#at);
      }
      case Major.TEXT: {
        const start = this.#skip(info);
        return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#at - start).toString();
      }
      case Major.ARRAY:
        return this.#array(Number(this.#argument(info)));
      case Major.MAP:
        return this.#map(Number(this.#argument(info)));
      case Major.TAG:
        return new Tagged(this.#argument(info), this.item());
      default:
        return info === Simple.NULL ? null : info === Simple.TRUE;
    }
  }

  /** The number that a head carries. */
  #argument(info: number): number | bigint {
    if (info < 24) return info;
    const start = this.#at;
    this.#at += 1 << (info - 24);
    let argument = 0;
    for (let at = start; at < this.#at; at++) argument = argument * 256 + this.#bytes[at]!;
    return Number.isSafeInteger(argument) ? argument : this.#wideArgument(start);
  }

  /** The 8 bytes of one that is over 2^53 - 1. */
  #wideArgument(start: number): bigint {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start).getBigUint64(0);
  }

  /** Goes past a string; where it began. */
  #skip(info: number): number {
    const length = Number(this.#argument(info));
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #array(count: number): CborValue[] {
    const items: CborValue[] = [];
    for (let left = count; left > 0; left--) items.push(this.item());
    return items;
  }

  #map(count: number): Map<CborValue, CborValue> {
    const entries = new Map<CborValue, CborValue>();
    for (let left = count; left > 0; left--) {
      const key = this.item();
      entries.set(key, this.item());
    }
    return entries;
  }
}

/** RFC 8949 section 3.1: -1 less the argument. */
function negative(argument: number | bigint): number | bigint {
  return typeof argument === "number" && argument < Number.MAX_SAFE_INTEGER ? -1 - argument : -1n - BigInt(argument);
}
