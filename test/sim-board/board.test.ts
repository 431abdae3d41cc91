/** The real governor on the simulated board, over days of simulated time. */
import { expect, test } from "vitest";
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { PowerCut } from "../../sim-board/errors.ts";
import type { BoardEvent } from "../../sim-board/events.ts";
import { phaseOf, Rig } from "../rig.ts";

const BF16: number = EngineClass.TENSOR_BF16;

/** A working day in little: license, work, report, pause, resume, license, work; the trace of all events. */
function life(seed: string): { rig: Rig; trace: string } {
  const rig = Rig.ready({ leaseSeconds: 3600 }, { seed, drift: { model: "constant", ppm: 37 } });
  const seen: string[] = [];
  rig.board.subscribe({ observe: (event) => seen.push(`${rig.board.nowNs} ${describe(event)}`) });
  rig.must(rig.send(Command.LICENSE, rig.license()));
  rig.board.run(phaseOf(100));
  rig.must(rig.send(Command.REPORT));
  rig.must(rig.send(Command.ORDER, rig.order(OrderAction.PAUSE)));
  rig.must(rig.send(Command.DRAIN_DONE));
  rig.must(rig.send(Command.ORDER, rig.order(OrderAction.RESUME)));
  rig.must(rig.syncTime());
  rig.must(rig.send(Command.LICENSE, rig.license()));
  rig.board.run(phaseOf(100));
  return { rig, trace: seen.join("\n") };
}

function describe(event: BoardEvent): string {
  return JSON.stringify(event, (_, value) => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
}

test("one seed replays a run to the bit: every event, every byte of flash and state", () => {
  const one = life("replay");
  const two = life("replay");
  expect(two.trace).toBe(one.trace);
  expect(two.rig.board.state()).toEqual(one.rig.board.state());
  const flash = (rig: Rig) => Buffer.concat(rig.board.flash.image().map((sector) => Buffer.from(sector)));
  expect(Buffer.compare(flash(one.rig), flash(two.rig))).toBe(0);
  expect(life("another").trace).not.toBe(one.trace);
});

test("a restored snapshot lives the same life again", () => {
  const rig = Rig.open();
  const license = rig.board.snapshot();
  const go = () => {
    rig.board.run(phaseOf(70));
    rig.must(rig.send(Command.REPORT));
    return [rig.board.state(), rig.board.nowNs, rig.board.accelerator.lifetimeOf(BF16), rig.board.counter.read()];
  };
  const once = go();
  rig.board.restore(license);
  expect(go()).toEqual(once);
});

test("a snapshot that was taken without power is restored without power", () => {
  const rig = Rig.open();
  rig.board.powerOff();
  const off = rig.board.snapshot();
  rig.board.powerOn();
  rig.board.restore(off);
  expect([rig.board.on, rig.board.state()]).toEqual([false, undefined]);
  expect(rig.board.powerOn()).toBe(0);
});

test("without a license nothing retires, and the attempt is counted", () => {
  const rig = Rig.ready();
  const result = rig.board.run(phaseOf(10), { stallSeconds: 30 });
  expect(result.completed).toBe(false);
  expect(result.remaining?.work).toEqual(phaseOf(10).work);
  expect(rig.board.accelerator.lifetimeOf(BF16)).toBe(0n);
  expect(rig.board.accelerator.deniedOf(BF16)).toBe(1);
});

test("over a job of four hours in phases of a minute, licensed work is never held up", () => {
  const rig = Rig.open({ leaseSeconds: 3600 });
  const keepAlive = () => {
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    rig.must(rig.send(Command.LICENSE, rig.license()));
    rig.board.after(1800, keepAlive);
  };
  rig.board.after(1800, keepAlive);
  for (let step = 0; step < 240; step++) expect(rig.board.run(phaseOf(60)).seconds).toBe(60);
  expect(rig.board.seconds).toBe(14_400);
  expect(rig.info().totals[BF16]).toBe(rig.board.accelerator.lifetimeOf(BF16));
});

test("power that goes in the middle of a phase gives back what is left of it, and the counters start anew", () => {
  const rig = Rig.open();
  rig.board.after(30, () => rig.board.cutPower());
  const { completed, seconds, remaining } = rig.board.run(phaseOf(100));
  expect([completed, seconds]).toEqual([false, 30]);
  expect(remaining?.work.get(BF16)).toBe(70n * 10n ** 14n);
  expect(rig.board.powerOn()).toBe(0);
  expect(rig.board.accelerator.retiredOf(BF16)).toBe(0n);
  expect(rig.board.gateState).toBe(GateState.IDLE);
  // One slice was reserved: the operator loses what was not used of it, and gains nothing.
  expect(rig.info().totals[BF16]).toBe(60n * 10n ** 15n);
});

test("a stopped clock stops the timer, and the gate runs dry instead of running on", () => {
  const rig = Rig.open();
  rig.board.setClockSpeed(0);
  rig.board.submit(phaseOf(3000));
  rig.board.advance(3000);
  expect(rig.board.accelerator.lifetimeOf(BF16)).toBeLessThanOrEqual(60n * 10n ** 15n);
});

test("a tripped sensor ends it all, also when it trips without power", () => {
  const rig = Rig.open();
  rig.board.trip(4);
  expect(rig.board.gateState).toBe(GateState.TAMPERED);
  expect(rig.board.accelerator.creditOf(BF16)).toBe(0n);
  const asleep = Rig.open();
  asleep.board.powerOff();
  asleep.board.trip(1);
  asleep.board.powerOn();
  expect(asleep.board.gateState).toBe(GateState.TAMPERED);
});

test("actions of the host happen in the order of their time", () => {
  const rig = Rig.ready();
  const seen: number[] = [];
  for (const seconds of [5, 1, 3, 1]) rig.board.after(seconds, () => seen.push(rig.board.seconds));
  rig.board.advance(4);
  expect(seen).toEqual([1, 1, 3]);
  rig.board.advance(4);
  expect(seen).toEqual([1, 1, 3, 5]);
});

/** License and a first minute of work, from a board that is ready; what `at` does to the supply decides its fate. */
function licensedMinute(rig: Rig): void {
  rig.must(rig.send(Command.LICENSE, rig.license()));
  rig.board.submit(phaseOf(90));
  rig.board.advance(60);
  if (!rig.board.on) throw new PowerCut("the minute");
}

test("power cut at any one operation of a licensed minute: the board comes back, and every invariant holds", () => {
  const rig = Rig.ready();
  const ready = rig.board.snapshot();
  const before = rig.board.supply.operations;
  licensedMinute(rig);
  const operations = rig.board.supply.operations - before;
  expect(operations).toBeGreaterThan(10);
  for (let cut = 0; cut < operations; cut++) {
    rig.board.restore(ready);
    rig.board.supply.cutAfterOperations(cut);
    expect(() => licensedMinute(rig)).toThrow(PowerCut);
    expect(rig.board.powerOn()).toBe(0);
    // The operator tries on: same license or the next, whichever is taken, works and reports.
    rig.must(rig.syncTime());
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.run(phaseOf(30)).completed).toBe(true);
    rig.must(rig.send(Command.REPORT));
  }
});

