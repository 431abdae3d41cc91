/**
 * Operations of `build/governor.wasm`. A rig brings its governor to where the operation begins; then an image that counts
 * takes over its State block, and does it on the same silicon. A new operation is one more entry of the list.
 */

import { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { signAgreement } from "../../host/objects/agreement.ts";
import { type CborValue, decode, encode } from "../../host/protocol/cbor.ts";
import type { Governor } from "../../sim-board/governor-module.ts";
import { bareGovernor, handoffOf, type Knobs, knobsOf, useUp, wired } from "../bench/bare-governor.ts";
import { counted, countsOf } from "../instrument/count.ts";
import { PARTIES, phaseOf, Rig } from "../rig.ts";
import { measuredImage } from "./image.ts";
import type { Operation } from "./operations.ts";

const CLASSES: readonly number[] = Array.from({ length: EngineClass.COUNT }, (_, c) => c);

/** What a governor does next. @throws Error if it doesn't. */
type Act = (governor: Governor, knobs: Knobs) => void;

export function governorOperations(): Operation[] {
  const plain = measuredImage();
  const counting = measuredImage(counted);
  const options = { image: plain, invariants: false };
  const on = (name: string, rigOf: () => Rig, actOn: (rig: Rig) => Act): Operation => ({
    name,
    count() {
      const rig = rigOf();
      const act = actOn(rig);
      const knobs = knobsOf(rig);
      const governor = bareGovernor(rig, knobs, counting);
      return countsOf(
        (global) => governor.global64(global),
        () => act(governor, knobs),
      );
    },
  });
  const fresh = () => {
    const rig = new Rig({}, options);
    rig.board.powerOn();
    return rig;
  };
  const provisioned = () => {
    const rig = fresh();
    rig.must(rig.provision());
    return rig;
  };
  const ready = () => Rig.ready({}, options);
  const open = () => Rig.open({}, options);
  const worked = () => {
    const rig = open();
    rig.board.run(phaseOf(70));
    return rig;
  };

  return [
    {
      name: "boot to READY",
      count() {
        const rig = ready();
        const governor = wired(rig, { ...knobsOf(rig), ticks: 0n }, counting);
        const handoff = handoffOf(rig, plain);
        return countsOf(
          (global) => governor.global64(global),
          () => rig.must(governor.boot(handoff)),
        );
      },
    },
    on("an agreement of three", fresh, (rig) => request(Command.AGREEMENT, signAgreement(rig.agreement, PARTIES))),
    on("a time challenge", provisioned, () => request(Command.TIME_CHALLENGE)),
    on("a time proof", provisioned, (rig) => request(Command.TIME_PROOF, rig.timeProof())),
    on("a beacon", open, (rig) => request(Command.BEACON, rig.beacon())),
    on("evidence", ready, () => request(Command.EVIDENCE, new Uint8Array(32).fill(7))),
    on("a license of two", ready, (rig) => request(Command.LICENSE, rig.license())),
    on("a forged license, refused", ready, (rig) => refused(Command.LICENSE, forged(rig.license()))),
    on("a pause order of one", open, (rig) => request(Command.ORDER, rig.order(OrderAction.PAUSE))),
    on("a usage report", worked, () => request(Command.REPORT)),
    on("a tick, nothing due", open, () => tick),
    on("a slice: settle, reserve, grant", open, (rig) => sliceOf(rig.agreement.sliceTicks)),
  ];
}

function answerTo(governor: Governor, command: Command, argument?: Uint8Array): number {
  const asked = encode(argument === undefined ? [command] : [command, argument]);
  return (decode(governor.doorbell(asked)) as CborValue[])[0] as number;
}

function request(command: Command, argument?: Uint8Array): Act {
  return (governor) => {
    const code = answerTo(governor, command, argument);
    if (code !== 0) throw new Error(`command ${command} was refused with 0x${code.toString(16)}`);
  };
}

function refused(command: Command, argument: Uint8Array): Act {
  return (governor) => {
    if (answerTo(governor, command, argument) === 0) throw new Error(`command ${command} was not refused`);
  };
}

/** The last byte of a COSE_Sign is the last of its last signature. */
function forged(message: Uint8Array): Uint8Array {
  return Uint8Array.from(message, (byte, i) => (i === message.length - 1 ? byte ^ 1 : byte));
}

function tick(governor: Governor, knobs: Knobs): void {
  knobs.ticks += 10n;
  const credit = creditsOf(knobs);
  governor.tick();
  if (creditsOf(knobs).some((amount, c) => amount !== credit[c])) throw new Error("something was due");
}

const creditsOf = ({ registers }: Knobs) => CLASSES.map((c) => registers.creditOf(c));

/** All that was granted is done, and a slice period has passed. */
function sliceOf(sliceTicks: bigint): Act {
  return (governor, knobs) => {
    useUp(knobs, CLASSES);
    knobs.ticks += sliceTicks;
    governor.tick();
    if (knobs.registers.creditOf(EngineClass.TENSOR_BF16) === 0n) throw new Error("no slice was granted");
  };
}
