import fc from "fast-check";
import { expect, test } from "vitest";
import { type Drift, Oscillator } from "../../../sim-board/parts/oscillator.ts";
import { nsOf } from "../../../sim-board/time.ts";

const drifts: fc.Arbitrary<Drift> = fc.oneof(
  fc.constant<Drift>({ model: "none" }),
  fc.integer({ min: -20_000, max: 20_000 }).map((ppm): Drift => ({ model: "constant", ppm })),
  fc
    .tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -5, max: 5 }))
    .map(([ppm, ppmPerYear]): Drift => ({ model: "ageing", ppm, ppmPerYear })),
);

test("without drift a tick is exactly one period", () => {
  const oscillator = new Oscillator({ hz: 1000 });
  expect(oscillator.ticksAt(nsOf(0.000999999))).toBe(0n);
  expect(oscillator.ticksAt(nsOf(0.001))).toBe(1n);
  expect(oscillator.ticksAt(nsOf(86400))).toBe(86_400_000n);
});

test("drift is exact: 20 ppm fast make 1,728 ms more in a day, 20 ppm slow as many less", () => {
  const day = nsOf(86400);
  const ticks = (ppm: number) => new Oscillator({ hz: 1000, drift: { model: "constant", ppm } }).ticksAt(day);
  expect(ticks(20)).toBe(86_400_000n + 1728n);
  expect(ticks(-20)).toBe(86_400_000n - 1728n);
});

test("a part in a thousand million is not lost over ten years", () => {
  const oscillator = new Oscillator({ hz: 1_000_000, drift: { model: "constant", ppm: 0.001 } });
  const years = nsOf(10 * 31_556_952);
  expect(oscillator.ticksAt(years) - 10n * 31_556_952n * 1_000_000n).toBe(315_569n);
});

test("ageing of 1 ppm a year is half a part in a million over its first year", () => {
  const oscillator = new Oscillator({ hz: 1_000_000, drift: { model: "ageing", ppm: 0, ppmPerYear: 1 } });
  const year = 31_556_952n;
  expect(oscillator.ticksAt(nsOf(31_556_952)) - year * 1_000_000n).toBe(15_778_476n);
  expect(oscillator.ppmOffAt(nsOf(31_556_952))).toBe(1);
});

test("the moment of a tick is the first nanosecond that has it, whatever the drift", () => {
  fc.assert(
    fc.property(
      drifts,
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.bigInt(0n, 10n ** 17n),
      fc.bigInt(1n, 10n ** 8n),
      (drift, hz, startNs, seconds) => {
        const oscillator = new Oscillator({ hz, drift });
        oscillator.reset(startNs);
        const more = (seconds * BigInt(hz)) / 7n + 1n;
        const ns = oscillator.nsAtTicks(more)!;
        expect(oscillator.ticksAt(ns)).toBeGreaterThanOrEqual(more);
        expect(oscillator.ticksAt(ns - 1n)).toBeLessThan(more);
      },
    ),
  );
});

test("ticks begin at zero at each power-up", () => {
  const oscillator = new Oscillator({ hz: 1000 });
  oscillator.reset(nsOf(5));
  expect(oscillator.ticksAt(nsOf(7))).toBe(2000n);
});

test("a clock that is stopped makes no ticks, and one that is sped up makes more, without a jump", () => {
  const oscillator = new Oscillator({ hz: 1000 });
  oscillator.setSpeed(0, nsOf(10));
  expect(oscillator.ticksAt(nsOf(100))).toBe(10_000n);
  expect(oscillator.nsAtTicks(10_001n)).toBeUndefined();
  oscillator.setSpeed(2000, nsOf(100));
  expect(oscillator.ticksAt(nsOf(101))).toBe(12_000n);
  expect(oscillator.ppmOffAt(nsOf(101))).toBe(1_000_000);
});

test.each([
  [{ hz: 0 }],
  [{ hz: 1.5 }],
  [{ hz: 2_000_000 }],
  [{ hz: 1, drift: { model: "constant", ppm: -1_000_000 } as const }],
  [{ hz: 1, drift: { model: "constant", ppm: Number.NaN } as const }],
])("an impossible oscillator is refused: %o", (options) => {
  expect(() => new Oscillator(options)).toThrow(expect.objectContaining({ code: "board/option" }));
});
