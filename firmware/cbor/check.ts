/**
 * The strict CBOR check: exactly one item in core deterministic encoding (RFC 8949 section 4.2.1), within our profile.
 *
 * - shortest heads, definite lengths; map keys in bytewise order of their encodings, none twice;
 * - valid UTF-8; no floating point; of the simple values only false, true and null;
 * - at most 8 arrays, maps and tags open at once (a scalar inside the eighth is still fine);
 * - bignums (tags 2 and 3) only over 64 bits and without leading zeros: preferred serialization, section 3.4.3;
 * - no byte after the item.
 *
 * The code is that of the first violation met, reading from left to right. `host/protocol/cbor-check.ts` is the same
 * rules in the same order, and a property test holds the two together. Work is linear in the length: each item is
 * read once, and a map key is compared with the key before it only.
 */
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { isUtf8 } from "./utf8";

// Scratch of one call: where the input ends, and what was found.
let end: usize = 0;
let refusal: i32 = ErrorCode.OK;

function refuse(code: i32): usize {
  refusal = code;
  return 0;
}

/** 0 if the bytes are exactly one deterministic item of the profile, else the error code. */
export function cborCheck(ptr: usize, len: i32): i32 {
  if (len <= 0) return ErrorCode.CBOR_TRUNCATED;
  end = ptr + <usize>len;
  refusal = ErrorCode.OK;
  const next = item(ptr, 0, false);
  if (next == 0) return refusal;
  return next == end ? ErrorCode.OK : ErrorCode.CBOR_TRAILING;
}

/** The address after the item at `at`, or 0 with `refusal` set. `depth` counts the arrays, maps and tags around it. */
function item(at: usize, depth: i32, bignum: bool): usize {
  if (at >= end) return refuse(ErrorCode.CBOR_TRUNCATED);
  const initial = <u32>load<u8>(at);
  const major = initial >> 5;
  const info = initial & 31;
  if (info == 31) return refuse(ErrorCode.CBOR_INDEFINITE);
  if (info > 27) return refuse(ErrorCode.CBOR_RESERVED);
  at += 1;

  if (major == 7) {
    if (info > 24) return refuse(ErrorCode.CBOR_FLOAT);
    if (info < 20 || info > 22) return refuse(ErrorCode.CBOR_SIMPLE);
    return bignum ? refuse(ErrorCode.CBOR_TYPE) : at;
  }

  let argument: u64 = info;
  if (info > 23) {
    const width = (<usize>1) << (info - 24);
    if (end - at < width) return refuse(ErrorCode.CBOR_TRUNCATED);
    argument = 0;
    for (let i: usize = 0; i < width; i++) argument = (argument << 8) | <u64>load<u8>(at + i);
    at += width;
    // What the next narrower head could have held: 23, then 8, 16 and 32 bits.
    const least: u64 = width == 1 ? 24 : (<u64>1) << (<u64>width * 4);
    if (argument < least) return refuse(ErrorCode.CBOR_NOT_SHORTEST);
  }

  if (bignum && major != 2) return refuse(ErrorCode.CBOR_TYPE);
  if (major < 2) return at;

  const rest = <u64>(end - at);
  if (major < 4) {
    if (argument > rest) return refuse(ErrorCode.CBOR_TRUNCATED);
    const next = at + <usize>argument;
    if (major == 3 && !isUtf8(at, next)) return refuse(ErrorCode.CBOR_UTF8);
    if (bignum && (argument <= 8 || load<u8>(at) == 0)) return refuse(ErrorCode.CBOR_NOT_SHORTEST);
    return next;
  }

  if (depth == Limit.CBOR_DEPTH_MAX) return refuse(ErrorCode.CBOR_DEPTH);
  if (major == 4) return array(at, argument, rest, depth + 1);
  if (major == 5) return map(at, argument, rest, depth + 1);
  return item(at, depth + 1, argument == 2 || argument == 3);
}

function array(at: usize, count: u64, rest: u64, depth: i32): usize {
  // An item takes a byte at least, so a larger count can't be met; this also brings it into 32 bits.
  if (count > rest) return refuse(ErrorCode.CBOR_TRUNCATED);
  for (let left = <u32>count; left > 0; left--) {
    at = item(at, depth, false);
    if (at == 0) return 0;
  }
  return at;
}

function map(at: usize, count: u64, rest: u64, depth: i32): usize {
  if (count > rest >> 1) return refuse(ErrorCode.CBOR_TRUNCATED);
  let previous: usize = 0;
  let previousLength: usize = 0;
  for (let left = <u32>count; left > 0; left--) {
    const key = at;
    at = item(key, depth, false);
    if (at == 0) return 0;
    const keyLength = at - key;
    if (previous != 0) {
      const order = cborCompare(previous, previousLength, key, keyLength);
      if (order == 0) return refuse(ErrorCode.CBOR_KEY_DUPLICATE);
      if (order > 0) return refuse(ErrorCode.CBOR_KEY_ORDER);
    }
    previous = key;
    previousLength = keyLength;
    at = item(at, depth, false);
    if (at == 0) return 0;
  }
  return at;
}

/** Bytewise order of two encoded items: below, at or above 0. No encoding is the beginning of another. */
export function cborCompare(a: usize, aLen: usize, b: usize, bLen: usize): i32 {
  return memory.compare(a, b, min(aLen, bLen));
}
