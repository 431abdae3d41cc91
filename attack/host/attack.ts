/**
 * A named attack: a program against the interfaces that an operator really has (mailbox, power, flash, clock, the network
 * to time authorities and verifiers, the accelerator's commands), and what shows that it came to nothing.
 */
import { AttackSucceeded } from "../campaign.ts";
import type { Bench } from "./bench.ts";

export interface Attack {
  /** Replays it: `quiesce attack host --case NAME`. */
  readonly name: string;
  /** Who can do it, beyond an operator. */
  readonly who: Attacker;
  readonly hope: string;
  readonly defense: string;
  /** What governor, gate or verifier say to it, in order: the run must show just this. */
  readonly says: readonly string[];
  /** What they said. @throws AttackSucceeded, or InvariantBroken by the board's invariants, if it got through. */
  run(bench: Bench): readonly string[];
}

export type Attacker =
  | "operator"
  | "operator with two boards"
  | "holder of one key too few"
  | "one party"
  | "license quorum"
  | "time authority"
  | "log"
  | "log and one witness"
  | "log and its witnesses"
  | "holder of a device's key"
  | "maker of another governor"
  | "maker of the accelerator";

/** What was said. @throws AttackSucceeded if it is not what the table says. */
export function perform(attack: Attack, bench: Bench): string {
  const said = attack.run(bench).join(", ");
  const expected = attack.says.join(", ");
  if (said !== expected) throw new AttackSucceeded(`it was answered with ${said}, not with ${expected}`);
  return said;
}
