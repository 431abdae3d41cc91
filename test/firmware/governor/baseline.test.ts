import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { phaseOf, Rig } from "../../rig.ts";
import { cutEverywhere, wear } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const ALLOWED = 5n * 10n ** 15n;
const baseline = new Map([[BF16, ALLOWED]]);
const work = (amount: bigint) => phaseOf(10, { work: new Map([[BF16, amount]]) });

describe("the baseline", () => {
  it("is none where the agreement names none", () => {
    const rig = Rig.ready();
    expect(rig.verdict(Command.DIAGNOSE)).toBe("GATE_BASELINE");
    rig.board.submit(work(1n));
    rig.board.advance(20);
    expect(rig.done(BF16)).toBe(0n);
  });

  it("that was not used goes back when credit is taken away, to the last operation", () => {
    const rig = Rig.ready({ baseline });
    const { accelerator } = rig.board;
    rig.must(rig.send(Command.DIAGNOSE));
    rig.board.run(work(3n * 10n ** 15n));
    for (const action of [OrderAction.PAUSE, OrderAction.RESUME]) {
      rig.obey(action);
      expect(accelerator.creditOf(BF16)).toBe(0n);
      rig.must(rig.send(Command.DIAGNOSE));
      expect(accelerator.creditOf(BF16)).toBe(2n * 10n ** 15n);
    }
  });

  it("of more than a slice is given back whole, too", () => {
    const slice = 6n * 10n ** 16n;
    const rig = Rig.ready({ baseline: new Map([[BF16, 10n ** 17n]]) });
    const { accelerator } = rig.board;
    rig.must(rig.send(Command.DIAGNOSE));
    expect(accelerator.creditOf(BF16)).toBe(slice);
    rig.obey(OrderAction.PAUSE);
    rig.must(rig.send(Command.DIAGNOSE));
    expect(accelerator.creditOf(BF16)).toBe(slice);
    rig.board.run(phaseOf(60, { measured: true, work: new Map([[BF16, slice]]) }));
    rig.must(rig.send(Command.DIAGNOSE));
    expect(accelerator.creditOf(BF16)).toBe(10n ** 17n - slice);
  });

  it("that is out when the gate opens goes back first, and none of it is the license's", () => {
    const rig = Rig.open({ baseline, leaseSeconds: 20 });
    const { accelerator } = rig.board;
    rig.board.advance(25);
    rig.must(rig.send(Command.DRAIN_DONE));
    const { budgetLeft } = rig.info();
    rig.must(rig.send(Command.DIAGNOSE));
    expect(accelerator.creditOf(BF16)).toBe(ALLOWED);
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(rig.info().budgetLeft).toEqual(budgetLeft);
    rig.obey(OrderAction.PAUSE);
    rig.must(rig.send(Command.DRAIN_DONE));
    rig.must(rig.send(Command.DIAGNOSE));
    expect(accelerator.creditOf(BF16)).toBe(ALLOWED);
  });

  it("gives nothing unasked", () => {
    const rig = Rig.ready({ baseline });
    rig.board.submit(work(10n ** 14n));
    rig.board.advance(30);
    expect(rig.done(BF16)).toBe(0n);
  });

  it.each([
    ["idle", (rig: Rig) => rig],
    [
      "paused",
      (rig: Rig) => {
        rig.obey(OrderAction.PAUSE);
        return rig;
      },
    ],
  ])("is there for diagnostics while the gate is %s, without time or license, and is metered", (_, prepare) => {
    const rig = prepare(Rig.ready({ baseline }));
    const state = rig.board.gateState;
    rig.powerCycle();
    rig.must(rig.send(Command.DIAGNOSE));
    rig.board.run(work(10n ** 15n));
    expect(rig.done(BF16)).toBe(10n ** 15n);
    expect(rig.board.gateState).toBe(state);
    expect(rig.report().report.totals[BF16]).toBe(10n ** 15n);
  });

  it.each([OrderAction.PAUSE, OrderAction.RESUME])(
    "is used up once, however often it is asked for (action %i)",
    (action) => {
      const rig = Rig.ready({ baseline });
      rig.obey(action);
      for (let i = 0; i < 10; i++) {
        rig.send(Command.DIAGNOSE);
        rig.board.submit(work(10n ** 15n));
        rig.board.advance(30);
        rig.board.withdraw();
      }
      expect(rig.done(BF16)).toBe(ALLOWED);
      expect(rig.verdict(Command.DIAGNOSE)).toBe("GATE_BASELINE");
      rig.powerCycle();
      expect(rig.verdict(Command.DIAGNOSE)).toBe("GATE_BASELINE");
    },
  );

  it("gives one slice for each request, and no more", () => {
    // Slices of a second: 10^15 at the agreement's rate.
    const rig = Rig.ready({ baseline, sliceTicks: 1000n });
    for (const action of [OrderAction.RESUME, OrderAction.PAUSE]) {
      rig.obey(action);
      const before = rig.done(BF16);
      rig.must(rig.send(Command.DIAGNOSE));
      rig.board.submit(work(2n * 10n ** 15n));
      rig.board.advance(60);
      rig.board.withdraw();
      expect(rig.done(BF16) - before).toBe(10n ** 15n);
    }
  });

  it("does not name other classes", () => {
    const rig = Rig.ready({ baseline });
    rig.must(rig.send(Command.DIAGNOSE));
    rig.board.submit(phaseOf(10, { work: new Map([[COPY, 1n]]) }));
    rig.board.advance(30);
    expect(rig.done(COPY)).toBe(0n);
  });

  it("what was granted and not used is not lost when a license comes, and a license makes it whole again", () => {
    const rig = Rig.ready({ baseline });
    rig.must(rig.send(Command.DIAGNOSE));
    rig.board.run(work(10n ** 15n));
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(rig.verdict(Command.DIAGNOSE)).toBe("GATE_BASELINE");
    expect(rig.info().budgetLeft[BF16]).toBe(36n * 10n ** 17n);
    rig.obey(OrderAction.PAUSE);
    rig.must(rig.send(Command.DRAIN_DONE));
    rig.must(rig.send(Command.DIAGNOSE));
    rig.board.submit(work(10n * ALLOWED));
    rig.board.advance(60);
    expect(rig.done(BF16)).toBe(10n ** 15n + ALLOWED);
  });

  it("loses at most a slice to a power cut anywhere, and gains nothing", () => {
    const rig = Rig.ready({ baseline });
    const from = rig.board.snapshot();
    cutEverywhere(
      rig,
      () => {
        rig.must(rig.send(Command.DIAGNOSE));
        rig.board.run(work(10n ** 15n));
        rig.must(rig.send(Command.REPORT));
      },
      () => {
        rig.restart();
        for (let i = 0; i < 4; i++) {
          rig.send(Command.DIAGNOSE);
          rig.board.submit(work(ALLOWED));
          rig.board.advance(30);
          rig.board.withdraw();
        }
        expect(rig.done(BF16)).toBeLessThanOrEqual(ALLOWED);
        expect(rig.info().totals[BF16]!).toBeGreaterThanOrEqual(rig.done(BF16));
      },
      from,
    );
  });

  it("is refused with a reason where the counter has no steps left for it", () => {
    const rig = Rig.ready({ baseline, sliceTicks: 1000n }, { counterLifeSteps: 300 });
    wear(rig, 60);
    expect(rig.verdict(Command.DIAGNOSE)).toBe("JOURNAL_COUNTER_WORN");
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });
});
