/** The field, the scalars and the tables against arithmetic on big integers, at their edges and at random. */
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { concat, fromInteger, toInteger } from "./bytes.ts";
import { loadProbe, type Probe } from "./probe.ts";

const { Point } = ed25519;
const P = 2n ** 255n - 19n;
const L = Point.Fn.ORDER;
const mod = (value: bigint, modulus: bigint) => ((value % modulus) + modulus) % modulus;

/** Big integers below 2^bits, among them the ones where carries run far. */
function integers(bits: bigint): fc.Arbitrary<bigint> {
  const edges = [0n, 1n, 2n, 19n, P - 1n, P, P + 18n, L - 1n, L, L + 1n, 2n * L - 1n, 2n ** 255n - 1n, 2n ** bits - 1n];
  const stripes = [29n, 58n, 128n, 232n, 252n].flatMap((n) => [2n ** n, 2n ** n - 1n]);
  return fc.oneof(
    fc.constantFrom(...[...edges, ...stripes].filter((value) => value < 2n ** bits)),
    fc.bigInt({ min: 0n, max: 2n ** bits - 1n }),
  );
}

let probe: Probe;
beforeAll(async () => {
  probe = await loadProbe();
});

const put = (slot: number, value: bigint, length = 32) => probe.put(slot * 64, fromInteger(value, length));
const taken = (slot: number) => toInteger(probe.get(probe.at(slot * 64), 32));

