/** The invariants' names, and what breaking one throws. */

/** What every simulation of a board must keep true; docs/simulator.md says each in full. */
export const INVARIANTS = {
  S1: "work done ≤ work licensed, per device and class, at every instant",
  S2: "no work retires while the gate is shut; in a drain at most its allowance",
  S3: "no license of an epoch before the last accepted order opens the gate",
  S4: "with no fresh beacon for one lease, the gate is not open",
  S5: "the reported total is what the accelerator counted; a power cut adds at most one slice, and nothing ever goes back",
  S6: "a license is installed at most once per device",
  S7: "flipping any one bit of a signed object makes it refused, with the state unchanged",
  S8: "an honest board opens, outlives an outage shorter than the lease, and works on after a resume",
  S9: "nobody without the quorum's keys makes a gate open or close",
} as const;

export type InvariantId = keyof typeof INVARIANTS;

export class InvariantBroken extends Error {
  readonly id: InvariantId;
  readonly detail: string;

  constructor(id: InvariantId, detail: string, options?: ErrorOptions) {
    super(`${id} is broken (${INVARIANTS[id]}): ${detail}`, options);
    this.name = "InvariantBroken";
    this.id = id;
    this.detail = detail;
  }
}

/** Counts one check; throws `InvariantBroken` if it does not hold. The detail is only made then. */
export type Check = (id: InvariantId, holds: boolean, detail: () => string) => void;