test("power cut at any byte of one journal record: the board comes back, and every invariant holds", () => {
  const rig = Rig.ready();
  const ready = rig.board.snapshot();
  const before = rig.board.supply.flashBytes;
  const license = rig.license();
  rig.must(rig.send(Command.LICENSE, license));
  const bytes = rig.board.supply.flashBytes - before;
  for (let cut = 0; cut < bytes; cut += 37) {
    rig.board.restore(ready);
    rig.board.supply.cutAfterFlashBytes(cut);
    expect(() => rig.send(Command.LICENSE, license)).toThrow(PowerCut);
    expect(rig.board.powerOn()).toBe(0);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.info();
  }
});

/** Cuts the power in the counter step of a report, of which the counter then makes `steps`. */
function cutInStep(steps: 0 | 1 | 2): Rig {
  const rig = Rig.ready();
  const ready = rig.board.snapshot();
  const counted = rig.board.counter.read();
  // The operation to hit is the first that moves the counter.
  for (let operations = 0; rig.board.counter.read() === counted; operations++) {
    rig.board.restore(ready);
    rig.board.counter.stepsWhenCut = steps === 0 ? 1 : steps;
    rig.board.supply.cutAfterOperations(operations);
    expect(() => rig.send(Command.REPORT)).toThrow(PowerCut);
  }
  // One that made no step looks the same, but for the counter.
  if (steps === 0) rig.board.counter.restore(counted);
  return rig;
}

test("a counter whose step was cut short, whether it counted or not, is caught up with", () => {
  for (const steps of [0, 1] as const) {
    const rig = cutInStep(steps);
    expect(rig.board.powerOn()).toBe(0);
    expect(rig.board.gateState).toBe(GateState.IDLE);
  }
});

test("a counter that jumped in a power cut locks the gate, until the license quorum's word", () => {
  const rig = cutInStep(2);
  expect(rig.board.powerOn()).toBe(ErrorCode.JOURNAL_ROLLBACK);
  expect(rig.board.gateState).toBe(GateState.LOCKED);
  rig.must(rig.send(Command.RECOVER, rig.recovery()));
  expect(rig.board.gateState).toBe(GateState.IDLE);
});
