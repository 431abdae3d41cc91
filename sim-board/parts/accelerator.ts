/**
 * The accelerator: engine classes that retire work, a credit register each, and the hardware counters.
 *
 * The gate is this hardware. Credit is debited as work retires and a class at zero stops dead; nobody but the governor
 * refills it. A class that never had credit since power-up is denied: commands for it are refused and counted.
 *
 * A phase goes through its classes in lockstep, in proportion to its duration, so that a class without credit holds up
 * the phase. All arithmetic is exact: after `t` of `d` nanoseconds a class has done floor(work × t / d).
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { type Accelerator as Chip, peakPerSecond } from "../accelerators.ts";
import { BoardError } from "../errors.ts";
import { NS_PER_SECOND, nsOf, secondsOf } from "../time.ts";
import type { Phase, Work } from "../workloads/types.ts";
import { classIn, Registers } from "./registers.ts";

const CLASSES: number = EngineClass.COUNT;

/** What one stretch of simulated time did. */
export type Progress = {
  /** Work retired, by class; undefined if none was. */
  retired: bigint[] | undefined;
  /** A class fell below half of what it was last granted. */
  creditLow: boolean;
  /** Classes that stopped dead. */
  stalled: { engineClass: number; reason: "denied" | "dry" }[];
  /** The phase that is done. */
  completed: Phase | undefined;
};

type Running = { phase: Phase; work: bigint[]; done: bigint[]; durationNs: bigint; elapsedNs: bigint };

export type AcceleratorSnapshot = {
  registers: Uint8Array;
  lifetime: bigint[];
  running: Running | undefined;
};

export class Accelerator {
  readonly chip: Chip;
  readonly #registers = new Registers();
  /** What was really done since manufacture, by class. The governor cannot see it: it is here for the invariants. */
  #lifetime: bigint[] = zeros();
  #running: Running | undefined;

  constructor(chip: Chip) {
    this.chip = chip;
  }

  // What the governor sees: the hardware counters. They are free-running, 64 bits wide, and zero at power-up.

  retiredOf(engineClass: number): bigint {
    return this.#registers.retiredOf(engineClass);
  }

  deniedOf(engineClass: number): number {
    return this.#registers.deniedOf(engineClass);
  }

  throttledOf(engineClass: number): number {
    return this.#registers.throttledOf(engineClass);
  }

  // The gate.

  creditOf(engineClass: number): bigint {
    return this.#registers.creditOf(engineClass);
  }

  /** Adds credit; a register that is full stays full. */
  grant(engineClass: number, amount: bigint): void {
    this.#registers.grant(engineClass, amount);
  }

  /** Zeroes every credit register at once. */
  close(): void {
    this.#registers.close();
  }

  // What the host gives it to do.

  /** True while a phase runs or stands still. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** The phase that runs or stands still. */
  get phase(): Phase | undefined {
    return this.#running?.phase;
  }

  /** Nanoseconds of the running phase that are behind it. */
  get elapsedNs(): bigint {
    return this.#running?.elapsedNs ?? 0n;
  }

  /** @throws BoardError if a phase already runs or this one makes no sense. */
  submit(phase: Phase): void {
    if (this.#running) {
      throw new BoardError("accelerator/busy", `"${this.#running.phase.name}" runs; withdraw it first`);
    }
    const work = zeros();
    for (const [engineClass, amount] of phase.work) {
      if (amount < 0n) throw new BoardError("accelerator/phase", `"${phase.name}" has negative work`);
      work[classIn(engineClass)] = amount;
    }
    // New commands try anew: a class without credit refuses these too, and counts it.
    this.#registers.standNoMore();
    this.#running = { phase, work, done: zeros(), durationNs: this.#durationNs(phase, work), elapsedNs: 0n };
  }

  /** Takes the running phase off. What is left of it may be submitted later. */
  withdraw(): Phase | undefined {
    const running = this.#running;
    if (!running) return undefined;
    this.#running = undefined;
    const work: Work = new Map();
    running.work.forEach((amount, engineClass) => {
      const left = amount - running.done[engineClass]!;
      if (left > 0n) work.set(engineClass, left);
    });
    return { ...running.phase, durationSeconds: secondsOf(running.durationNs - running.elapsedNs), work };
  }