describe("the field", () => {
  const field = integers(255n);

  it("adds, subtracts, multiplies and squares", () => {
    fc.assert(
      fc.property(field, field, field, (a, b, c) => {
        probe.call("fieldMixed", put(0, a), put(1, b), put(2, c), probe.at(192));
        expect(taken(3)).toBe(mod(((a + b) * (a - b) - c) ** 2n, P));
      }),
      { numRuns: 1000 },
    );
  });

  it("encodes a difference as the one number below p, and tells 0 from all others", () => {
    fc.assert(
      fc.property(field, field, (a, b) => {
        const residue = probe.call("fieldDifference", put(0, a), put(1, b), probe.at(128));
        expect(taken(2)).toBe(mod(a - b, P));
        expect(residue === 0).toBe(mod(a - b, P) === 0n);
        expect(probe.call("fieldDifference", put(0, a), put(1, a), probe.at(128))).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  /** Limbs of an element of a weight (field25519.ts), at the edges as often as anywhere. */
  function limbs(weight: number): fc.Arbitrary<number[]> {
    const max = Math.min(Math.floor(weight * 1.001 * 2 ** 28), 2 ** 31 - 1);
    const limb = fc.oneof(fc.constantFrom(max, -max), fc.integer({ min: -max, max }));
    return fc.oneof(
      fc.constantFrom(max, -max).map((one) => new Array<number>(9).fill(one)),
      fc.array(limb, { minLength: 9, maxLength: 9 }),
    );
  }
  const integerOf = (element: number[]) => element.reduceRight((sum, limb) => sum * 2n ** 29n + BigInt(limb), 0n);
  const putLimbs = (slot: number, element: number[]) =>
    probe.put(slot * 64, new Uint8Array(Int32Array.from(element).buffer));

  it("multiplies, squares and encodes elements of the weights that it says it takes", () => {
    for (const [left, right] of [
      [2, 7],
      [7, 2],
      [Math.sqrt(14), Math.sqrt(14)],
    ] as const) {
      fc.assert(
        fc.property(limbs(left), limbs(right), limbs(7), (f, g, h) => {
          probe.call("fieldProduct", putLimbs(0, f), putLimbs(1, g), probe.at(192));
          expect(taken(3)).toBe(mod(integerOf(f) * integerOf(g), P));
          probe.call("fieldEncoded", putLimbs(0, h), probe.at(192));
          expect(taken(3)).toBe(mod(integerOf(h), P));
        }),
        { numRuns: 300 },
      );
    }
    fc.assert(
      fc.property(limbs(Math.sqrt(14)), (f) => {
        probe.call("fieldSquared", putLimbs(0, f), probe.at(192));
        expect(taken(3)).toBe(mod(integerOf(f) ** 2n, P));
      }),
      { numRuns: 300 },
    );
  });

  it("inverts, and makes 0 of 0", () => {
    fc.assert(
      fc.property(field, (a) => {
        probe.call("fieldInverse", put(0, a), probe.at(64));
        expect(taken(1)).toBe(mod(a, P) === 0n ? 0n : Point.Fp.inv(mod(a, P)));
      }),
    );
  });
});

describe("the scalars", () => {
  it("reduces 512 bits", () => {
    const multiples = fc.bigInt({ min: 0n, max: 2n ** 259n }).map((n) => n * L);
    fc.assert(
      fc.property(fc.oneof(integers(512n), multiples), (wide) => {
        probe.call("scalarReduce", probe.at(64), put(0, wide, 64));
        expect(taken(1)).toBe(wide % L);
      }),
      { numRuns: 1000 },
    );
  });

  it("multiplies and adds any three numbers of 256 bits", () => {
    const any = integers(256n);
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        probe.call("scalarMultiplyAdd", probe.at(192), put(0, a), put(1, b), put(2, c));
        expect(taken(3)).toBe((a * b + c) % L);
      }),
      { numRuns: 1000 },
    );
  });

  it("tells a number below L from all others", () => {
    fc.assert(
      fc.property(integers(256n), (value) => {
        expect(probe.call("scalarExcess", put(0, value))).toBe(value < L ? 0 : 1);
      }),
      { numRuns: 1000 },
    );
  });

  it("recodes a scalar into 256 digits of +1 and -1", () => {
    fc.assert(
      fc.property(integers(255n), (scalar) => {
        probe.call("scalarSignedBits", probe.at(64), put(0, scalar));
        expect(mod(2n * taken(1) - (2n ** 256n - 1n), L)).toBe(scalar % L);
      }),
      { numRuns: 1000 },
    );
  });

  it("recodes a scalar into odd digits that stand far enough apart", () => {
    fc.assert(
      fc.property(integers(256n), fc.constantFrom(5, 6), (scalar, width) => {
        probe.call("scalarNonAdjacent", probe.at(64), put(0, scalar), width);
        const digits = new Int8Array(probe.get(probe.at(64), 257).buffer);
        let sum = 0n;
        let last = -width;
        for (const [i, digit] of digits.entries()) {
          if (digit === 0) continue;
          expect(Math.abs(digit) % 2).toBe(1);
          expect(Math.abs(digit)).toBeLessThan(2 ** (width - 1));
          expect(i - last).toBeGreaterThanOrEqual(width);
          last = i;
          sum += BigInt(digit) * 2n ** BigInt(i);
        }
        expect(sum).toBe(scalar);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the tables", () => {
  const ENTRY_BYTES = 96;

  /** y + x, y - x and 2dxy of a multiple of B, as they must lie in memory. */
  function entry(multiple: bigint): Uint8Array {
    const { x, y } = Point.BASE.multiply(mod(multiple, L)).toAffine();
    return concat(...[y + x, y - x, 2n * Point.CURVE().d * x * y].map((value) => fromInteger(mod(value, P))));
  }

  /** Of a multiple of B: the 32 sums of teeth that the head of comb25519.ts describes. */
  function expectCombs(address: number, multiple: bigint): void {
    for (let j = 0; j < 4; j++) {
      for (let i = 0; i < 8; i++) {
        let teeth = 2n ** 48n;
        for (let m = 0; m < 3; m++) teeth += ((i >> m) & 1 ? 1n : -1n) * 2n ** BigInt(16 * m);
        const expected = entry(teeth * 2n ** BigInt(64 * j) * multiple);
        expect(probe.get(address + (8 * j + i) * ENTRY_BYTES, ENTRY_BYTES), `comb ${j}, entry ${i}`).toEqual(expected);
      }
    }
  }

  it("of the base point's combs hold what they must", () => {
    expectCombs(probe.call("baseComb"), 1n);
  });

  it("of the base point's odd multiples hold B, 3B, 5B and so on to 31B", () => {
    const address = probe.call("baseOddMultiples");
    for (let i = 0; i < 16; i++) {
      expect(probe.get(address + i * ENTRY_BYTES, ENTRY_BYTES)).toEqual(entry(BigInt(2 * i + 1)));
    }
  });

  it("of a key's combs are built as those of the base point are", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: L - 1n }), (secret) => {
        const key = Point.BASE.multiply(secret).toBytes();
        expectCombs(probe.call("combsOf", probe.put(0, key)), secret);
      }),
      { numRuns: 5 },
    );
  });
});
