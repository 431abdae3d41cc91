/**
 * Gate, meter and credit against a second writing of the design, through lives drawn by the seed: all twelve classes at once,
 * at rates that divide badly, worked to the last operation and looked at around every tick that matters.
 */
import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { Agreement } from "../../../host/objects/agreement.ts";
import { decodeIntervals, intervalTree } from "../../../host/objects/intervals.ts";
import type { Order } from "../../../host/objects/order.ts";
import { verifyUsageReport } from "../../../host/objects/usage-report.ts";
import { Random } from "../../../sim-board/random.ts";
import { PARTIES, Rig } from "../../rig.ts";
import { Bare } from "./bare.ts";
import { ExactMeter, type Pact, type Terms } from "./exact-meter.ts";

const CLASSES = Array.from({ length: EngineClass.COUNT }, (_, c) => c as EngineClass);
const LIVES = 80;
const EVENTS = 100;
const BIG = 10n ** 18n;
/** More than one word holds. */
const HUGE = 2n ** 64n + 7n;
/** Steps of the counter that are kept back from grants. */
const KEPT_BACK = 256;
/** Of the factory's boot, the agreement, and the first report. */
const STEPS_BEFORE = 3;

/** A life: the governor on registers and a clock that are turned by hand, and what it should come to. */
class Life {
  readonly #random: Random;
  readonly #bare: Bare;
  readonly #meter: ExactMeter;
  #permille = 1000;
  #newest: Uint8Array;

  constructor(seed: string) {
    this.#random = new Random(seed);
    const pact: Pact = {
      rateMax: CLASSES.map(() => this.#oneOf([1n, 7n, 999n, 1001n, 123_457n, 10n ** 9n + 7n])),
      sliceTicks: this.#oneOf([1000n, 1003n, 2n, 7n]),
      drainTicksMax: 1500n,
      commitsForGrants: this.#oneOf([2, 20, EVENTS, 10 * EVENTS]),
    };
    const counterLifeSteps = STEPS_BEFORE + pact.commitsForGrants + KEPT_BACK;
    this.#bare = new Bare(Rig.ready(agreementOf(pact), { counterLifeSteps }));
    this.#meter = new ExactMeter(pact, this.#now);
    // What happened before is told, and the reports from here on list what the model saw.
    this.#newest = this.#bare.ask(Command.REPORT)[1] as Uint8Array;
    expect(this.#bare.rig.board.counter.read()).toBe(STEPS_BEFORE);
  }

  get #now(): bigint {
    return this.#bare.knobs.ticks;
  }

  live(): void {
    for (let event = 0; event < EVENTS; event++) {
      this.#happen();
      this.#compare(`event ${event}`);
    }
  }

  #happen(): void {
    const { gate } = this.#meter;
    const lot = this.#random.below(100);
    if (lot < 30) this.#pass();
    else if (lot < 55) this.#work();
    else if (lot < 75) this.#interrupt();
    else if (lot < 82) this.#report();
    else if (gate === GateState.DRAINING && lot < 97) this.#work();
    else if (gate === GateState.DRAINING) this.#drainDone();
    else if (gate === GateState.PAUSED) this.#order(OrderAction.RESUME);
    else if (lot < 88) this.#license();
    else if (lot < 94 && this.#meter.flows) this.#order(OrderAction.SLOW);
    else if (lot < 97 && this.#meter.flows) this.#order(OrderAction.RESUME);
    else this.#order(OrderAction.PAUSE);
  }

  #oneOf<T>(values: readonly T[]): T {
    return values[this.#random.below(values.length)]!;
  }

  /** A while, often up to the very tick at which something is due. */
  #pass(): void {
    const { sliceTicks } = this.#meter.pact;
    const now = this.#now;
    const due = this.#meter.dueTicks.flatMap((tick) => [tick - 1n, tick, tick + 1n]).filter((tick) => tick > now);
    const some = [1n, sliceTicks / 3n + 1n, 3n * sliceTicks].map((ticks) => now + ticks);
    this.#bare.knobs.ticks = this.#oneOf([...due, ...some]);
  }

  #work(): void {
    for (const c of CLASSES) {
      const credit = this.#bare.knobs.registers.creditOf(c);
      const amount = this.#oneOf([0n, 0n, credit, credit / 2n, (credit + 1n) / 2n, credit > 0n ? credit - 1n : 0n]);
      if (amount === 0n) continue;
      this.#bare.knobs.registers.retire(c, amount);
      this.#meter.work(c, amount);
    }
  }

