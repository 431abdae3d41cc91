/**
 * Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), as much as reading needs: the fields of a
 * message, in their order. Strict: a field that ends outside its message, a group, a varint of over 64 bits and field
 * number 0 are refused.
 */
import { WorkloadError } from "./errors.ts";

export const Wire = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/** Where something lies in a file: from a byte up to, but not with, another. */
export type Span = { from: number; until: number };

export type Field = Span & {
  number: number;
  wire: number;
  /** Of a varint, unsigned; over 2^53 it is not exact. 0 for all else. */
  value: number;
};

export type Source = { bytes: Uint8Array; file: string };

const VARINT_BYTES_MAX = 10;
const TAG_MAX = 2 ** 32;

export function* fieldsOf(source: Source, span: Span): Generator<Field> {
  let at = span.from;
  while (at < span.until) {
    const tag = varint(source, { from: at, until: span.until });
    const number = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (number === 0 || tag.value >= TAG_MAX) throw broken(source, at, "is no tag of a field");
    const field = { number, wire, ...contentOf(source, wire, { from: tag.until, until: span.until }) };
    yield field;
    at = field.until;
  }
}

function contentOf(source: Source, wire: number, span: Span): Span & { value: number } {
  if (wire === Wire.VARINT) return varint(source, span);
  let { from } = span;
  let length = wire === Wire.FIXED64 ? 8 : 4;
  if (wire === Wire.BYTES) ({ value: length, until: from } = varint(source, span));
  else if (wire !== Wire.FIXED64 && wire !== Wire.FIXED32) throw broken(source, from, `has wire type ${wire}`);
  if (length > span.until - from) throw broken(source, from, "is longer than the message it stands in");
  return { from, until: from + length, value: 0 };
}

/** Little end first, seven bits a byte. `until` is where it ends. */
export function varint({ bytes, file }: Source, span: Span): Span & { value: number } {
  let value = 0;
  for (let at = span.from, scale = 1; at < span.until && at < span.from + VARINT_BYTES_MAX; at++, scale *= 128) {
    const byte = bytes[at]!;
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (at === span.from + VARINT_BYTES_MAX - 1 && byte > 1) break;
      return { value, from: span.from, until: at + 1 };
    }
  }
  throw broken({ bytes, file }, span.from, "is no whole number");
}

function broken({ file }: Source, at: number, what: string): WorkloadError {
  return new WorkloadError("trace/malformed", `${file}: what stands at byte ${at} ${what}`);
}
