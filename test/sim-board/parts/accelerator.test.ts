import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { accelerator } from "../../../sim-board/accelerators.ts";
import { Accelerator } from "../../../sim-board/parts/accelerator.ts";
import type { Phase } from "../../../sim-board/workloads/types.ts";

const TENSOR_BF16: number = EngineClass.TENSOR_BF16;
const TENSOR_INT8: number = EngineClass.TENSOR_INT8;
const COPY: number = EngineClass.COPY;
const SECOND = 1_000_000_000n;

function phase(work: [number, bigint][], durationSeconds = 1, measured = true): Phase {
  return { name: "work", durationSeconds, measured, work: new Map(work) };
}

function h100(): Accelerator {
  return new Accelerator(accelerator("h100"));
}

/** Passes from event to event until nothing more happens; returns the nanoseconds. */
function drive(engine: Accelerator, at: (ns: bigint) => void = () => {}): bigint {
  let elapsed = 0n;
  for (let step = 0; step < 10_000; step++) {
    const next = engine.untilNextNs();
    if (next === undefined) return elapsed;
    engine.pass(next);
    elapsed += next;
    at(elapsed);
  }
  throw new Error("no end of events");
}

test("with enough credit a phase takes its time and retires exactly its work", () => {
  const engine = h100();
  engine.grant(TENSOR_BF16, 10_007n);
  engine.submit(phase([[TENSOR_BF16, 10_007n]], 3));
  expect(drive(engine)).toBe(3n * SECOND);
  expect(engine.busy).toBe(false);
  expect(engine.retiredOf(TENSOR_BF16)).toBe(10_007n);
  expect(engine.creditOf(TENSOR_BF16)).toBe(0n);
});

test("work retires in proportion to time", () => {
  const engine = h100();
  engine.grant(COPY, 1000n);
  engine.submit(phase([[COPY, 1000n]], 1));
  engine.pass(SECOND / 4n);
  expect(engine.retiredOf(COPY)).toBe(250n);
});

test("at zero credit a class stops dead, and is counted as throttled once", () => {
  const engine = h100();
  engine.grant(COPY, 400n);
  engine.submit(phase([[COPY, 1000n]], 1));
  drive(engine);
  expect(engine.retiredOf(COPY)).toBe(400n);
  expect(engine.creditOf(COPY)).toBe(0n);
  engine.pass(SECOND);
  expect(engine.retiredOf(COPY)).toBe(400n);
  expect([engine.throttledOf(COPY), engine.deniedOf(COPY)]).toEqual([1, 0]);
});

test("a class that never had credit is denied: nothing retires, and each command is counted", () => {
  const engine = h100();
  for (let i = 1; i <= 3; i++) {
    engine.submit(phase([[TENSOR_INT8, 10n ** 12n]]));
    drive(engine);
    expect(engine.deniedOf(TENSOR_INT8)).toBe(i);
    expect(engine.withdraw()!.work.get(TENSOR_INT8)).toBe(10n ** 12n);
  }
  expect(engine.retiredOf(TENSOR_INT8)).toBe(0n);
  expect(engine.throttledOf(TENSOR_INT8)).toBe(0);
});

test("credit of one class lets no other class work", () => {
  const engine = h100();
  engine.grant(TENSOR_BF16, 10n ** 15n);
  engine.submit(phase([[TENSOR_INT8, 10n ** 12n]]));
  drive(engine);
  expect(engine.lifetimeOf(TENSOR_INT8)).toBe(0n);
});

test("a phase that stood still goes on where it stood when credit comes", () => {
  const engine = h100();
  engine.grant(COPY, 400n);
  engine.submit(phase([[COPY, 1000n]], 1));
  const first = drive(engine);
  engine.grant(COPY, 600n);
  expect(first + drive(engine)).toBe(SECOND);
  expect(engine.retiredOf(COPY)).toBe(1000n);
});

test("closing the gate stops a running phase at once", () => {
  const engine = h100();
  engine.grant(COPY, 1000n);
  engine.submit(phase([[COPY, 1000n]], 1));
  engine.pass(SECOND / 2n);
  engine.close();
  drive(engine);
  expect(engine.retiredOf(COPY)).toBe(500n);
  expect(engine.busy).toBe(true);
});

test("credit below half of the last grant is announced once, at the very operation", () => {
  const engine = h100();
  engine.grant(COPY, 100n);
  engine.submit(phase([[COPY, 100n]], 1));
  const levels: bigint[] = [];
  for (let next = engine.untilNextNs(); next !== undefined; next = engine.untilNextNs()) {
    if (engine.pass(next).creditLow) levels.push(engine.creditOf(COPY));
  }
  expect(levels).toEqual([49n]);
});

