/** The best moves of an operator who has kept everything that was ever said to its board. */
import { EngineClass } from "../firmware/protocol/classes.ts";
import { Command } from "../firmware/protocol/commands.ts";
import { GateState } from "../firmware/protocol/states.ts";
import type { Info } from "../host/objects/evidence.ts";
import { encode } from "../host/protocol/cbor.ts";
import { BoardError } from "../sim-board/errors.ts";
import { AttackSucceeded } from "./campaign.ts";
import { phaseOf, type Rig } from "./rig.ts";

/**
 * Says all of it again, before the clock is set and after, asks for the baseline and runs work. The board is then as it
 * was. The invariants watch; here is looked at whether anything is back that was gone. @throws AttackSucceeded
 */
export function ransack(rig: Rig, heard: readonly Uint8Array[], known: Info | undefined): void {
  const { board } = rig;
  const before = board.snapshot();
  nothingIsBack(rig, known);
  try {
    for (const message of heard) board.request(message);
    rig.syncTime();
    for (const message of [...heard, encode([Command.DIAGNOSE])]) board.request(message);
    board.submit(phaseOf(20));
    board.advance(10);
    board.withdraw();
  } catch (error) {
    if (error instanceof BoardError && error.code === "board/hung")
      throw new AttackSucceeded(`what was said before hangs it: ${error.message}`);
    throw error;
  }
  nothingIsBack(rig, known);
  board.restore(before);
}

/** @throws AttackSucceeded */
function nothingIsBack(rig: Rig, known: Info | undefined): void {
  // A locked gate does not trust what it says of itself, and nobody else need.
  if (!known || rig.board.gateState === GateState.LOCKED) return;
  const now = rig.info();
  if (now.epoch < known.epoch) throw new AttackSucceeded(`epoch ${known.epoch} became ${now.epoch}`);
  if (now.licenseSequence < known.licenseSequence) {
    throw new AttackSucceeded(`license ${known.licenseSequence} became ${now.licenseSequence}`);
  }
  for (let c = 0; c < EngineClass.COUNT; c++) {
    if (now.totals[c]! < known.totals[c]!) throw new AttackSucceeded(`a total of class ${c} went back`);
    const more = now.budgetLeft[c]! > known.budgetLeft[c]!;
    if (more && now.licenseSequence === known.licenseSequence) {
      throw new AttackSucceeded(`budget of class ${c} came back`);
    }
  }
}
