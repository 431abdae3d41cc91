/** What the licenses that were given allow, beside what the accelerator was granted and has done. */
import { StateHead } from "../../firmware/protocol/board.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { Agreement } from "../../host/objects/agreement.ts";
import type { License } from "../../host/objects/license.ts";
import type { WorkByClass } from "../../host/objects/work.ts";
import { AttackSucceeded } from "../campaign.ts";
import type { Rig } from "../rig.ts";
import type { Subject } from "./subject.ts";

const CLASSES: readonly number[] = Array.from({ length: EngineClass.COUNT }, (_, c) => c);
const FLOWING: readonly number[] = [GateState.OPEN, GateState.SLOWED, GateState.DRAINING];
const NOTHING: WorkByClass = new Map();

export class Books {
  readonly #subject: Subject;
  readonly #agreement: Agreement;
  readonly #atStart: readonly bigint[];
  #baseline: WorkByClass = NOTHING;
  /** Credit and work that may be, from the last license on. */
  #allowed: readonly bigint[] = [];
  #done: bigint[] = [];

  /** What the board may still do as it stands: what is left, what is granted, and the most that may be for a drain. */
  constructor(subject: Subject, rig: Rig, drains: boolean) {
    this.#subject = subject;
    this.#agreement = rig.agreement;
    const { budgetLeft } = rig.info();
    const { registers } = subject.knobs;
    const { baseline = NOTHING, drain } = rig.agreement;
    this.#atStart = CLASSES.map(
      (c) => budgetLeft[c]! + registers.creditOf(c) + of(baseline, c) + (drains ? of(drain, c) : 0n),
    );
  }

  restart(): void {
    this.#baseline = this.#agreement.baseline ?? NOTHING;
    this.#allowed = this.#atStart;
    this.#done = CLASSES.map(() => 0n);
  }

  /** A license takes the place of the one before: it sets, and adds nothing. A baseline comes with it. */
  licensed({ budget, drain = NOTHING }: License): void {
    this.#allowed = CLASSES.map((c) => of(budget, c) + of(drain, c) + of(this.#baseline, c));
    this.#done = CLASSES.map(() => 0n);
  }

  /** What was licensed before is void. */
  agreed({ baseline = NOTHING }: Agreement): void {
    this.#baseline = baseline;
    this.licensed({ budget: NOTHING } as License);
  }

  /** All credit that is out is used. */
  work(): void {
    const { registers } = this.#subject.knobs;
    for (const c of CLASSES) {
      const credit = registers.creditOf(c);
      if (credit === 0n) continue;
      registers.retire(c, credit);
      this.#done[c]! += credit;
    }
  }

  /** @throws AttackSucceeded for credit that nobody has licensed, or that a shut gate leaves. */
  check(): void {
    const { registers } = this.#subject.knobs;
    const flows = FLOWING.includes(this.#subject.stateWord(StateHead.GATE_STATE));
    for (const c of CLASSES) {
      const credit = registers.creditOf(c);
      if (credit === 0n) continue;
      if (this.#done[c]! + credit > this.#allowed[c]!)
        throw new AttackSucceeded(`class ${c}: ${credit} granted beside ${this.#done[c]} of ${this.#allowed[c]}`);
      if (!flows && credit > of(this.#baseline, c))
        throw new AttackSucceeded(`class ${c}: a shut gate leaves a credit of ${credit}`);
    }
  }
}

function of(work: WorkByClass, engineClass: number): bigint {
  return work.get(engineClass as EngineClass) ?? 0n;
}
