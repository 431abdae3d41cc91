/**
 * Everything an operator, a host, the parties and the weather can do to one board, as steps that fast-check draws. The
 * invariants watch; a step itself only has to be possible, not wise.
 */
import fc from "fast-check";
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { signLicense } from "../../host/objects/license.ts";
import { PowerCut } from "../../sim-board/errors.ts";
import type { FlashImage } from "../../sim-board/parts/flash.ts";
import { PARTIES, phaseOf, Rig } from "../rig.ts";

export type Step =
  | { do: "license"; offline: boolean; budget: bigint; ticks: number }
  | { do: "replay"; which: number }
  | { do: "order"; action: 1 | 2 | 3; permille: number; deliver: boolean; drain: boolean; voices: number }
  | { do: "withheld"; which: number }
  | { do: "beacon"; hoard: boolean; epochAhead: boolean }
  | { do: "hoarded"; which: number }
  | { do: "time" }
  | { do: "report" | "again" | "evidence" | "drained" | "diagnose" | "recover" }
  | { do: "work"; seconds: number; classes: number }
  | { do: "wait"; seconds: number }
  | { do: "off" | "keep flash" | "swap flash" }
  | { do: "cut"; operations: number; counts: 0 | 1 | 2 }
  | { do: "tear"; bytes: number }
  | { do: "clock"; permille: number }
  | { do: "garbage"; command: number; bytes: Uint8Array };

const seconds = fc.constantFrom(0, 1, 7, 40, 130, 400);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("license" as const),
        offline: fc.boolean(),
        budget: fc.constantFrom(0n, 1n, 10n ** 15n, 10n ** 17n, 36n * 10n ** 17n),
        ticks: fc.constantFrom(1, 30_000, 7_200_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("replay" as const), which: fc.nat(20) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("order" as const),
        action: fc.constantFrom<1 | 2 | 3>(1, 2, 3),
        permille: fc.constantFrom(1, 250, 999),
        deliver: fc.boolean(),
        drain: fc.boolean(),
        voices: fc.constantFrom(1, 2),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("withheld" as const), which: fc.nat(20) }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("beacon" as const), hoard: fc.boolean(), epochAhead: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("hoarded" as const), which: fc.nat(20) }) },
    { weight: 4, arbitrary: fc.constant({ do: "time" as const }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom("report" as const, "again" as const, "evidence" as const, "drained" as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("diagnose" as const, "recover" as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("work" as const), seconds, classes: fc.nat(15) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom("off" as const, "keep flash" as const, "swap flash" as const) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("cut" as const),
        operations: fc.nat(25),
        counts: fc.constantFrom<0 | 1 | 2>(0, 0, 1, 2),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("tear" as const), bytes: fc.nat(9000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("clock" as const), permille: fc.constantFrom(0, 500, 1000) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("garbage" as const),
        command: fc.nat(16),
        bytes: fc.uint8Array({ maxLength: 80 }),
      }),
    },
  ),
  { minLength: 10, maxLength: 80, size: "max" },
);

const CLASSES: readonly number[] = [
  EngineClass.TENSOR_BF16,
  EngineClass.COPY,
  EngineClass.LINK_TX,
  EngineClass.TENSOR_INT8,
];

export class Walk {
  readonly rig: Rig;
  readonly #licenses: Uint8Array[] = [];
  readonly #orders: Uint8Array[] = [];
  readonly #beacons: Uint8Array[] = [];
  #flash: FlashImage | undefined;

  constructor(seed: string) {
    const baseline = new Map([[EngineClass.COPY, 10n ** 9n]]);
    const drift = { model: "constant", ppm: -93 } as const;
    this.rig = Rig.open({ baseline, sliceTicks: 20_000n }, { seed, drift, flashSectors: 10 });
  }

