/** All of a device lies in its State block: whatever else is in memory is dead between calls. */
import { describe, expect, it } from "vitest";
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { phaseOf, Rig } from "../rig.ts";

/** One step of a device's life; what it returns is compared. */
type Step = [string, (rig: Rig) => unknown];

const LIFE: Step[] = [
  ["power-up", (rig) => rig.board.powerOn()],
  ["provisioning", (rig) => rig.provision()],
  ["time", (rig) => rig.syncTime()],
  ["evidence", (rig) => rig.ask(Command.EVIDENCE, new Uint8Array(32).fill(7))],
  ["a license", (rig) => rig.send(Command.LICENSE, rig.license())],
  ["work", (rig) => rig.board.run(phaseOf(90)).completed],
  ["a report", (rig) => rig.ask(Command.REPORT)],
  ["a license once more", (rig) => rig.send(Command.LICENSE, rig.license({ sequence: 1n }))],
  ["a slow order", (rig) => rig.send(Command.ORDER, rig.order(OrderAction.SLOW, { permille: 500 }))],
  ["slow work", (rig) => rig.board.run(phaseOf(30)).completed],
  ["a beacon", (rig) => rig.send(Command.BEACON, rig.beacon())],
  ["a pause order", (rig) => rig.send(Command.ORDER, rig.order(OrderAction.PAUSE))],
  ["the end of the drain", (rig) => rig.send(Command.DRAIN_DONE)],
  ["a resume order", (rig) => rig.send(Command.ORDER, rig.order(OrderAction.RESUME))],
  ["the last report", (rig) => rig.ask(Command.REPORT)],
];

/** Takes the governor out of its memory and puts it into a new one: only the State block goes along. */
function transplant(rig: Rig): void {
  const whole = rig.board.snapshot();
  rig.board.cutPower();
  rig.board.restore(whole);
}

describe("the State block", () => {
  it("is all there is of a device: one that moves to fresh memory before every call lives the same life", () => {
    const settled = new Rig();
    const moving = new Rig();
    for (const [name, step] of LIFE) {
      if (moving.board.on) transplant(moving);
      expect(step(moving), name).toEqual(step(settled));
      expect(moving.board.state(), name).toEqual(settled.board.state());
    }
    expect(settled.board.gateState).toBe(GateState.IDLE);
  });
});
