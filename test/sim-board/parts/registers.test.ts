/** The register file and its command ring, against what they must do written down in plain integers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Registers } from "../../../sim-board/parts/registers.ts";
import { Command, RingStop } from "../../../sim-board/registers/layout.ts";

const CLASSES: number = EngineClass.COUNT;
const COPY: number = EngineClass.COPY;
const VECTOR: number = EngineClass.VECTOR;
const MAX = 2n ** 64n - 1n;

type ModelClass = {
  credit: bigint;
  retired: bigint;
  lastGrant: bigint;
  lowArmed: boolean;
  granted: boolean;
  standing: boolean;
  denied: number;
  throttled: number;
};

/** The registers as arithmetic that cannot overflow, and the ring as a list. */
class Model {
  readonly classes: ModelClass[] = Array.from({ length: CLASSES }, () => ({
    credit: 0n,
    retired: 0n,
    lastGrant: 0n,
    lowArmed: false,
    granted: false,
    standing: false,
    denied: 0,
    throttled: 0,
  }));
  commands: [number, bigint][] = [];
  /** All that was ever granted and kept, less what closing took away. */
  given = 0n;

  grant(engineClass: number, amount: bigint): void {
    const one = this.classes[engineClass]!;
    if (amount === 0n) return;
    const credit = one.credit + amount > MAX ? MAX : one.credit + amount;
    this.given += credit - one.credit;
    Object.assign(one, { credit, lastGrant: amount, lowArmed: true, granted: true, standing: false });
  }

  close(): void {
    for (const one of this.classes) {
      this.given -= one.credit;
      Object.assign(one, { credit: 0n, lowArmed: false });
    }
  }

  execute(limit: number): { executed: number; stop: RingStop; creditLow: boolean } {
    let executed = 0;
    let creditLow = false;
    for (const command of this.commands.slice(0, limit)) {
      const [engineClass, amount] = command;
      if (engineClass >= CLASSES) return { ...this.#taken(executed), stop: RingStop.BAD_CLASS, creditLow };
      const one = this.classes[engineClass]!;
      const done = amount < one.credit ? amount : one.credit;
      one.credit -= done;
      one.retired = BigInt.asUintN(64, one.retired + done);
      if (one.lowArmed && 2n * one.credit < one.lastGrant) {
        one.lowArmed = false;
        creditLow = true;
      }
      if (done < amount) {
        command[1] -= done;
        if (!one.standing) one[one.granted ? "throttled" : "denied"]++;
        one.standing = true;
        return { ...this.#taken(executed), stop: RingStop.NO_CREDIT, creditLow };
      }
      executed++;
    }
    const stop = this.commands.length > limit ? RingStop.LIMIT : RingStop.EMPTY;
    return { ...this.#taken(executed), stop, creditLow };
  }

  #taken(executed: number): { executed: number } {
    this.commands = this.commands.slice(executed);
    return { executed };
  }
}

function expectSame(registers: Registers, model: Model): void {
  for (const [c, one] of model.classes.entries()) {
    expect({
      credit: registers.creditOf(c),
      retired: registers.retiredOf(c),
      denied: registers.deniedOf(c),
      throttled: registers.throttledOf(c),
      standing: registers.standsStill(c),
      // Below half of the last grant is at most (grant - 1) / 2.
      low: registers.lowLevelOf(c),
    }).toEqual({
      credit: one.credit,
      retired: one.retired,
      denied: one.denied,
      throttled: one.throttled,
      standing: one.standing,
      low: one.lowArmed ? (one.lastGrant - 1n) / 2n : undefined,
    });
    // As a governor reads them that is wired to them.
    expect(BigInt.asUintN(64, registers.wires.workRead(c))).toBe(one.retired);
    expect(registers.wires.deniedRead(c)).toBe(one.denied);
    expect(registers.wires.throttledRead(c)).toBe(one.throttled);
  }
}

const RING = 8;
const engineClass = fc.nat(CLASSES - 1);
const amount = fc.oneof(fc.bigInt(0n, 100n), fc.bigInt(0n, MAX), fc.constantFrom(0n, 1n, MAX, 2n ** 63n));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ grant: engineClass, amount, wired: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ post: fc.nat(CLASSES), amount }) },
  { weight: 4, arbitrary: fc.record({ execute: fc.nat(RING + 2) }) },
  { weight: 1, arbitrary: fc.record({ close: fc.boolean() }) },
);

