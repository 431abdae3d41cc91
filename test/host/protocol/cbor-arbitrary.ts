/** Random items of the CBOR profile, and random damage to their encodings, for property tests on both ends. */
import fc from "fast-check";
import { type CborValue, encode, Tagged } from "../../../host/protocol/cbor.ts";

const hexOf = (value: CborValue) => Buffer.from(encode(value)).toString("hex");

const integer = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.maxSafeInteger(),
  // The widths' edges, where a head grows.
  fc
    .tuple(fc.constantFrom(8, 16, 32, 53), fc.integer({ min: -2, max: 2 }), fc.boolean())
    .map(([bits, by, negative]) => (negative ? -1 : 1) * (2 ** bits - 3 + by)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 64n) + 1n, max: -(2n ** 53n) }),
);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "grapheme", minLength: 20, maxLength: 80 }),
  fc.string({ maxLength: 80 }).map((rest) => `\ufeff${rest}`),
);

const bignum = fc
  .tuple(fc.constantFrom(2, 3), fc.integer({ min: 1, max: 255 }), fc.uint8Array({ minLength: 8, maxLength: 20 }))
  .map(([tag, first, rest]) => new Tagged(tag, Uint8Array.from([first, ...rest])));

const leaf: fc.Arbitrary<CborValue> = fc.oneof(
  integer,
  text,
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 250, maxLength: 300 }),
  fc.boolean(),
  fc.constant(null),
);

const tagNumber = fc.oneof(fc.constantFrom(0, 1, 4, 18, 27, 28, 55, 64, 98, 1000, 1001, 0xdfff), fc.nat(0xffffffff));

/** Any item nested at most `depth` deep. */
function item(depth: number): fc.Arbitrary<CborValue> {
  if (depth === 0) return leaf;
  const inner = item(depth - 1);
  const map = fc
    .uniqueArray(fc.tuple(fc.oneof({ weight: 5, arbitrary: leaf }, inner), inner), {
      selector: ([key]) => hexOf(key),
      maxLength: 6,
    })
    .map((entries) => new Map(entries));
  const tagged = fc
    .tuple(tagNumber, inner)
    .filter(([tag]) => tag !== 2 && tag !== 3)
    .map(([tag, value]) => new Tagged(tag, value));
  return fc.oneof(leaf, fc.array(inner, { maxLength: 5 }), map, tagged, ...(depth > 0 ? [bignum] : []));
}

export const cborValue: fc.Arbitrary<CborValue> = fc.oneof(item(1), item(3));

/** Bytes with one to three small hurts: a byte changed, dropped, doubled or inserted, or the end cut off. */
export function damaged(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const hurt = fc.tuple(fc.constantFrom("change", "flip", "drop", "double", "insert", "cut"), fc.nat(), fc.nat(255));
  return fc.tuple(bytes, fc.array(hurt, { minLength: 1, maxLength: 3 })).map(([original, hurts]) => {
    let out = [...original];
    for (const [how, where, byte] of hurts) {
      const at = where % Math.max(out.length, 1);
      if (how === "change") out[at] = byte;
      else if (how === "flip") out[at] = (out[at] ?? 0) ^ (1 << (byte & 7));
      else if (how === "drop") out.splice(at, 1);
      else if (how === "double") out.splice(at, 0, ...out.slice(at, at + 1 + (byte & 3)));
      else if (how === "insert") out.splice(at, 0, byte);
      else out = out.slice(0, at);
    }
    return Uint8Array.from(out);
  });
}

/** Bytes that look like CBOR often enough to get deep into a decoder. */
export const cborLike: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 24 }),
  fc
    .array(
      fc.constantFrom(
        0x00,
        0x17,
        0x18,
        0x20,
        0x40,
        0x41,
        0x60,
        0x61,
        0x80,
        0x81,
        0x82,
        0xa0,
        0xa1,
        0xa2,
        0xc1,
        0xc2,
        0xf5,
        0xf6,
      ),
      {
        maxLength: 24,
      },
    )
    .map((list) => Uint8Array.from(list)),
);
