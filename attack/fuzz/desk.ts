/** A governor asked about one object at a time, and each time as if it were the first. */
import type { Command } from "../../firmware/protocol/commands.ts";
import type { Agreement } from "../../host/objects/agreement.ts";
import { type CborValue, decode, encode } from "../../host/protocol/cbor.ts";
import type { Governor, GovernorImage } from "../../sim-board/governor-module.ts";
import { bareGovernor, knobsOf } from "../bare-governor.ts";
import { AttackSucceeded } from "../campaign.ts";
import { restorerOf } from "../faults/trial.ts";
import { draftedPayload, SIGNED, type SignedKind } from "./objects.ts";
import { startOf } from "./starts.ts";

export class Desk {
  readonly kind: SignedKind;
  /** A good one. */
  readonly payload: Uint8Array;
  /** What it is judged under; undefined before the first. */
  readonly inForce: Agreement | undefined;
  readonly #make: () => Governor;
  #governor: Governor;
  readonly #restoreSilicon: () => void;
  readonly #state: Uint8Array;

  constructor(image: GovernorImage, start: string, object: string) {
    const { rig } = startOf(start);
    this.kind = SIGNED[object]!;
    this.payload = draftedPayload(this.kind, rig);
    this.inForce = rig.info().agreementVersion > 0 ? rig.agreement : undefined;
    const knobs = knobsOf(rig);
    this.#make = () => bareGovernor(rig, knobs, image);
    this.#governor = this.#make();
    this.#restoreSilicon = restorerOf(rig, knobs);
    this.#state = this.#governor.state();
  }

  /** The code of the answer. @throws AttackSucceeded */
  codeFor(command: Command, object: Uint8Array): number {
    this.#governor.setState(this.#state);
    this.#restoreSilicon();
    const [code] = decode(this.#answerTo(encode([command, object]))) as CborValue[];
    return code as number;
  }

  /** One that traps gets no more calls: another takes its place. */
  #answerTo(request: Uint8Array): Uint8Array {
    try {
      return this.#governor.doorbell(request);
    } catch (error) {
      this.#governor = this.#make();
      throw new AttackSucceeded(`the governor traps: ${(error as Error).message}`);
    }
  }
}
