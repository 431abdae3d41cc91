/** A governor whose reads and grants are wired to the accelerator's registers, without a call into JavaScript. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { Governor, GovernorImage } from "../../sim-board/governor-module.ts";
import { Random } from "../../sim-board/random.ts";
import { bareGovernor, bareHal, type Knobs, knobsOf } from "../bench/bare-governor.ts";
import { governorImage, Rig } from "../rig.ts";
import { toyGovernor } from "./toy-governor.ts";

type Life = { rig: Rig; knobs: Knobs; governor: Governor };

/** All that a governor keeps: State, registers, counter, flash. */
function digest({ rig, knobs, governor }: Life): string {
  const hash = createHash("sha256").update(governor.state()).update(knobs.registers.snapshot());
  for (const sector of rig.board.flash.image()) hash.update(sector);
  return hash.update(`${rig.board.counter.read()}`).digest("hex");
}

describe("a wired governor", () => {
  it("lives the same life as one that is called through the board, to the last bit of State, registers and flash", () => {
    const lives = [true, false].map((isWired) => {
      const rig = Rig.open({ sliceTicks: 1000n });
      const knobs = knobsOf(rig);
      const governor = isWired ? bareGovernor(rig, knobs) : new Governor(governorImage(), bareHal(rig, knobs));
      governor.setState(rig.board.state()!);
      return { rig, knobs, governor };
    });
    const random = new Random("wires");
    let retired = 0n;
    for (let i = 0; i < 300; i++) {
      const [share, ticks, low] = [BigInt(random.below(4)), BigInt(random.below(900)), random.below(2) === 0];
      for (const { knobs, governor } of lives) {
        const { registers } = knobs;
        for (const c of [EngineClass.TENSOR_BF16, EngineClass.COPY]) {
          registers.retire(c, (registers.creditOf(c) * share) / 3n);
        }
        knobs.ticks += ticks;
        if (low) governor.creditLow();
        else governor.tick();
      }
      expect(digest(lives[0]!)).toBe(digest(lives[1]!));
      retired = lives[0]!.knobs.registers.retiredOf(EngineClass.COPY);
    }
    expect(retired).toBeGreaterThan(0n);
    expect(lives[0]!.rig.board.counter.read()).toBeGreaterThan(50);
    expect(new DataView(lives[0]!.governor.state().buffer).getUint32(8, true)).toBe(GateState.OPEN);
  });

  it("that names an engine class which is not there traps", async () => {
    const rig = new Rig();
    const knobs = knobsOf(rig);
    const toy = new Governor(new GovernorImage(await toyGovernor()), bareHal(rig, knobs), knobs.registers.wires);
    const before = knobs.registers.snapshot();
    expect(() => toy.doorbell(Uint8Array.of(4))).toThrow("unreachable");
    expect(knobs.registers.snapshot()).toEqual(before);
  });
});