test("a computed phase is never faster than the roofline, a recorded one keeps its time", () => {
  const work: [number, bigint][] = [[TENSOR_BF16, 9_894n * 10n ** 11n]];
  const time = (measured: boolean) => {
    const engine = h100();
    engine.grant(TENSOR_BF16, 10n ** 18n);
    engine.submit(phase(work, 0.5, measured));
    return drive(engine);
  };
  expect(time(false)).toBe(SECOND);
  expect(time(true)).toBe(SECOND / 2n);
});

test("power loss clears credit, counters and the phase, but not what was really done", () => {
  const engine = h100();
  engine.grant(COPY, 1000n);
  engine.submit(phase([[COPY, 600n]], 1));
  drive(engine);
  engine.reset();
  expect([engine.creditOf(COPY), engine.retiredOf(COPY), engine.busy]).toEqual([0n, 0n, false]);
  expect(engine.lifetimeOf(COPY)).toBe(600n);
});

test("counters are 64 bits wide and run through zero", () => {
  const engine = h100();
  const step = 2n ** 63n;
  for (let i = 0; i < 3; i++) {
    engine.grant(COPY, step);
    engine.submit(phase([[COPY, step]], 1));
    drive(engine);
  }
  expect(engine.retiredOf(COPY)).toBe(2n ** 63n);
  expect(engine.lifetimeOf(COPY)).toBe(3n * step);
});

test("a credit register that is full stays full", () => {
  const engine = h100();
  engine.grant(COPY, 2n ** 64n - 1n);
  engine.grant(COPY, 2n ** 64n - 1n);
  expect(engine.creditOf(COPY)).toBe(2n ** 64n - 1n);
});

test("wrong use is refused with a code", () => {
  const engine = h100();
  const code = (value: string) => expect.objectContaining({ code: value });
  expect(() => engine.grant(12, 1n)).toThrow(code("accelerator/class"));
  expect(() => engine.creditOf(-1)).toThrow(code("accelerator/class"));
  expect(() => engine.submit(phase([[COPY, -1n]]))).toThrow(code("accelerator/phase"));
  expect(() => engine.submit(phase([[COPY, 1n]], Number.POSITIVE_INFINITY))).toThrow(code("accelerator/phase"));
  engine.submit(phase([[COPY, 1n]]));
  expect(() => engine.submit(phase([[COPY, 1n]]))).toThrow(code("accelerator/busy"));
});

const amount = fc.bigInt(1n, 10n ** 18n);
const action = fc.oneof(
  fc.record({ grant: fc.nat(11), amount }),
  fc.record({ pass: fc.bigInt(0n, 5n * SECOND) }),
  fc.record({ submit: fc.array(fc.tuple(fc.nat(11), amount), { maxLength: 4 }), seconds: fc.nat(20) }),
  fc.constant({ close: true }),
  fc.constant({ withdraw: true }),
  fc.constant({ reset: true }),
);

test("whatever happens, no class ever retires more than it was granted", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const engine = h100();
      const granted = new Array<bigint>(12).fill(0n);
      for (const step of actions) {
        if ("grant" in step) {
          engine.grant(step.grant, step.amount);
          granted[step.grant]! += step.amount;
        } else if ("pass" in step) {
          let left = step.pass;
          for (let i = 0; i < 1000 && left >= 0n; i++) {
            const next = engine.untilNextNs();
            if (next === undefined || next > left) {
              engine.pass(left);
              break;
            }
            engine.pass(next);
            left -= next;
          }
        } else if ("submit" in step) {
          engine.withdraw();
          engine.submit(phase(step.submit, step.seconds));
        } else if ("close" in step) engine.close();
        else if ("withdraw" in step) engine.withdraw();
        else engine.reset();
        for (let c = 0; c < 12; c++) {
          expect(engine.creditOf(c)).toBeGreaterThanOrEqual(0n);
          expect(engine.lifetimeOf(c) + engine.creditOf(c)).toBeLessThanOrEqual(granted[c]!);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("however a phase is interrupted, its parts add up to the whole", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(11), amount), { minLength: 1, maxLength: 5 }),
      fc.array(fc.bigInt(1n, SECOND), { maxLength: 8 }),
      (work, pauses) => {
        const engine = h100();
        const whole = new Map(work);
        for (const [engineClass, needed] of whole) engine.grant(engineClass, needed);
        engine.submit(phase([...whole], 2));
        for (const ns of pauses) {
          const next = engine.untilNextNs();
          if (next === undefined) break;
          engine.pass(ns < next ? ns : next);
          const rest = engine.withdraw();
          if (!rest) break;
          engine.submit(rest);
        }
        drive(engine);
        for (const [engineClass, needed] of whole) expect(engine.lifetimeOf(engineClass)).toBe(needed);
      },
    ),
  );
});
