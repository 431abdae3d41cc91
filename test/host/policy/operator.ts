/**
 * An operator who withholds a pause: a board on the bench with the firmware that ships, work that never ends, and all
 * that was signed before the order at hand. What is done after the order is measured on the hardware.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { Agreement } from "../../../host/objects/agreement.ts";
import type { License } from "../../../host/objects/license.ts";
import type { Fleet } from "../../../host/policy/fleet.ts";
import { parseSign } from "../../../host/protocol/cose.ts";
import { accelerator, peakPerSecond } from "../../../sim-board/accelerators.ts";
import type { Drift } from "../../../sim-board/parts/oscillator.ts";
import { phaseOf, Rig } from "../../rig.ts";

const CLASSES = Array.from({ length: EngineClass.COUNT }, (_, c) => c as EngineClass);

/** One H100, which is what the bench has. */
export const ONE_BOARD: Fleet = [
  {
    boards: 1n,
    board: {
      name: "h100",
      peakPerSecond: new Map(CLASSES.map((c) => [c, BigInt(Math.round(peakPerSecond(accelerator("h100"), c)))])),
    },
  },
];

export class Operator {
  readonly rig: Rig;
  /** Licenses of before the order, in the order they can be installed in. */
  readonly reserve: Uint8Array[] = [];
  /** Beacons of before the order. */
  readonly beacons: Uint8Array[] = [];
  pause: Uint8Array | undefined;
  #confirmed: { epoch: number; orderDigest: Uint8Array } | undefined;
  #before: bigint[] = [];
  #orderedNs = 0n;
  #lastNs = 0n;

  constructor(change: Partial<Agreement>, drift?: Drift) {
    this.rig = Rig.ready(change, { drift });
    this.rig.board.subscribe({
      observe: (event, board) => {
        if (event.kind === "retired" && event.work.some((work) => work > 0n)) this.#lastNs = board.nowNs;
      },
    });
  }

  /** Installs one license, and keeps back another that answers the new challenge, and offline ones. */
  stock(license: Partial<License>, offline = 0): void {
    this.rig.must(this.rig.send(Command.LICENSE, this.rig.license(license)));
    const sequence = this.rig.info().licenseSequence;
    this.reserve.push(this.rig.license(license));
    for (let i = 0; i < offline; i++) {
      this.reserve.push(this.rig.license({ ...license, nonce: undefined, sequence: sequence + 2n + BigInt(i) }));
    }
  }

  /** The pause is ordered now; time authorities go on unknowing until `confirm`. */
  order(): void {
    const { rig } = this;
    this.pause = rig.order(OrderAction.PAUSE);
    this.beacons.push(rig.beacon());
    this.#before = CLASSES.map((c) => rig.done(c));
    this.#orderedNs = rig.board.nowNs;
    this.#lastNs = this.#orderedNs;
  }

  /** From now on everything that is signed names the order. */
  confirm(): void {
    const orderDigest = sha256(parseSign(this.pause!).payload);
    this.#confirmed = { epoch: this.rig.info().epoch + 1, orderDigest };
  }

  freshBeacon(): Uint8Array {
    return this.rig.beacon(this.#confirmed);
  }

  /** Power off and on; the time authorities answer the new nonce, as they must. */
  powerCycle(): void {
    this.rig.board.cutPower();
    this.rig.board.powerOn();
    this.rig.syncTime(this.#confirmed);
  }

  /** Work of a class that does not end. */
  work(engineClass: EngineClass): void {
    this.rig.board.withdraw();
    this.rig.board.submit(phaseOf(0.001, { work: new Map([[engineClass, 10n ** 24n]]) }));
  }

  /** Runs on: tensor work while the gate is open, copies while it drains, the next license where one is over. */
  runOn(seconds: number): void {
    const { rig } = this;
    let working: EngineClass | undefined;
    const turn = (engineClass: EngineClass) => {
      if (working !== engineClass || !rig.board.accelerator.busy) this.work(engineClass);
      working = engineClass;
    };
    for (let step = 0; step < seconds * 4; step++) {
      if (rig.board.gateState === GateState.IDLE && this.reserve.length > 0) {
        rig.send(Command.LICENSE, this.reserve.shift());
      }
      turn(rig.board.gateState === GateState.DRAINING ? EngineClass.COPY : EngineClass.TENSOR_BF16);
      rig.board.advance(0.25);
    }
  }

  /** What was done since the order, by class. */
  done(engineClass: EngineClass): bigint {
    return this.rig.done(engineClass) - this.#before[engineClass]!;
  }

  /** From the order to the last operation. */
  get seconds(): number {
    return Number(this.#lastNs - this.#orderedNs) / 1e9;
  }
}
