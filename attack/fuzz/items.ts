/** The items of CBOR bytes, and items that readers get wrong: what mutations are made of. */
import type { Random } from "../../sim-board/random.ts";

/** `length` bytes at `offset` are replaced; of what lies beyond the end there is none. */
export type Cut = { offset: number; length: number; bytes: Uint8Array };

type Item = {
  offset: number;
  /** Where its content begins, and what its head says. */
  content: number;
  major: number;
  argument: bigint;
  end: number;
  /** Of an array or a map, keys and values in turn. */
  children: Item[];
};

/** Integers at the bounds of types and of the protocol. */
const ODD_INTEGERS = [
  ...[0n, 1n, 2n, 3n, 23n, 24n, 255n, 256n, 999n, 1000n, 1024n, 65_535n, 65_536n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n],
  ...[2n ** 40n, 2n ** 40n + 1n, 2n ** 53n, 2n ** 56n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];
/** Lengths of byte strings that mean something. */
const ODD_LENGTHS = [0, 1, 8, 16, 32, 33, 64];
/**
 * Simple values and floats; texts; tags and bignums; arrays and maps, with keys twice, out of order, or too deep; heads
 * that are too long; indefinite lengths; what is reserved or ends in its middle.
 */
const ODD_BYTES = `
  f4 f5 f6 f7 f820 f97e00 fa7f800000 fb3ff8000000000000
  60 6161 61ff 62c080 63eda080
  c000 d26161 d862f6 c249010000000000000000 c24101 c249000000000000000001
  80 a0 8100 a10000 a2010001f6 a200000000 a201000000 8181818181818181f6 818181818181818180
  1800 190017 1a00000001 1b0000000000000001 5800 980100 b80000
  9f00ff bf0000ff 5f4100ff
  1c 3d 5e ff 18 41 5b7fffffffffffffff 9bffffffffffffffff bbffffffffffffffff 9a7fffffff`;

const ODD_ITEMS: readonly Uint8Array[] = [
  ...ODD_INTEGERS.flatMap((value) => [headOf(0, value), headOf(1, value)]),
  ...ODD_LENGTHS.map((length) => Buffer.concat([headOf(2, BigInt(length)), Buffer.alloc(length, 1)])),
  ...ODD_BYTES.trim()
    .split(/\s+/)
    .map((text) => new Uint8Array(Buffer.from(text, "hex"))),
];

/** The shortest head. */
function headOf(major: number, argument: bigint): Uint8Array {
  if (argument < 24n) return Uint8Array.of((major << 5) | Number(argument));
  const width = argument < 2n ** 8n ? 0 : argument < 2n ** 16n ? 1 : argument < 2n ** 32n ? 2 : 3;
  const head = Buffer.alloc(9);
  head.writeBigUInt64BE(argument, 1);
  head[8 - (1 << width)] = (major << 5) | (24 + width);
  return head.subarray(8 - (1 << width));
}

/** All items of bytes that begin with one, those in byte strings too; none of bytes that are none. */
function itemsIn(bytes: Uint8Array, from = 0, to = bytes.length): Item[] {
  const items: Item[] = [];
  return from < to && readItem(bytes, from, to, items) ? items : [];
}

function readItem(bytes: Uint8Array, offset: number, to: number, items: Item[]): Item | undefined {
  const major = bytes[offset]! >> 5;
  const info = bytes[offset]! & 31;
  const width = info < 24 ? 0 : 1 << (info - 24);
  const content = offset + 1 + width;
  if (info > 27 || content > to) return undefined;
  let argument = BigInt(info);
  if (width > 0) argument = BigInt(`0x${Buffer.from(bytes.subarray(offset + 1, content)).toString("hex")}`);
  const item: Item = { offset, content, major, argument, end: content, children: [] };
  items.push(item);
  if (major === 2 || major === 3) {
    if (argument > BigInt(to - content)) return undefined;
    item.end = content + Number(argument);
    if (major === 2) items.push(...nestedIn(bytes, content, item.end));
  } else if (major === 4 || major === 5 || major === 6) {
    const count = major === 6 ? 1n : argument * BigInt(major - 3);
    if (count > BigInt(to - content)) return undefined;
    for (let i = 0; i < count; i++) {
      const child = item.end < to ? readItem(bytes, item.end, to, items) : undefined;
      if (!child) return undefined;
      item.children.push(child);
      item.end = child.end;
    }
  }
  return item;
}

/** What a byte string holds, if it is a map or has a tag: payloads, headers and signed objects. */
function nestedIn(bytes: Uint8Array, from: number, to: number): Item[] {
  const major = from < to ? bytes[from]! >> 5 : 0;
  if (major !== 5 && major !== 6) return [];
  const items = itemsIn(bytes, from, to);
  return items[0]?.end === to ? items : [];
}

/** Something is other than it was with an item of the bytes; later cuts come first. */
export function changeItem(bytes: Uint8Array, random: Random): Cut[] {
  const items = itemsIn(bytes);
  if (items.length === 0) return changeBytes(bytes, random);
  const item = items[random.below(items.length)]!;
  const { offset, content, major, argument, end, children } = item;
  const whole = end - offset;
  const head = (changed: bigint) => ({
    offset,
    length: content - offset,
    bytes: headOf(major, BigInt.asUintN(64, changed)),
  });
  switch (random.below(8)) {
    case 0:
    case 1:
      return [{ offset, length: whole, bytes: oddItem(random) }];
    case 2: {
      const other = items[random.below(items.length)]!;
      return [{ offset, length: whole, bytes: bytes.slice(other.offset, other.end) }];
    }
    case 3:
      return [{ offset, length: 0, bytes: bytes.slice(offset, end) }];
    case 4:
      return [head(argument + BigInt(random.below(5)) - 2n)];
    default:
  }
  if (children.length === 0) {
    const step = 1n << BigInt(random.below(64));
    return major < 2 ? [head(argument + step)] : changeBytes(bytes, random, offset, end);
  }
  return changeEntry(item, bytes, random);
}

/** An entry more or less, and the count is right. */
function changeEntry(
  { offset, content, major, argument, end, children }: Item,
  bytes: Uint8Array,
  random: Random,
): Cut[] {
  const size = major === 5 ? 2 : 1;
  const at = size * random.below(children.length / size);
  const first = children[at]!.offset;
  const length = children[at + size - 1]!.end - first;
  if (major === 6) return [{ offset: first, length, bytes: oddItem(random) }];
  const head = (count: bigint) => ({ offset, length: content - offset, bytes: headOf(major, count) });
  if (random.below(2) === 0) return [{ offset: first, length, bytes: new Uint8Array(0) }, head(argument - 1n)];
  const isOdd = random.below(2) === 0;
  const more = isOdd
    ? Buffer.concat(Array.from({ length: size }, () => oddItem(random)))
    : bytes.slice(first, first + length);
  return [{ offset: random.below(2) === 0 ? end : first, length: 0, bytes: more }, head(argument + 1n)];
}

function oddItem(random: Random): Uint8Array {
  return ODD_ITEMS[random.below(ODD_ITEMS.length)]!;
}

/** Bytes are other than they were, anywhere or within a range. */
export function changeBytes(bytes: Uint8Array, random: Random, from = 0, to = bytes.length): Cut[] {
  const offset = from + random.below(to - from + 1);
  const few = 1 + random.below(4);
  switch (random.below(6)) {
    case 0:
      return [{ offset, length: few, bytes: new Uint8Array(0) }];
    case 1:
      return [{ offset, length: 0, bytes: random.bytes(few) }];
    case 2:
      return [{ offset, length: bytes.length, bytes: new Uint8Array(0) }];
    case 3:
      return [{ offset, length: random.below(16), bytes: oddItem(random) }];
    case 4:
      return [{ offset, length: few, bytes: random.bytes(few) }];
    default:
      return [{ offset, length: 1, bytes: Uint8Array.of((bytes[offset] ?? 0) ^ (1 << random.below(8))) }];
  }
}

/** The bytes with what is cut replaced, one cut after the other. */
export function withCuts(bytes: Uint8Array, cuts: readonly Cut[]): Uint8Array {
  let result = bytes;
  for (const { offset, length, bytes: instead } of cuts) {
    const head = result.subarray(0, offset);
    result = Buffer.concat([head, instead, result.subarray(head.length + length)]);
  }
  return result;
}