  /** Nanoseconds to the next thing that happens here, if nothing changes; undefined if nothing will. */
  untilNextNs(): bigint | undefined {
    const running = this.#running;
    if (!running || this.#standsStill()) return undefined;
    let at = running.durationNs;
    for (let c = 0; c < CLASSES; c++) {
      const work = running.work[c]!;
      if (work === 0n) continue;
      const credit = this.#registers.creditOf(c);
      const stop = lastNsWithin(running.done[c]! + credit, work, running.durationNs);
      if (stop < at) at = stop;
      const lowLevel = this.#registers.lowLevelOf(c);
      if (lowLevel !== undefined) {
        const low = firstNsReaching(running.done[c]! + credit - lowLevel, work, running.durationNs);
        if (low < at) at = low;
      }
    }
    return at > running.elapsedNs ? at - running.elapsedNs : 0n;
  }

  /** Lets `ns` pass: at most what `untilNextNs` says, or anything while nothing happens here. */
  pass(ns: bigint): Progress {
    const progress: Progress = { retired: undefined, creditLow: false, stalled: [], completed: undefined };
    const running = this.#running;
    if (!running || this.#standsStill()) return progress;
    const registers = this.#registers;
    running.elapsedNs += ns;
    const atEnd = running.elapsedNs >= running.durationNs;
    for (let c = 0; c < CLASSES; c++) {
      const work = running.work[c]!;
      if (work === 0n) continue;
      const target = atEnd ? work : (work * running.elapsedNs) / running.durationNs;
      if (target > running.done[c]!) this.#retire(progress, c, target - running.done[c]!);
    }
    if (!atEnd) {
      // The next nanosecond needs more than a class has: it uses up what it has, and stands still.
      for (let c = 0; c < CLASSES; c++) {
        const work = running.work[c]!;
        if (work === 0n) continue;
        const needed = (work * (running.elapsedNs + 1n)) / running.durationNs - running.done[c]!;
        const credit = registers.creditOf(c);
        if (needed <= credit) continue;
        if (credit > 0n) this.#retire(progress, c, credit);
        progress.stalled.push({ engineClass: c, reason: registers.stand(c) });
      }
    } else {
      progress.completed = running.phase;
      this.#running = undefined;
    }
    progress.creditLow = registers.tellCreditLow();
    return progress;
  }

  /** Power-down: registers and counters are gone, and the phase with them. */
  reset(): void {
    this.#registers.reset();
    this.#running = undefined;
  }

  /** Ground truth of a class since manufacture. */
  lifetimeOf(engineClass: number): bigint {
    return this.#lifetime[classIn(engineClass)]!;
  }

  snapshot(): AcceleratorSnapshot {
    return { registers: this.#registers.snapshot(), lifetime: [...this.#lifetime], running: copyOf(this.#running) };
  }

  restore(snapshot: AcceleratorSnapshot): void {
    this.#registers.restore(snapshot.registers);
    this.#lifetime = [...snapshot.lifetime];
    this.#running = copyOf(snapshot.running);
  }

  #retire(progress: Progress, engineClass: number, amount: bigint): void {
    this.#registers.retire(engineClass, amount);
    this.#lifetime[engineClass]! += amount;
    this.#running!.done[engineClass]! += amount;
    progress.retired ??= zeros();
    progress.retired[engineClass]! += amount;
  }

  #standsStill(): boolean {
    const running = this.#running!;
    return running.work.some((work, c) => work > running.done[c]! && this.#registers.standsStill(c));
  }

  /** A recorded duration stands; a computed one is never shorter than the roofline: each class at its peak. */
  #durationNs(phase: Phase, work: bigint[]): bigint {
    if (!Number.isFinite(phase.durationSeconds) || phase.durationSeconds < 0) {
      throw new BoardError("accelerator/phase", `"${phase.name}" lasts ${phase.durationSeconds} s`);
    }
    let duration = nsOf(phase.durationSeconds);
    if (!phase.measured) {
      for (let c = 0; c < CLASSES; c++) {
        const peak = BigInt(Math.round(peakPerSecond(this.chip, c)));
        if (peak === 0n || work[c] === 0n) continue;
        const least = (work[c]! * NS_PER_SECOND + peak - 1n) / peak;
        if (least > duration) duration = least;
      }
    }
    return duration > 0n ? duration : 1n;
  }
}

/** The last nanosecond at which floor(work × t / duration) ≤ most. */
function lastNsWithin(most: bigint, work: bigint, duration: bigint): bigint {
  return ((most + 1n) * duration - 1n) / work;
}

/** The first nanosecond at which floor(work × t / duration) ≥ least. */
function firstNsReaching(least: bigint, work: bigint, duration: bigint): bigint {
  return (least * duration + work - 1n) / work;
}

/** A phase is what somebody gave: nobody changes it. */
function copyOf(running: Running | undefined): Running | undefined {
  return running && { ...running, work: [...running.work], done: [...running.done] };
}

function zeros(): bigint[] {
  return new Array<bigint>(CLASSES).fill(0n);
}
