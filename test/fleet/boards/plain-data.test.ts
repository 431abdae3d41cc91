/** What a board has beside its memories comes back as it was, in the same bytes each time. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlainData } from "../../../fleet/boards/plain-data.ts";

const leaf = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, false, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53),
  fc.integer(),
  fc.maxSafeNat(),
  fc.double(),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  fc.bigInt(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ud800", "", "\0"),
  fc.uint8Array(),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value")),
    fc.array(fc.tuple(leaf, tie("value"))).map((entries) => new Map(entries)),
    fc.array(leaf).map((items) => new Set(items)),
    fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("value"), { noNullPrototype: true }),
  ),
}));

describe("plain data", () => {
  it("comes back equal to a structured clone, whatever was packed before", () => {
    const plain = new PlainData();
    fc.assert(
      fc.property(value, (before) => {
        const packed = plain.pack(before).slice();
        expect(plain.unpack(packed)).toStrictEqual(structuredClone(before));
        expect(plain.pack(before)).toEqual(Buffer.from(packed));
      }),
    );
  });

  it("is larger than its first room, many times", () => {
    const plain = new PlainData();
    const before = { many: Array.from({ length: 5000 }, (_, i) => BigInt(i) << 40n), text: "ü".repeat(9999) };
    expect(plain.unpack(plain.pack(before).slice())).toStrictEqual(before);
  });

  it("takes a byte for a zero, and names once", () => {
    const plain = new PlainData();
    const rules = Array.from({ length: 10 }, () => ({ aVeryLongNameOfAField: 0n, another: false }));
    // A list and its length, then the kind of each object, its shape, its two values.
    expect(plain.pack(rules)).toHaveLength(2 + 10 * 4);
  });
});
