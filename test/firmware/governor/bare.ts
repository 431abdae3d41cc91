/** A governor on registers and a clock that are turned by hand, asked through its mailbox. */
import type { OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { decodeInfo, type Info } from "../../../host/objects/evidence.ts";
import type { License } from "../../../host/objects/license.ts";
import type { Order } from "../../../host/objects/order.ts";
import { type CborValue, decode, encode } from "../../../host/protocol/cbor.ts";
import type { Signer } from "../../../host/protocol/cose.ts";
import { errorPhrase } from "../../../host/protocol/error-phrases.ts";
import type { Governor } from "../../../sim-board/governor-module.ts";
import { bareGovernor, type Knobs, knobsOf } from "../../bench/bare-governor.ts";
import type { Rig } from "../../rig.ts";

export class Bare {
  readonly rig: Rig;
  readonly knobs: Knobs;
  readonly governor: Governor;

  /** Takes the rig's governor off its board, as it stands. */
  constructor(rig: Rig) {
    this.rig = rig;
    this.knobs = knobsOf(rig);
    this.governor = bareGovernor(rig, this.knobs);
  }

  ask(command: Command, argument?: Uint8Array): CborValue[] {
    const request = encode(argument === undefined ? [command] : [command, argument]);
    return decode(this.governor.doorbell(request)) as CborValue[];
  }

  /** The name of the answer's code. */
  verdict(command: Command, argument?: Uint8Array): string {
    return errorPhrase(this.ask(command, argument)[0] as number).name;
  }

  info(): Info {
    return decodeInfo(this.ask(Command.INFO)[1]!);
  }

  /** For this governor's challenge. */
  license(change: Partial<License> = {}): Uint8Array {
    const { challenge, epoch, licenseSequence } = this.info();
    return this.rig.license({ nonce: challenge, epoch, sequence: licenseSequence + 1n, ...change });
  }

  /** The next one for this governor. */
  order(action: OrderAction, change: Partial<Order> = {}, signers?: readonly Signer[]): Uint8Array {
    const { epoch, orderDigest } = this.info();
    return this.rig.order(action, { epoch: epoch + 1, previousDigest: orderDigest, ...change }, signers);
  }
}
