/** How an honest operator and honest parties bring a board back, whatever happened to it. */
import type { EngineClass } from "../firmware/protocol/classes.ts";
import { Command } from "../firmware/protocol/commands.ts";
import { GateState } from "../firmware/protocol/states.ts";
import { errorPhrase } from "../host/protocol/error-phrases.ts";
import { AttackSucceeded } from "./campaign.ts";
import type { Rig } from "./rig.ts";

/** Epochs and sequences by which a recovery goes past all that may have been sent out. */
const PAST = 10;
const CLASSES = 12;

/**
 * Powers it up, gives it the agreement if it has none, and has the quorum recover it if it is locked for that. What boot
 * said: "OK", or the reason. @throws AttackSucceeded if it is locked for a reason that leaves no way out.
 */
export function comeBack(rig: Rig): string {
  const { board } = rig;
  board.cutPower();
  const reason = errorPhrase(board.powerOn()).name;
  if (reason === "OK") return reason;
  if (board.gateState !== GateState.LOCKED) throw new AttackSucceeded(`${reason}, and the gate is not locked`);
  if (rig.info().agreementVersion === 0) rig.must(rig.provision());
  if (rig.board.gateState !== GateState.LOCKED) return reason;
  if (!RECOVERABLE.has(rig.lastReason)) throw new NoWayOut(rig.lastReason);
  const totals = Array.from({ length: CLASSES }, (_, c) => rig.done(c as EngineClass));
  rig.must(rig.send(Command.RECOVER, rig.recovery({ totals, epoch: PAST })));
  return reason;
}

/** Locked for a reason that no word of the parties lifts. */
export class NoWayOut extends AttackSucceeded {
  readonly reason: string;

  constructor(reason: string) {
    super(`no way out of ${reason}`);
    this.reason = reason;
  }
}

const RECOVERABLE: ReadonlySet<string> = new Set(["JOURNAL_ROLLBACK", "JOURNAL_MISSING"]);
