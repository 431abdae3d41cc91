import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { Board } from "../../../sim-board/board.ts";
import { phaseOf, Rig } from "../../rig.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;

/** What boards are asked to do here takes the recorded time, whatever the chip could do. */
const fullRate = (seconds: number, perTick: bigint) =>
  phaseOf(seconds, { measured: true, work: new Map([[BF16, perTick * BigInt(seconds) * 1000n]]) });

function stallsOf(board: Board): string[] {
  const stalls: string[] = [];
  board.subscribe({
    observe: (event) => {
      if (event.kind === "stalled") stalls.push(`${event.reason} at ${board.seconds}`);
    },
  });
  return stalls;
}

describe("the governor is never on the way of a kernel", () => {
  it.each([10, 500, 900, 999, 1000])("work at %i permille of the agreement's rate is never held up", (permille) => {
    const rig = Rig.open({ leaseSeconds: 10_000 });
    const stalls = stallsOf(rig.board);
    const { completed, seconds } = rig.board.run(fullRate(1000, BigInt(permille) * 10n ** 9n));
    expect(stalls).toEqual([]);
    expect({ completed, seconds }).toEqual({ completed: true, seconds: 1000 });
  });

  it("nor at rates and slices that divide badly", () => {
    const caps = new Map([[BF16, { budgetMax: 10n ** 20n, rateMax: 999_999_999_989n }]]);
    const rig = Rig.ready({ caps, sliceTicks: 9_973n, leaseSeconds: 10_000, drain: new Map() });
    rig.must(rig.send(Command.LICENSE, rig.license({ budget: new Map([[BF16, 10n ** 19n]]), drain: undefined })));
    const stalls = stallsOf(rig.board);
    rig.board.run(fullRate(1000, 999_999_999_000n));
    expect(stalls).toEqual([]);
  });

  it("work that comes in bursts of a slice is not held up either", () => {
    const rig = Rig.open({ leaseSeconds: 10_000 });
    const stalls = stallsOf(rig.board);
    for (let i = 0; i < 10; i++) {
      rig.board.run(phaseOf(1, { measured: true, work: new Map([[BF16, 3n * 10n ** 16n]]) }));
      rig.board.advance(59);
    }
    expect(stalls).toEqual([]);
  });

  it("a report, evidence or a beacon in between hold nothing up", () => {
    const rig = Rig.open({ leaseSeconds: 10_000 });
    const stalls = stallsOf(rig.board);
    rig.board.submit(fullRate(600, 10n ** 12n));
    for (let i = 0; i < 20; i++) {
      rig.board.advance(29.9);
      rig.report();
      rig.must(rig.send(Command.BEACON, rig.beacon()));
      rig.ask(Command.EVIDENCE, new Uint8Array(8));
    }
    rig.board.advance(3);
    expect(stalls).toEqual([]);
  });
});

describe("credit", () => {
  it("is at most one slice of each class, ever", () => {
    const rig = Rig.open({ leaseSeconds: 10_000 });
    let most = 0n;
    rig.board.subscribe({
      observe: () => {
        const credit = rig.board.accelerator.creditOf(BF16);
        if (credit > most) most = credit;
      },
    });
    rig.board.run(fullRate(500, 7n * 10n ** 11n));
    rig.board.advance(500);
    rig.board.run(fullRate(100, 3n * 10n ** 11n));
    expect(most).toBe(6n * 10n ** 16n);
  });

  it("costs a counter step and a journal record for each slice, not more", () => {
    const rig = Rig.open({ leaseSeconds: 10_000 });
    const before = rig.board.counter.read();
    rig.board.run(fullRate(1200, 10n ** 12n));
    const steps = rig.board.counter.read() - before;
    // 20 slices of a minute, topped up at half: at most two records a slice.
    expect(steps).toBeGreaterThanOrEqual(20);
    expect(steps).toBeLessThanOrEqual(41);
  });

  it("goes back to the budget when the gate closes, to the last operation", () => {
    const rig = Rig.open();
    rig.board.submit(phaseOf(3600));
    rig.board.advance(33.333);
    rig.obey(OrderAction.PAUSE);
    const done = rig.done(BF16);
    expect(rig.info().budgetLeft[BF16]! + done).toBe(36n * 10n ** 17n);
  });

  it("is used to the last operation of the budget, and then the gate closes", () => {
    const rig = Rig.ready();
    const budget = new Map([
      [BF16, 12_345_678_901_234_567n],
      [COPY, 98_765_432_109n],
    ]);
    rig.must(rig.send(Command.LICENSE, rig.license({ budget })));
    rig.board.submit(phaseOf(10, { work: new Map([[BF16, budget.get(BF16)!]]) }));
    rig.board.advance(100);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    rig.board.run(phaseOf(10, { work: new Map([[COPY, budget.get(COPY)!]]) }));
    rig.board.advance(2);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.lastReason).toBe("GATE_LICENSE_ENDED");
    expect(rig.info().totals[BF16]).toBe(budget.get(BF16));
    expect(rig.info().budgetLeft.every((left) => left === 0n)).toBe(true);
  });

  it("of one unit is worth granting", () => {
    const caps = new Map([[BF16, { budgetMax: 10n, rateMax: 1n }]]);
    const rig = Rig.ready({ caps, sliceTicks: 1n, drain: new Map() });
    rig.must(rig.send(Command.LICENSE, rig.license({ budget: new Map([[BF16, 10n]]), drain: undefined })));
    rig.board.submit(phaseOf(20, { measured: true, work: new Map([[BF16, 10n]]) }));
    rig.board.advance(60);
    expect(rig.done(BF16)).toBe(10n);
  });

  it("is gone the moment the governor hangs: the gate stays as it is, and runs dry", () => {
    const rig = Rig.open({ leaseSeconds: 100_000 });
    rig.board.submit(phaseOf(36_000, { work: new Map([[BF16, 36n * 10n ** 18n]]) }));
    rig.board.advance(10);
    // A flash that is not there any more: the next read or write is a bus fault.
    rig.board.flash.program = () => {
      throw new Error("bus fault");
    };
    rig.board.advance(10_000);
    expect(rig.board.fault).toBeDefined();
    // What was out when it hung, and what the slice before had left.
    expect(rig.done(BF16)).toBeLessThanOrEqual(2n * 6n * 10n ** 16n);
  });
});

