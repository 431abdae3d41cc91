/**
 * The strict CBOR check of the host: the rules of `firmware/cbor/check.ts`, which explains them, in the same order and
 * with the same codes. RFC 8949 section 4.2.1 and our profile.
 */
import { isUtf8 } from "node:buffer";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";

/** Where a reader's rules differ from those of the governor's own messages, which are bounded by their length. */
export interface CborRules {
  /** Most items in all, nested ones included: bounds what decoding a long message allocates. */
  readonly itemsMax?: number;
  /** Most arrays, maps and tags open at once. */
  readonly depthMax?: number;
  /** Whether the keys of a map may come in any order, as others write them; none may come twice. */
  readonly anyKeyOrder?: boolean;
}

const PROFILE: CborRules = {};

/** `ErrorCode.OK` if the bytes are exactly one deterministic item of the profile, else the first violation met. */
export function cborCheck(bytes: Uint8Array, rules: CborRules = PROFILE): ErrorCode {
  const scan = new Scan(bytes, rules);
  const next = scan.item(0, 0, false);
  if (next < 0) return scan.refusal;
  return next === bytes.length ? ErrorCode.OK : ErrorCode.CBOR_TRAILING;
}

/** The bytewise order of two parts of one buffer: below, at or above zero. */
function compareParts(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const common = Math.min(aEnd - a, bEnd - b);
  for (let i = 0; i < common; i++) {
    const order = bytes[a + i]! - bytes[b + i]!;
    if (order !== 0) return order;
  }
  return aEnd - a - (bEnd - b);
}

/** Every method gives the offset after what it read, or -1 with `refusal` set. */
class Scan {
  refusal: ErrorCode = ErrorCode.OK;
  readonly #bytes: Uint8Array;
  readonly #depthMax: number;
  readonly #anyKeyOrder: boolean;
  #itemsLeft: number;

  constructor(bytes: Uint8Array, rules: CborRules) {
    this.#bytes = bytes;
    this.#depthMax = rules.depthMax ?? Limit.CBOR_DEPTH_MAX;
    this.#anyKeyOrder = rules.anyKeyOrder ?? false;
    this.#itemsLeft = rules.itemsMax ?? Number.POSITIVE_INFINITY;
  }

  /** `depth` counts the arrays, maps and tags around the item. */
  item(start: number, depth: number, bignum: boolean): number {
    const bytes = this.#bytes;
    if (this.#itemsLeft-- === 0) return this.#refuse(ErrorCode.CBOR_LENGTH);
    const initial = bytes[start];
    if (initial === undefined) return this.#refuse(ErrorCode.CBOR_TRUNCATED);
    const major = initial >> 5;
    const info = initial & 31;
    if (info === 31) return this.#refuse(ErrorCode.CBOR_INDEFINITE);
    if (info > 27) return this.#refuse(ErrorCode.CBOR_RESERVED);
    let at = start + 1;

    if (major === 7) {
      if (info > 24) return this.#refuse(ErrorCode.CBOR_FLOAT);
      if (info < 20 || info > 22) return this.#refuse(ErrorCode.CBOR_SIMPLE);
      return bignum ? this.#refuse(ErrorCode.CBOR_TYPE) : at;
    }

    // Over 2^53 it is rounded, which changes none of the comparisons below.
    let argument = info;
    if (info > 23) {
      const width = 1 << (info - 24);
      if (bytes.length - at < width) return this.#refuse(ErrorCode.CBOR_TRUNCATED);
      argument = 0;
      for (let i = 0; i < width; i++) argument = argument * 256 + bytes[at + i]!;
      at += width;
      const least = width === 1 ? 24 : 2 ** (width * 4);
      if (argument < least) return this.#refuse(ErrorCode.CBOR_NOT_SHORTEST);
    }

    if (bignum && major !== 2) return this.#refuse(ErrorCode.CBOR_TYPE);
    if (major < 2) return at;

    const rest = bytes.length - at;
    if (major < 4) {
      if (argument > rest) return this.#refuse(ErrorCode.CBOR_TRUNCATED);
      const next = at + argument;
      if (major === 3 && !isUtf8(bytes.subarray(at, next))) return this.#refuse(ErrorCode.CBOR_UTF8);
      if (bignum && (argument <= 8 || bytes[at] === 0)) return this.#refuse(ErrorCode.CBOR_NOT_SHORTEST);
      return next;
    }

    if (depth === this.#depthMax) return this.#refuse(ErrorCode.CBOR_DEPTH);
    if (major === 4) return this.#array(at, argument, rest, depth + 1);
    if (major === 5) return this.#map(at, argument, rest, depth + 1);
    return this.item(at, depth + 1, argument === 2 || argument === 3);
  }

  #array(start: number, count: number, rest: number, depth: number): number {
    if (count > rest) return this.#refuse(ErrorCode.CBOR_TRUNCATED);
    let at = start;
    for (let left = count; left > 0 && at >= 0; left--) at = this.item(at, depth, false);
    return at;
  }

  #map(start: number, count: number, rest: number, depth: number): number {
    if (count > Math.floor(rest / 2)) return this.#refuse(ErrorCode.CBOR_TRUNCATED);
    let at = start;
    let previousAt = -1;
    let previousEnd = -1;
    const seen = this.#anyKeyOrder ? new Set<string>() : undefined;
    for (let left = count; left > 0 && at >= 0; left--) {
      const keyAt = at;
      const keyEnd = this.item(keyAt, depth, false);
      if (keyEnd < 0) return keyEnd;
      if (seen) {
        // Heads are the shortest, so two keys are the same exactly if their bytes are.
        const key = Buffer.from(this.#bytes.subarray(keyAt, keyEnd)).toString("latin1");
        if (seen.has(key)) return this.#refuse(ErrorCode.CBOR_KEY_DUPLICATE);
        seen.add(key);
      } else if (previousAt >= 0) {
        const order = compareParts(this.#bytes, previousAt, previousEnd, keyAt, keyEnd);
        if (order === 0) return this.#refuse(ErrorCode.CBOR_KEY_DUPLICATE);
        if (order > 0) return this.#refuse(ErrorCode.CBOR_KEY_ORDER);
      }
      previousAt = keyAt;
      previousEnd = keyEnd;
      at = this.item(keyEnd, depth, false);
    }
    return at;
  }

  #refuse(code: ErrorCode): number {
    this.refusal = code;
    return -1;
  }
}
