import { describe, expect, it } from "vitest";
import { Claim, ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { PARTIES, phaseOf, Rig } from "../../rig.ts";
import { altered, working } from "./bench.ts";

const PAUSE = OrderAction.PAUSE;
const SLOW = OrderAction.SLOW;
const RESUME = OrderAction.RESUME;
const COPY = EngineClass.COPY;
const BF16 = EngineClass.TENSOR_BF16;

describe("a drain", () => {
  const drained = (rig: Rig) => {
    const before = { copy: rig.done(COPY), tensor: rig.done(BF16) };
    rig.board.withdraw();
    rig.board.submit(phaseOf(3600, { work: new Map([[COPY, 10n ** 13n]]) }));
    return () => ({ copy: rig.done(COPY) - before.copy, tensor: rig.done(BF16) - before.tensor });
  };

  it("lets the license's copy allowance through and not an operation more, and no tensor work", () => {
    const rig = working();
    rig.obey(PAUSE);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    const work = drained(rig);
    rig.board.advance(119);
    expect(work()).toEqual({ copy: 10n ** 11n, tensor: 0n });
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("ends by ticks where the allowance is not used", () => {
    const rig = working();
    rig.board.withdraw();
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE)));
    rig.board.advance(118);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    rig.board.advance(3);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    expect(rig.lastReason).toBe("GATE_DRAINED");
  });

  it("ends by the order's ticks where they are fewer than the agreement's", () => {
    const rig = working();
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE, { drainTicks: 10_000n })));
    rig.board.advance(12);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("is never longer than the agreement says", () => {
    const rig = working();
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE, { drainTicks: 2n ** 60n })));
    rig.board.advance(122);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("ends as soon as the host says that its checkpoint is saved", () => {
    const rig = working();
    rig.obey(PAUSE);
    expect(rig.verdict(Command.DRAIN_DONE)).toBe("OK");
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    expect(rig.verdict(Command.DRAIN_DONE)).toBe("GATE_NOT_OPEN");
  });

  it("is narrowed by the order's own allowance", () => {
    const rig = working();
    rig.obey(PAUSE, { drain: new Map([[COPY, 10n ** 9n]]) });
    const work = drained(rig);
    rig.board.advance(125);
    expect(work().copy).toBe(10n ** 9n);
  });

  it("is not widened by the order's own allowance", () => {
    const rig = working();
    rig.obey(PAUSE, {
      drain: new Map([
        [COPY, 10n ** 12n],
        [BF16, 10n ** 12n],
      ]),
    });
    const work = drained(rig);
    rig.board.advance(125);
    expect(work()).toEqual({ copy: 10n ** 11n, tensor: 0n });
  });

  it("under way for want of a beacon is narrowed by a pause order that comes in the middle of it", () => {
    const rig = working();
    rig.board.advance(290);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE, { drain: new Map(), drainTicks: 1000n })));
    const work = drained(rig);
    rig.board.advance(10);
    expect(work().copy).toBe(0n);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it.each([
    ["slow", SLOW, Claim.DRAIN, new Map()],
    ["slow", SLOW, Claim.DRAIN_TICKS, 1],
    ["resume", RESUME, Claim.DRAIN, new Map()],
    ["resume", RESUME, Claim.DRAIN_TICKS, 1],
  ] as const)("is nothing that a %s order may speak of", (_, action, claim, value) => {
    const rig = working();
    const signers = PARTIES.slice(0, action === RESUME ? 2 : 1);
    const order = rig.order(action, { permille: action === SLOW ? 500 : undefined }, signers);
    const speaking = altered(order, ObjectType.ORDER, (claims) => claims.set(claim, value), signers);
    expect(rig.verdict(Command.ORDER, speaking)).toBe("ORDER_CLAIM");
  });

  it("for want of a beacon is the same one when the pause comes: what was used of it stays used", () => {
    const rig = Rig.open({ leaseSeconds: 20 });
    const { accelerator } = rig.board;
    rig.board.advance(20);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    expect(accelerator.creditOf(COPY)).toBe(10n ** 11n);
    rig.board.run(phaseOf(10, { work: new Map([[COPY, 3n * 10n ** 10n]]) }));
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE)));
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    expect(accelerator.creditOf(COPY)).toBe(7n * 10n ** 10n);
  });

  it("that was cut short by a power cut does not begin again", () => {
    const rig = working();
    rig.obey(PAUSE);
    const work = drained(rig);
    rig.board.advance(1);
    rig.restart();
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    rig.board.submit(phaseOf(10));
    rig.board.advance(10);
    expect(work().copy).toBeLessThanOrEqual(10n ** 11n);
  });
});