describe("the meter", () => {
  it("goes on over the end of a 64-bit hardware counter", () => {
    const rate = 2n ** 62n / 60_000n;
    const caps = new Map([[BF16, { budgetMax: 2n ** 100n, rateMax: rate }]]);
    const rig = Rig.ready({ caps, drain: new Map(), leaseSeconds: 10_000 });
    rig.must(rig.send(Command.LICENSE, rig.license({ budget: new Map([[BF16, 2n ** 100n]]), drain: undefined })));
    rig.board.submit(fullRate(600, rate));
    for (let i = 0; i < 10; i++) {
      rig.board.advance(60);
      rig.report();
    }
    rig.board.advance(2);
    expect(rig.done(BF16)).toBeGreaterThan(2n ** 64n);
    expect(rig.report().report.totals[BF16]).toBe(rig.done(BF16));
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it("that says more than was granted is found out whoever looks first, even a question", () => {
    // No total is true of such a counter: S5 is not asked.
    const rig = Rig.open({}, { invariants: false });
    rig.board.run(phaseOf(10));
    const engine = rig.board.accelerator;
    const honest = engine.retiredOf.bind(engine);
    engine.retiredOf = (c) => honest(c) + (c === BF16 ? 10n ** 17n : 0n);
    rig.info();
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.lastReason).toBe("METER_OVERRUN");
  });

  it("that is found out only as the gate closes locks it all the same, and all that was out counts as done", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(10));
    const engine = rig.board.accelerator;
    const stuckAt = engine.retiredOf(BF16);
    const honest = engine.retiredOf.bind(engine);
    const order = rig.order(OrderAction.PAUSE);
    engine.retiredOf = (c) => (c === BF16 ? stuckAt : honest(c));
    rig.board.submit(phaseOf(10));
    rig.board.advance(0.3);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(rig.verdict(Command.ORDER, order)).toBe("METER_UNCOUNTED");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.info().totals[BF16]!).toBeGreaterThanOrEqual(rig.done(BF16));
    engine.retiredOf = honest;
    expect(rig.powerCycle()).toBe("METER_UNCOUNTED");
  });

  it("whose counters do not begin at zero counts from where they stood", () => {
    const rig = new Rig();
    const engine = rig.board.accelerator;
    const honest = engine.retiredOf.bind(engine);
    engine.retiredOf = (c) => honest(c) + BigInt(c + 1) * 1_000_003n;
    rig.board.powerOn();
    rig.must(rig.provision());
    rig.must(rig.syncTime());
    rig.must(rig.send(Command.LICENSE, rig.license()));
    rig.board.run(phaseOf(70));
    const { totals } = rig.report().report;
    expect(totals).toEqual(Array.from({ length: EngineClass.COUNT }, (_, c) => rig.done(c as EngineClass)));
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it.each([
    ["that runs backward", (real: bigint) => real / 2n, "METER_REGRESSED"],
    ["that stands still while credit is used up", (_: bigint, before: bigint) => before, "METER_UNCOUNTED"],
    ["that counts half of the work", (real: bigint, before: bigint) => (real + before) / 2n, "METER_UNCOUNTED"],
    ["that shows more than was granted", (real: bigint) => real + 10n ** 17n, "METER_OVERRUN"],
  ] as const)(
    "locks the gate on a counter %s, through power cycles, until the quorum says what was done",
    (_, lie, reason) => {
      const rig = Rig.open();
      rig.board.run(phaseOf(10));
      const engine = rig.board.accelerator;
      const honest = engine.retiredOf.bind(engine);
      const before = honest(BF16);
      engine.retiredOf = (engineClass) =>
        engineClass === BF16 ? lie(honest(engineClass), before) : honest(engineClass);
      rig.board.submit(phaseOf(10));
      rig.board.advance(2);
      expect(rig.board.gateState).toBe(GateState.LOCKED);
      expect(rig.lastReason).toBe(reason);
      expect(engine.creditOf(BF16)).toBe(0n);
      // A license or an order does not unlock what the hardware locked.
      expect(rig.verdict(Command.LICENSE, rig.license())).toBe("GATE_LOCKED");
      expect(rig.verdict(Command.ORDER, rig.order(OrderAction.RESUME))).toBe("GATE_LOCKED");
      expect(rig.verdict(Command.REPORT)).toBe("GATE_LOCKED");
      engine.retiredOf = honest;
      for (let i = 0; i < 3; i++) {
        expect(rig.powerCycle()).toBe(reason);
        expect(rig.board.gateState).toBe(GateState.LOCKED);
      }
      const totals = Array.from({ length: 12 }, (_, c) => rig.done(c as EngineClass));
      rig.must(rig.send(Command.RECOVER, rig.recovery({ totals })));
      rig.must(rig.syncTime());
      rig.must(rig.send(Command.LICENSE, rig.license()));
      expect(rig.board.run(phaseOf(1)).completed).toBe(true);
      expect(rig.powerCycle()).toBe("OK");
    },
  );
});
