import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Random } from "../../../sim-board/random.ts";
import { phaseOf, Rig } from "../../rig.ts";
import { cutEverywhere, cutFlashEverywhere, goesOn, life, losesPower } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;

describe("a power cut", () => {
  it("at any operation of a whole life leaves a device that goes on, with all its work counted", () => {
    const rig = Rig.ready();
    const cuts = cutEverywhere(
      rig,
      () => life(rig),
      () => goesOn(rig),
    );
    expect(cuts).toBeGreaterThan(80);
  });

  it("at any byte that is written to flash does so too, however torn the page is", () => {
    const rig = Rig.ready();
    // A step that meets every place in a page sooner or later.
    const cuts = cutFlashEverywhere(
      rig,
      () => life(rig),
      () => goesOn(rig),
      617,
    );
    expect(cuts).toBeGreaterThan(50);
  });

  it.each([
    [1, "goes on all the same"],
    [2, "goes on, or is locked until the quorum recovers it"],
  ] as [1 | 2, string][])("in the middle of a counter step that counts %i leaves a device that %s", (steps) => {
    const rig = Rig.ready();
    rig.board.counter.stepsWhenCut = steps;
    let locked = 0;
    cutEverywhere(
      rig,
      () => life(rig),
      () => {
        rig.board.powerOn();
        if (rig.board.gateState === GateState.LOCKED) {
          locked++;
          expect(rig.lastReason).toBe("JOURNAL_ROLLBACK");
          const totals = Array.from({ length: 12 }, (_, c) => rig.done(c as EngineClass));
          // What the verifier knows better than a device that lost its journal.
          rig.must(rig.send(Command.RECOVER, rig.recovery({ totals, epoch: 10 })));
        }
        goesOn(rig);
      },
    );
    expect(locked > 0).toBe(steps === 2);
  });

  it("at each operation of a boot, and again at each of the next, does so too", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(70));
    rig.board.cutPower();
    const random = new Random("boots");
    const first = rig.board.snapshot();
    for (let attempt = 0; attempt < 60; attempt++) {
      rig.board.restore(first);
      for (let boots = 0; boots < 6; boots++) {
        rig.board.supply.cutAfterOperations(random.below(9));
        losesPower(() => rig.board.powerOn());
        rig.board.supply.clear();
        rig.board.cutPower();
      }
      goesOn(rig);
    }
  });

  it("costs at most one slice of each class, and never gains one", () => {
    const rig = Rig.open();
    for (let i = 0; i < 20; i++) {
      rig.board.submit(phaseOf(3600));
      rig.board.advance(7 + 5 * i);
      const before = rig.info();
      const budget = before.budgetLeft[BF16]!;
      rig.restart();
      const now = rig.info();
      expect(now.totals[BF16]! - before.totals[BF16]!).toBeGreaterThanOrEqual(0n);
      expect(now.totals[BF16]! - before.totals[BF16]!).toBeLessThanOrEqual(10n ** 12n * 60_000n);
      expect(now.budgetLeft[BF16]!).toBeLessThanOrEqual(budget);
    }
  });
});
