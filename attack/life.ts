/** A life of a device to attack, and what must still be true of the device afterwards. */
import { OrderAction } from "../firmware/protocol/claims.ts";
import { EngineClass } from "../firmware/protocol/classes.ts";
import { Command } from "../firmware/protocol/commands.ts";
import { GateState } from "../firmware/protocol/states.ts";
import { BoardError, PowerCut } from "../sim-board/errors.ts";
import { AttackSucceeded } from "./campaign.ts";
import { phaseOf, type Rig } from "./rig.ts";

/** A short life: license, work, report, pause, drain, resume, license, work, report. */
export function life(rig: Rig): void {
  rig.must(rig.send(Command.LICENSE, rig.license()));
  rig.board.run(phaseOf(70));
  rig.must(rig.send(Command.REPORT));
  rig.obey(OrderAction.PAUSE);
  rig.must(rig.send(Command.DRAIN_DONE));
  rig.obey(OrderAction.RESUME);
  rig.must(rig.send(Command.LICENSE, rig.license()));
  rig.board.run(phaseOf(40));
  rig.must(rig.send(Command.REPORT));
}

/**
 * Whatever happened before: the device boots, is whole, has counted everything, and can be licensed and paused.
 * @throws AttackSucceeded
 */
export function goesOn(rig: Rig): void {
  rig.restart();
  hold(rig.board.gateState !== GateState.LOCKED, `the gate is locked: ${rig.lastReason}`);
  for (const [c, total] of rig.info().totals.entries()) {
    const done = rig.done(c as EngineClass);
    hold(total >= done, `class ${c} did ${done}, and ${total} is counted`);
  }
  if (rig.board.gateState === GateState.PAUSED) rig.obey(OrderAction.RESUME);
  rig.must(rig.send(Command.LICENSE, rig.license()));
  hold(rig.board.run(phaseOf(1)).completed, "a licensed second of work did not end");
  rig.report();
  rig.obey(OrderAction.PAUSE);
  hold(rig.board.accelerator.creditOf(EngineClass.TENSOR_BF16) === 0n, "tensor credit is left after a pause");
}

/** @throws AttackSucceeded if it does not hold. */
function hold(condition: boolean, otherwise: string): void {
  if (!condition) throw new AttackSucceeded(otherwise);
}

/** Runs `act`; true if the power went in the middle of it. */
export function losesPower(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof PowerCut) return true;
    // The cut came in an interrupt, and the host found the board dead.
    if (error instanceof BoardError && error.code === "board/off") return true;
    throw error;
  }
}