  #interrupt(): void {
    if (this.#random.below(3) === 0) {
      this.#bare.governor.creditLow();
      this.#meter.creditLow(this.#now);
    } else {
      this.#bare.governor.tick();
      this.#meter.tick(this.#now);
    }
  }

  #license(): void {
    const { rateMax, sliceTicks } = this.#meter.pact;
    const isCapped = this.#random.below(3) === 0;
    const terms: Terms = {
      budget: CLASSES.map((c) => this.#oneOf([c === 0 ? 1n : 0n, 1n, rateMax[c]! * sliceTicks, BIG, HUGE])),
      drain: CLASSES.map((c) => this.#oneOf([0n, 1n, rateMax[c]! * sliceTicks * 2n])),
      rate: CLASSES.map((c) => (isCapped && this.#random.below(4) === 0 ? (rateMax[c]! + 1n) / 2n : undefined)),
      ticksMax: this.#oneOf([1n, 3n * sliceTicks, 10n ** 6n, 10n ** 6n]),
    };
    this.#meter.settle(this.#now);
    const license = this.#bare.license({
      budget: byClass(terms.budget),
      drain: byClass(terms.drain),
      ticksMax: terms.ticksMax,
      rate: byClass(terms.rate.map((rate) => rate ?? 0n)),
    });
    expect(this.#bare.ask(Command.LICENSE, license)[0]).toBe(0);
    this.#meter.license(terms, this.#now);
  }

  #order(action: OrderAction): void {
    const permille = action === OrderAction.SLOW ? 1 + this.#random.below(999) : 1000;
    const isLimited = action === OrderAction.PAUSE && this.#random.below(2) === 0;
    const drain = isLimited ? CLASSES.map(() => this.#oneOf([0n, 1n, BIG])) : undefined;
    const drainTicks = isLimited ? this.#oneOf([1n, 700n, BIG]) : undefined;
    const change: Partial<Order> = {
      ...(action === OrderAction.SLOW && { permille }),
      ...(drain && { drain: byClass(drain) }),
      ...(drainTicks !== undefined && { drainTicks }),
    };
    const raises = action === OrderAction.RESUME || (action === OrderAction.SLOW && permille > this.#permille);
    this.#meter.settle(this.#now);
    const order = this.#bare.order(action, change, PARTIES.slice(0, raises ? 2 : 1));
    expect(this.#bare.ask(Command.ORDER, order)[0]).toBe(0);
    this.#permille = action === OrderAction.PAUSE ? 0 : permille;
    this.#meter.order(action, BigInt(permille), this.#now, drain, drainTicks);
  }

  #drainDone(): void {
    expect(this.#bare.ask(Command.DRAIN_DONE)[0]).toBe(0);
    this.#meter.drainDone(this.#now);
  }

  #report(): void {
    const [, bytes, intervalBytes] = this.#bare.ask(Command.REPORT) as [number, Uint8Array, Uint8Array];
    const report = verifyUsageReport(bytes, this.#bare.rig.attestationKey());
    const intervals = decodeIntervals(intervalBytes);
    const expected = this.#meter.report(this.#now);
    if (expected === undefined) {
      expect(bytes).toEqual(this.#newest);
      return;
    }
    this.#newest = bytes;
    const { leaves, moves } = expected;
    expect(intervals).toEqual(leaves);
    expect(report.intervalRoot).toEqual(intervalTree(intervals).hash);
    expect(report.transitionCount).toBe(moves.length);
    expect(report.transitions).toEqual(moves.slice(0, Limit.TRANSITIONS_MAX));
    expect(report.totals).toEqual(this.#meter.totals);
  }

  #compare(when: string): void {
    const { registers } = this.#bare.knobs;
    const { counter } = this.#bare.rig.board;
    expect({ when, credit: CLASSES.map((c) => registers.creditOf(c)), steps: counter.read() - STEPS_BEFORE }).toEqual({
      when,
      credit: this.#meter.credit,
      steps: this.#meter.commits,
    });
    if (this.#random.below(4) > 0) return;
    this.#meter.settle(this.#now);
    const { gateState, totals, budgetLeft } = this.#bare.info();
    expect({ when, gateState, totals, budgetLeft }).toEqual({
      when,
      gateState: this.#meter.gate,
      totals: this.#meter.totals,
      budgetLeft: this.#meter.budgetLeft,
    });
  }
}

/** Everything allowed, and time without end. */
function agreementOf({ rateMax, sliceTicks, drainTicksMax }: Pact): Partial<Agreement> {
  return {
    caps: new Map(CLASSES.map((c) => [c, { budgetMax: HUGE, rateMax: rateMax[c]! }])),
    drain: byClass(CLASSES.map(() => BIG)),
    sliceTicks,
    drainTicksMax,
    leaseSeconds: 100_000,
  };
}

/** What is zero is left out. */
function byClass(amounts: readonly bigint[]): Map<EngineClass, bigint> {
  return new Map(CLASSES.flatMap((c) => (amounts[c]! > 0n ? [[c, amounts[c]!] as const] : [])));
}

describe("gate, meter and credit", () => {
  it.each(Array.from({ length: LIVES }, (_, i) => i))("come to what the design says, in life %i", (i) => {
    new Life(`exact ${process.env.QUIESCE_SEED} ${i}`).live();
  });
});
