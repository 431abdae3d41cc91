/** The field, the scalars and the tables against arithmetic on big integers, at their edges and at random. */
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fromInteger, toInteger } from "./bytes.ts";
import { loadProbe, type Probe } from "./probe.ts";

const { Point } = ed25519;
const P = 2n ** 255n - 19n;
const L = Point.Fn.ORDER;
const mod = (value: bigint, modulus: bigint) => ((value % modulus) + modulus) % modulus;

/** Big integers below 2^bits, among them the ones where carries run far. */
function integers(bits: bigint): fc.Arbitrary<bigint> {
  const edges = [0n, 1n, 2n, 19n, P - 1n, P, P + 18n, L - 1n, L, L + 1n, 2n * L - 1n, 2n ** 255n - 1n, 2n ** bits - 1n];
  const stripes = [26n, 51n, 128n, 252n].flatMap((n) => [2n ** n, 2n ** n - 1n]);
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
  /** y + x, y - x and 2dxy in limbs of 26 and 25 bits, as they must lie in memory. */
  function entry(multiple: bigint): Uint8Array {
    const { x, y } = Point.BASE.multiply(mod(multiple, L)).toAffine();
    const limbs = [y + x, y - x, 2n * Point.CURVE().d * x * y].flatMap((value) => {
      let rest = mod(value, P);
      return Array.from({ length: 10 }, (_, i) => {
        const bits = i % 2 === 0 ? 26n : 25n;
        const limb = Number(rest % 2n ** bits);
        rest >>= bits;
        return limb;
      });
    });
    return new Uint8Array(Int32Array.from(limbs).buffer);
  }

  it("of the combs hold the 32 sums of teeth that their head describes", () => {
    const address = probe.call("combTable");
    for (let j = 0; j < 4; j++) {
      for (let i = 0; i < 8; i++) {
        let teeth = 2n ** 48n;
        for (let m = 0; m < 3; m++) teeth += ((i >> m) & 1 ? 1n : -1n) * 2n ** BigInt(16 * m);
        expect(probe.get(address + (8 * j + i) * 120, 120)).toEqual(entry(teeth * 2n ** BigInt(64 * j)));
      }
    }
  });

  it("of odd multiples hold B, 3B, 5B and so on to 31B", () => {
    const address = probe.call("oddMultiples");
    for (let i = 0; i < 16; i++) {
      expect(probe.get(address + i * 120, 120)).toEqual(entry(BigInt(2 * i + 1)));
    }
  });
});
