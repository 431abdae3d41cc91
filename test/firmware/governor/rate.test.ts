import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { phaseOf, Rig } from "../../rig.ts";
import { working } from "./bench.ts";

const _PAUSE = OrderAction.PAUSE;
const SLOW = OrderAction.SLOW;
const RESUME = OrderAction.RESUME;
const _COPY = EngineClass.COPY;
const BF16 = EngineClass.TENSOR_BF16;

describe("a slow order", () => {
  it("slows an open gate and leaves its license in force", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    expect(rig.board.gateState).toBe(GateState.SLOWED);
    expect(rig.info().licenseSequence).toBe(1n);
  });

  it.each([1, 250, 900])("of %i permille bounds the work to that share of the agreement's rate", (permille) => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille });
    const cap = (10n ** 12n * BigInt(permille)) / 1000n;
    const before = rig.done(BF16);
    // More than the slowed gate lets through, and as much as the accelerator can.
    rig.board.submit(phaseOf(3600, { work: new Map([[BF16, 3500n * 10n ** 15n]]) }));
    for (let span = 1n; span <= 20n; span++) {
      rig.board.advance(60);
      if (span % 4n === 0n) rig.must(rig.send(Command.BEACON, rig.beacon()));
      // The bucket holds one slice period's worth on top of what the rate brings.
      expect(rig.done(BF16) - before).toBeLessThanOrEqual(cap * (span + 1n) * 60_000n);
    }
    expect(rig.done(BF16) - before).toBeGreaterThanOrEqual(cap * 18n * 60_000n);
  });

  it("is not worked around by power cuts", () => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 10 });
    const cap = 10n ** 10n;
    const before = rig.done(BF16);
    const start = rig.board.seconds;
    for (let i = 0; i < 40; i++) {
      rig.restart();
      if (rig.board.gateState !== GateState.SLOWED) rig.send(Command.LICENSE, rig.license());
      rig.board.submit(phaseOf(1));
      rig.board.advance(2);
    }
    const ticks = BigInt(Math.ceil((rig.board.seconds - start) * 1000));
    expect(rig.done(BF16) - before).toBeLessThanOrEqual(cap * (ticks + 60_000n));
  });

  it("is not worked around by asking for license after license", () => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 10 });
    const cap = 10n ** 10n;
    const before = rig.done(BF16);
    const start = rig.board.seconds;
    for (let i = 0; i < 20; i++) {
      rig.must(rig.send(Command.LICENSE, rig.license()));
      rig.board.submit(phaseOf(1));
      rig.board.advance(2);
      rig.board.withdraw();
    }
    const ticks = BigInt(Math.ceil((rig.board.seconds - start) * 1000));
    expect(rig.done(BF16) - before).toBeLessThanOrEqual(cap * (ticks + 60_000n));
  });

  it("outlives a power cut", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    rig.must(rig.send(Command.LICENSE, rig.license()));
    rig.restart();
    expect(rig.board.gateState).toBe(GateState.SLOWED);
  });

  it("that is raised to full leaves the gate open under the license in force", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    rig.obey(RESUME);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(rig.info().licenseSequence).toBe(1n);
  });

  it("lets no license of the epoch before open the gate once it has closed", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    rig.board.advance(301);
    rig.board.advance(125);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });
});

describe("the rate of a license", () => {
  it("bounds the work in any stretch of time to it and one slice", () => {
    const rig = Rig.ready();
    const rate = 10n ** 10n;
    rig.must(rig.send(Command.LICENSE, rig.license({ rate: new Map([[BF16, rate]]) })));
    expect(rig.board.gateState).toBe(GateState.SLOWED);
    const at: bigint[] = [0n];
    rig.board.submit(phaseOf(3600, { work: new Map([[BF16, 3600n * 10n ** 14n]]) }));
    for (let minute = 0; minute < 30; minute++) {
      rig.board.advance(60);
      rig.must(rig.send(Command.BEACON, rig.beacon()));
      at.push(rig.done(BF16));
    }
    for (let from = 0; from < at.length; from++) {
      for (let to = from + 1; to < at.length; to++) {
        expect(at[to]! - at[from]!).toBeLessThanOrEqual(rate * 60_000n * BigInt(to - from + 1));
      }
    }
    expect(at.at(-1)).toBeGreaterThanOrEqual(rate * 60_000n * 28n);
  });

  it("is not worked around by power cuts", () => {
    const rig = Rig.ready();
    const rate = 10n ** 10n;
    rig.must(rig.send(Command.LICENSE, rig.license({ rate: new Map([[BF16, rate]]) })));
    const start = rig.board.seconds;
    for (let i = 0; i < 40; i++) {
      rig.restart();
      rig.board.submit(phaseOf(1));
      rig.board.advance(2);
    }
    const ticks = BigInt(Math.ceil((rig.board.seconds - start) * 1000));
    expect(rig.done(BF16)).toBeLessThanOrEqual(rate * (ticks + 60_000n));
  });

  it("and a slow order's: the lower one counts", () => {
    const rig = Rig.ready();
    rig.obey(OrderAction.SLOW, { permille: 1 });
    rig.must(rig.send(Command.LICENSE, rig.license({ rate: new Map([[BF16, 10n ** 10n]]) })));
    rig.board.submit(phaseOf(3600, { work: new Map([[BF16, 3600n * 10n ** 14n]]) }));
    rig.board.advance(240);
    expect(rig.done(BF16)).toBeLessThanOrEqual(10n ** 9n * 300_000n);
    expect(rig.done(BF16)).toBeGreaterThan(10n ** 9n * 180_000n);
  });
});