  /** Refusals are part of life; anything that is thrown, but the power cuts that a step asked for, is a finding. */
  take(step: Step): void {
    const board = this.rig.board;
    try {
      if (!board.on) board.powerOn();
      this.#take(step);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    if (board.fault !== undefined) throw new Error("the governor hangs", { cause: board.fault });
  }

  #take(step: Step): void {
    const { rig } = this;
    const { board } = rig;
    switch (step.do) {
      case "license":
        this.#license(step);
        break;
      case "replay":
        this.#again(Command.LICENSE, this.#licenses, step.which);
        break;
      case "order":
        this.#order(step);
        break;
      case "withheld":
        this.#again(Command.ORDER, this.#orders, step.which);
        break;
      case "beacon":
        this.#beacon(step);
        break;
      case "hoarded":
        this.#again(Command.BEACON, this.#beacons, step.which);
        break;
      case "time":
        rig.syncTime();
        break;
      case "report":
        rig.ask(Command.REPORT);
        break;
      case "again":
        rig.ask(Command.REPORT_AGAIN);
        break;
      case "evidence":
        rig.ask(Command.EVIDENCE, new Uint8Array(16));
        break;
      case "drained":
        rig.ask(Command.DRAIN_DONE);
        break;
      case "diagnose":
        rig.ask(Command.DIAGNOSE);
        break;
      case "recover":
        rig.send(Command.RECOVER, rig.recovery({ sequence: 5000n }));
        break;
      case "work":
        board.withdraw();
        board.submit(this.#phase(step.seconds, step.classes));
        board.advance(step.seconds);
        break;
      case "wait":
        board.advance(step.seconds);
        break;
      case "off":
        board.powerOff();
        break;
      case "keep flash":
        this.#flash = board.flash.image();
        break;
      case "swap flash":
        board.powerOff();
        if (this.#flash) board.flash.replace(this.#flash);
        break;
      case "cut":
        board.supply.cutAfterOperations(step.operations);
        board.counter.stepsWhenCut = step.counts;
        break;
      case "tear":
        board.supply.cutAfterFlashBytes(step.bytes);
        break;
      case "clock":
        board.setClockSpeed(step.permille);
        break;
      case "garbage":
        rig.ask(step.command, step.bytes);
    }
  }

  #license(step: Extract<Step, { do: "license" }>): void {
    const { rig } = this;
    const info = rig.info();
    const who = step.offline ? { cohort: [rig.ueid] } : { ueid: rig.ueid, nonce: info.challenge };
    const license = signLicense(
      {
        notBeforeSeconds: rig.nowSeconds - 60,
        expirySeconds: rig.nowSeconds + 3600,
        agreementDigest: rig.digest,
        epoch: info.epoch,
        sequence: info.licenseSequence + 1n,
        budget: new Map([
          [EngineClass.TENSOR_BF16, step.budget],
          [EngineClass.COPY, step.budget / 100n],
        ]),
        ticksMax: BigInt(step.ticks),
        drain: new Map([[EngineClass.COPY, 10n ** 11n]]),
        svnLeast: 0,
        ...who,
      },
      PARTIES.slice(0, 2),
    );
    this.#licenses.push(license);
    rig.send(Command.LICENSE, license);
  }

  #order(step: Extract<Step, { do: "order" }>): void {
    const slow = step.action === OrderAction.SLOW;
    const order = this.rig.order(
      step.action,
      {
        permille: slow ? step.permille : undefined,
        drain: step.drain && step.action === OrderAction.PAUSE ? new Map([[EngineClass.COPY, 10n ** 10n]]) : undefined,
      },
      PARTIES.slice(0, step.voices),
    );
    this.#orders.push(order);
    if (step.deliver) this.rig.send(Command.ORDER, order);
  }

  #beacon(step: Extract<Step, { do: "beacon" }>): void {
    const beacon = this.rig.beacon(step.epochAhead ? { epoch: this.rig.info().epoch + 1 } : {});
    this.#beacons.push(beacon);
    if (!step.hoard) this.rig.send(Command.BEACON, beacon);
  }

  #again(command: number, objects: readonly Uint8Array[], which: number): void {
    const object = objects[which % Math.max(1, objects.length)];
    if (object) this.rig.send(command, object);
  }

  /** Bits of `classes` choose which classes the phase uses; INT8 is in no license. */
  #phase(seconds: number, classes: number) {
    const chosen = CLASSES.filter((_, bit) => (classes >> bit) & 1);
    const work = new Map(chosen.map((c) => [c, BigInt(seconds) * 10n ** (c === EngineClass.TENSOR_BF16 ? 14n : 9n)]));
    return phaseOf(seconds, { work });
  }
}