describe("the command ring", () => {
  it("does to the registers what plain integers say, and keeps every promise on the way", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const [registers, model] = [new Registers(), new Model()];
        registers.openRing(RING);
        let retired = 0n;
        for (const one of steps) {
          const before = model.classes.map(({ credit }) => credit);
          if ("grant" in one) {
            if (one.wired) registers.wires.gateGrant(one.grant, one.amount);
            else registers.grant(one.grant, one.amount);
            model.grant(one.grant, one.amount);
          } else if ("post" in one) {
            const room = model.commands.length < RING;
            expect(registers.post(one.post, one.amount)).toBe(room);
            if (room) model.commands.push([one.post, one.amount]);
          } else if ("execute" in one) {
            const was = Array.from({ length: CLASSES }, (_, c) => registers.retiredOf(c));
            expect(registers.execute(one.execute)).toEqual(model.execute(one.execute));
            for (const [c, credit] of before.entries()) {
              const done = BigInt.asUintN(64, registers.retiredOf(c) - was[c]!);
              // Nothing retires at zero credit, no more than there was, and what retired is what was debited.
              expect(done).toBeLessThanOrEqual(credit);
              expect(registers.creditOf(c) + done).toBe(credit);
              retired += done;
            }
          } else {
            if (one.close) registers.wires.gateClose();
            else registers.close();
            model.close();
          }
          expectSame(registers, model);
        }
        const left = model.classes.reduce((sum, { credit }) => sum + credit, 0n);
        expect(retired + left).toBe(model.given);
      }),
      { numRuns: 300 },
    );
  });

  it("stops dead at a class without credit: nothing behind it moves, and it is counted once", () => {
    const registers = new Registers();
    registers.openRing(4);
    registers.grant(VECTOR, 100n);
    registers.post(COPY, 5n);
    registers.post(VECTOR, 5n);
    for (let i = 0; i < 3; i++) {
      expect(registers.execute(10)).toEqual({ executed: 0, stop: RingStop.NO_CREDIT, creditLow: false });
    }
    expect([registers.retiredOf(VECTOR), registers.deniedOf(COPY), registers.throttledOf(COPY)]).toEqual([0n, 1, 0]);
    registers.grant(COPY, 3n);
    expect(registers.execute(10)).toEqual({ executed: 0, stop: RingStop.NO_CREDIT, creditLow: true });
    expect([registers.retiredOf(COPY), registers.deniedOf(COPY), registers.throttledOf(COPY)]).toEqual([3n, 1, 1]);
    registers.grant(COPY, 100n);
    expect(registers.execute(10)).toEqual({ executed: 2, stop: RingStop.EMPTY, creditLow: false });
    expect(registers.retiredOf(COPY)).toBe(5n);
  });

  it("runs round its end, and its counts through zero, without losing a command", () => {
    const registers = new Registers();
    registers.openRing(2);
    registers.grant(COPY, 1000n);
    for (let i = 0; i < 100; i++) {
      expect(registers.post(COPY, 1n)).toBe(true);
      expect(registers.post(COPY, 2n)).toBe(true);
      expect(registers.post(COPY, 4n)).toBe(false);
      expect(registers.execute(10).executed).toBe(2);
    }
    expect(registers.retiredOf(COPY)).toBe(300n);
  });

  it.each([0, 3, 6, 1023, 1025, Command.COUNT_MAX * 2, 2 ** 31, 2 ** 32 - 1])(
    "is refused with %s commands",
    (count) => {
      const registers = new Registers();
      registers.openRing(2);
      expect(() => registers.openRing(count)).toThrow(expect.objectContaining({ code: "board/option" }));
      expect(registers.post(COPY, 1n)).toBe(false);
      expect(registers.execute(1)).toEqual({ executed: 0, stop: RingStop.BAD_RING, creditLow: false });
    },
  );

  it.each([1, 2, 512, Command.COUNT_MAX])("takes %s commands and no more", (count) => {
    const registers = new Registers();
    registers.openRing(count);
    registers.grant(COPY, MAX);
    for (let i = 0; i < count; i++) expect(registers.post(COPY, 1n)).toBe(true);
    expect(registers.post(COPY, 1n)).toBe(false);
    expect(registers.execute(2 ** 32 - 1)).toEqual({ executed: count, stop: RingStop.EMPTY, creditLow: false });
  });

  it.each([
    ["further ahead than the ring is long", 9],
    ["behind the head", -1],
  ])("executes nothing when the host's tail is %s", (_, tail) => {
    const registers = new Registers();
    registers.openRing(8);
    registers.grant(COPY, 100n);
    registers.ringTail = tail;
    expect(registers.execute(100)).toEqual({ executed: 0, stop: RingStop.BAD_RING, creditLow: false });
    expect(registers.creditOf(COPY)).toBe(100n);
  });

  it.each([CLASSES, 2 ** 31, 2 ** 32 - 1])("stops at a command for class %s, which there is not", (engineClass) => {
    const registers = new Registers();
    registers.openRing(4);
    registers.grant(COPY, 100n);
    registers.post(COPY, 7n);
    registers.post(engineClass, 7n);
    registers.post(COPY, 7n);
    const before = registers.snapshot();
    expect(registers.execute(10)).toEqual({ executed: 1, stop: RingStop.BAD_CLASS, creditLow: false });
    expect(registers.execute(10)).toEqual({ executed: 0, stop: RingStop.BAD_CLASS, creditLow: false });
    expect(registers.retiredOf(COPY)).toBe(7n);
    registers.restore(before);
    expect(registers.retiredOf(COPY)).toBe(0n);
  });
});

describe("the registers", () => {
  it.each([CLASSES, 2 ** 31, 2 ** 32 - 1])("trap a governor that names class %s", (engineClass) => {
    const { wires } = new Registers();
    for (const act of [
      () => wires.workRead(engineClass),
      () => wires.deniedRead(engineClass),
      () => wires.throttledRead(engineClass),
      () => wires.gateGrant(engineClass, 1n),
      () => wires.creditRead(engineClass),
    ]) {
      expect(act).toThrow("unreachable");
    }
  });

  it("retire all of an amount or none of it", () => {
    const registers = new Registers();
    registers.grant(COPY, 10n);
    for (const amount of [11n, MAX, MAX + 1n, -1n]) expect(() => registers.retire(COPY, amount)).toThrow("credit");
    expect([registers.creditOf(COPY), registers.retiredOf(COPY)]).toEqual([10n, 0n]);
    registers.retire(COPY, 10n);
    expect([registers.creditOf(COPY), registers.retiredOf(COPY)]).toEqual([0n, 10n]);
  });

  it("count to their end and stay there", () => {
    const registers = new Registers();
    const full = registers.snapshot();
    // Denied and throttled of class 0.
    full.fill(0xff, 24, 32);
    registers.restore(full);
    registers.stand(0);
    registers.grant(0, 1n);
    registers.stand(0);
    expect([registers.deniedOf(0), registers.throttledOf(0)]).toEqual([0xffffffff, 0xffffffff]);
  });
});
