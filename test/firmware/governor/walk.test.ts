import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { BoardError, PowerCut } from "../../../sim-board/errors.ts";
import type { FlashImage } from "../../../sim-board/parts/flash.ts";
import { Random } from "../../../sim-board/random.ts";
import { PARTIES, phaseOf, Rig, STRANGER } from "../../rig.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const INT8 = EngineClass.TENSOR_INT8;
const WALKS = 18;
const STEPS = 300;

/**
 * An operator who does whatever comes to mind, with a host that is honest half of the time. S1 to S6 are observers that
 * throw at the first event that breaks one; what is checked here is what they cannot see.
 */
class Walk {
  readonly rig: Rig;
  readonly log: string[] = [];
  /** States that the gate came to, and how often. */
  readonly visits = new Map<number, number>();
  readonly #random: Random;
  #hoard: [Command, Uint8Array][] = [];
  #images: FlashImage[] = [];

  constructor(seed: string) {
    this.#random = new Random(seed);
    const baseline = this.#random.below(2) === 0 ? new Map([[BF16, 10n ** 15n]]) : undefined;
    this.rig = Rig.ready({ baseline, sliceTicks: this.#random.below(2) === 0 ? 60_000n : 5_000n }, { seed });
    this.rig.board.subscribe({
      observe: (event) => {
        if (event.kind === "gate") this.visits.set(event.to, (this.visits.get(event.to) ?? 0) + 1);
      },
    });
  }

  step(): void {
    const names = [...Object.keys(this.#actions), ...new Array<string>(8).fill("beHonest")];
    const name = names[this.#random.below(names.length)]!;
    this.log.push(name);
    // In one step of eight the plug is pulled somewhere in the middle.
    if (this.#random.below(8) === 0) this.rig.board.supply.cutAfterOperations(this.#random.below(12));
    try {
      this.#actions[name]!();
    } catch (error) {
      if (!(error instanceof PowerCut) && !(error instanceof BoardError && error.code === "board/off")) throw error;
      this.log.push("(power cut)");
    }
    this.rig.board.supply.clear();
    if (!this.rig.board.on) this.#powerOn();
    expect(this.rig.board.fault).toBeUndefined();
  }

  /** Some steps more, as an honest host: whatever happened, work goes on, or the device is tampered with. */
  settle(): void {
    const { rig } = this;
    if (rig.board.gateState === GateState.TAMPERED) return;
    rig.board.withdraw();
    rig.board.cutPower();
    rig.board.powerOn();
    if (rig.board.gateState === GateState.LOCKED) {
      const totals = Array.from({ length: EngineClass.COUNT }, (_, c) => rig.done(c as EngineClass));
      rig.must(rig.send(Command.RECOVER, rig.recovery({ totals, sequence: 100_000n, epoch: 100_000 })));
    }
    rig.must(rig.syncTime());
    // Whatever back-off there is ends.
    rig.board.advance(5000);
    rig.must(rig.syncTime());
    if (rig.board.gateState === GateState.PAUSED || rig.board.gateState === GateState.DRAINING)
      rig.obey(OrderAction.RESUME);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.run(phaseOf(3)).completed).toBe(true);
    const { report } = rig.report();
    for (let c = 0; c < EngineClass.COUNT; c++) {
      expect(report.totals[c]!).toBeGreaterThanOrEqual(rig.done(c as EngineClass));
    }
  }

  #powerOn(): void {
    // The plug may be pulled in the middle of a boot as well.
    for (;;) {
      try {
        this.rig.board.powerOn();
        return;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
      }
    }
  }

  #send(command: Command, object?: Uint8Array): void {
    if (object && this.#random.below(3) === 0) this.#hoard.push([command, object]);
    this.rig.send(command, object);
  }

  #signers() {
    return [...PARTIES, STRANGER].filter(() => this.#random.below(2) === 0);
  }

  #work(engineClass: EngineClass, seconds: number): void {
    this.rig.board.withdraw();
    this.rig.board.submit(
      phaseOf(seconds, {
        work: new Map([
          [engineClass, BigInt(seconds) * 10n ** 13n],
          [COPY, 10n ** 9n],
        ]),
      }),
    );
  }

  readonly #actions: Record<string, () => void> = {
    beHonest: () => this.#beHonest(),
    advanceALittle: () => this.rig.board.advance(this.#random.below(30)),
    advanceALot: () => this.rig.board.advance(this.#random.below(400)),
    work: () => {
      this.#work(BF16, 1 + this.#random.below(200));
      this.rig.board.advance(this.#random.below(100));
    },
    workThatIsDenied: () => {
      this.#work(INT8, 1);
      this.rig.board.advance(1);
    },
    withdraw: () => {
      this.rig.board.withdraw();
    },
    syncTime: () => this.#send(Command.TIME_PROOF, this.rig.timeProof()),
    beacon: () => this.#send(Command.BEACON, this.rig.beacon()),
    beaconOfAnotherEpoch: () =>
      this.#send(Command.BEACON, this.rig.beacon({ epoch: this.rig.info().epoch + this.#random.below(3) })),
    license: () => this.#send(Command.LICENSE, this.rig.license()),
    licenseAgain: () => this.#send(Command.LICENSE, this.rig.license()),
    licenseOffline: () => this.#send(Command.LICENSE, this.rig.license({ nonce: undefined })),
    licenseWithRate: () => this.#send(Command.LICENSE, this.rig.license({ rate: new Map([[BF16, 10n ** 9n]]) })),
    licenseSmall: () =>
      this.#send(Command.LICENSE, this.rig.license({ budget: new Map([[BF16, BigInt(this.#random.below(10 ** 9))]]) })),
    licenseBad: () =>
      this.#send(Command.LICENSE, this.rig.license({ sequence: BigInt(this.#random.below(5000)) }, this.#signersOr())),
    pause: () => this.#send(Command.ORDER, this.rig.order(OrderAction.PAUSE)),
    pauseNarrow: () =>
      this.#send(
        Command.ORDER,
        this.rig.order(OrderAction.PAUSE, { drain: new Map([[COPY, 1000n]]), drainTicks: 5000n }),
      ),
    pauseElsewhere: () => this.#send(Command.ORDER, this.rig.order(OrderAction.PAUSE, { scope: [new Uint8Array(33)] })),
    slow: () =>
      this.#send(
        Command.ORDER,
        this.rig.order(
          OrderAction.SLOW,
          { permille: 1 + this.#random.below(999) },
          PARTIES.slice(0, 1 + this.#random.below(2)),
        ),
      ),
    resume: () => this.#send(Command.ORDER, this.rig.order(OrderAction.RESUME)),
    orderBad: () => this.#send(Command.ORDER, this.rig.order(OrderAction.RESUME, {}, this.#signersOr())),
    drainDone: () => this.#send(Command.DRAIN_DONE),
    report: () => this.#send(Command.REPORT),
    reportAgain: () => this.#send(Command.REPORT_AGAIN),
    evidence: () => this.#send(Command.EVIDENCE, this.#random.bytes(32)),
    diagnose: () => this.#send(Command.DIAGNOSE),
    replay: () => {
      const known = this.#hoard[this.#random.below(this.#hoard.length || 1)];
      if (known) this.rig.send(...known);
    },
    garbage: () => this.#send(Command.LICENSE, this.#random.bytes(20)),
    powerCycle: () => {
      this.rig.board.cutPower();
      this.rig.board.powerOn();
    },
    restart: () => {
      this.rig.board.cutPower();
      this.rig.board.powerOn();
      this.#send(Command.TIME_PROOF, this.rig.timeProof());
    },
    keepFlash: () => {
      this.#images.push(this.rig.board.flash.image());
    },
    rollBack: () => {
      const image = this.#images[this.#random.below(this.#images.length || 1)];
      if (!image || this.#random.below(3) > 0) return;
      const own = this.rig.board.flash.image();
      this.rig.board.cutPower();
      this.rig.board.flash.replace(image);
      this.rig.board.powerOn();
      // Found out, the operator mostly puts the right one back.
      if (this.rig.board.gateState !== GateState.LOCKED || this.#random.below(4) === 0) return;
      this.rig.board.cutPower();
      this.rig.board.flash.replace(own);
      this.rig.board.powerOn();
    },
    recover: () => {
      if (this.rig.board.gateState !== GateState.LOCKED) return;
      const totals = Array.from({ length: EngineClass.COUNT }, (_, c) => this.rig.done(c as EngineClass));
      const sequence = 2000n + BigInt(this.log.length);
      this.#send(Command.RECOVER, this.rig.recovery({ totals, sequence, epoch: 3000 + this.log.length }));
    },
    flipFlash: () => {
      if (this.#random.below(40) > 0) return;
      this.rig.board.flash.flip(this.#random.below(12 * 4096), this.#random.below(8));
    },
    tamper: () => {
      if (this.#random.below(400) === 0) this.rig.board.trip(1);
    },
  };

  /** What brings an honest board back to work, if nothing stands against it. */
  #beHonest(): void {
    const { rig } = this;
    this.#send(Command.TIME_PROOF, rig.timeProof());
    if (rig.board.gateState === GateState.PAUSED || rig.lastReason === "GATE_ORDER_WITHHELD") {
      // Beyond whatever epoch somebody made up.
      this.#send(Command.ORDER, rig.order(OrderAction.RESUME, { epoch: rig.info().epoch + 3 }));
      this.#send(Command.BEACON, rig.beacon());
    }
    this.#send(Command.LICENSE, rig.license());
    this.#work(BF16, 20);
    rig.board.advance(this.#random.below(25));
  }

  #signersOr() {
    const signers = this.#signers();
    return signers.length > 0 ? signers : [STRANGER];
  }
}

const visits = new Map<number, number>();

describe("an operator who does whatever comes to mind", () => {
  it.each(Array.from({ length: WALKS }, (_, i) => `walk ${i}`))(
    `breaks no invariant in ${STEPS} steps, and an honest host can go on (%s)`,
    (seed) => {
      const walk = new Walk(seed);
      try {
        for (let i = 0; i < STEPS; i++) walk.step();
        walk.settle();
      } catch (error) {
        throw new Error(`seed "${seed}", after ${walk.log.length} steps: … ${walk.log.slice(-12).join(", ")}`, {
          cause: error,
        });
      }
      for (const [state, count] of walk.visits) visits.set(state, (visits.get(state) ?? 0) + count);
      const { invariants } = walk.rig.board;
      expect(invariants!.broken).toEqual([]);
      expect(invariants!.checked).toBeGreaterThan(100);
    },
  );

  it("has seen the gate in every state by then, and open many times", () => {
    const states = [GateState.IDLE, GateState.OPEN, GateState.SLOWED, GateState.DRAINING, GateState.PAUSED];
    for (const state of states) expect(visits.get(state) ?? 0).toBeGreaterThan(20);
    expect(visits.get(GateState.OPEN)! + visits.get(GateState.SLOWED)!).toBeGreaterThan(300);
  });
});
