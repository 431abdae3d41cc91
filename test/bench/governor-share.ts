/**
 * A real training step beside a governor that takes time: every instruction of the image that ships one cycle of a core
 * at 100 MHz, every page and sector of flash as long as the slowest part's. Its calls queue while it is busy; what it
 * reads is of the moment when a call begins, what it grants comes when the call is over. So a class that runs dry
 * meanwhile stands still, and the step takes longer.
 */
import { Command } from "../../firmware/protocol/commands.ts";
import { termsFor } from "../../host/demo/terms.ts";
import { encode } from "../../host/protocol/cbor.ts";
import { accelerator } from "../../sim-board/accelerators.ts";
import { Governor, GovernorImage, type Hal } from "../../sim-board/governor-module.ts";
import { Accelerator } from "../../sim-board/parts/accelerator.ts";
import { FLASH_PART } from "../../sim-board/parts/flash.ts";
import { NS_PER_SECOND, nsOf } from "../../sim-board/time.ts";
import { builtinWorkload } from "../../sim-board/workloads/builtin.ts";
import type { Phase } from "../../sim-board/workloads/types.ts";
import { counted, countsOf } from "../instrument/count.ts";
import { governorImage, Rig } from "../rig.ts";
import { bareHal, type Knobs, knobsOf } from "./bare-governor.ts";
import type { Result } from "./frame.ts";

const CORE_HZ = 100_000_000;
const NS_PER_MS = 1e6;

type Call = "tick" | "creditLow" | "report";

/** One step under the governor, in milliseconds. */
export type Step = {
  /** As recorded, without a gate. */
  recordedMs: number;
  tookMs: number;
  /** The governor executed instructions. */
  busyMs: number;
  /** The longest from a class running low to its grant, flash included. */
  refillMs: number;
  /** The least time that a class which ran low had left. */
  untilDryMs: number;
  calls: Record<Call, number>;
  /** Calls of any kind that granted a slice. */
  slices: number;
};

/** The results for the bench, by slice lengths in seconds. */
export function governorShare(slices: readonly number[]): Result[] {
  return slices.flatMap((seconds) => {
    const step = simulateStep(seconds);
    const { tick, report } = step.calls;
    const with_ = `slices of ${seconds} s`;
    const row = (name: string, ours: number, against: string, theirs: number): Result => {
      return { name, unit: "ms", ours, against, theirs, ratio: ours / theirs };
    };
    return [
      row(`a step of Llama 3.1 405B, ${with_}`, step.tookMs, "without a gate", step.recordedMs),
      row(
        `  governor at 100 MHz: ${tick} ticks, ${step.slices} slices, ${report} report`,
        step.busyMs,
        "the step",
        step.tookMs,
      ),
      row("  credit low to grant, slowest flash", step.refillMs, "until dry", step.untilDryMs),
    ];
  });
}

/** The first recorded step of the workload, of one board. */
export function simulateStep(sliceSeconds: number): Step {
  const workload = builtinWorkload("llama405b-train", { steps: 1 });
  const [phase] = [...workload.phases()] as [Phase];
  const terms = { ...termsFor(workload), sliceTicks: BigInt(sliceSeconds * 1000) };
  const rig = Rig.ready(terms, { chip: accelerator(workload.accelerator), invariants: false });
  const budget = new Map([...phase.work].map(([c, amount]) => [c, amount * 2n]));
  rig.must(rig.send(Command.LICENSE, rig.license({ budget, ticksMax: 3_600_000n, drain: new Map(), svnLeast: 1 })));
  return new TimedGovernor(rig).run(phase);
}

/** A call that the governor is busy with. */
type Serving = { call: Call; askedNs: bigint; endNs: bigint; grants: readonly [number, bigint][] };

/** The rig's governor and accelerator, as they stand, with a time for everything. */
class TimedGovernor {
  readonly #accelerator: Accelerator;
  readonly #knobs: Knobs;
  readonly #governor: Governor;
  readonly #startTicks: bigint;
  readonly #tickHz: bigint;
  /** Of the call under way: milliseconds that flash took, and what it granted. */
  #flashMs = 0;
  #grants: [number, bigint][] = [];
  #busyNs = 0n;

  constructor(rig: Rig) {
    this.#accelerator = new Accelerator(rig.board.accelerator.chip);
    this.#accelerator.restore(rig.board.accelerator.snapshot());
    this.#knobs = knobsOf(rig);
    this.#startTicks = this.#knobs.ticks;
    this.#tickHz = BigInt(rig.agreement.tickHz);
    const image = new GovernorImage(counted(governorImage().bytes));
    this.#governor = new Governor(image, this.#timed(bareHal(rig, this.#knobs)));
    this.#governor.setState(rig.board.state()!);
  }

  /** The phase from its beginning to its end; a report is asked for as it begins. */
  run(phase: Phase): Step {
    const accelerator = this.#accelerator;
    const calls = { tick: 0, creditLow: 0, report: 0 };
    const queue: { call: Call; askedNs: bigint }[] = [{ call: "report", askedNs: 0n }];
    let [nowNs, tickNs, slices, refillNs] = [0n, NS_PER_SECOND, 0, 0n];
    let untilDryNs = Number.POSITIVE_INFINITY;
    let serving: Serving | undefined;
    accelerator.submit(phase);
    while (accelerator.busy) {
      if (serving === undefined && queue.length > 0) {
        const { call, askedNs } = queue.shift()!;
        serving = this.#begin(call, askedNs, nowNs);
        calls[call]++;
        if (serving.grants.length > 0) slices++;
      }
      const work = accelerator.untilNextNs();
      let nextNs = tickNs;
      if (work !== undefined && nowNs + work < nextNs) nextNs = nowNs + work;
      if (serving !== undefined && serving.endNs < nextNs) nextNs = serving.endNs;
      const { creditLow } = accelerator.pass(nextNs - nowNs);
      nowNs = nextNs;
      if (serving !== undefined && nowNs >= serving.endNs) {
        for (const [engineClass, amount] of serving.grants) accelerator.grant(engineClass, amount);
        const tookNs = nowNs - serving.askedNs;
        if (serving.call === "creditLow" && serving.grants.length > 0 && tookNs > refillNs) refillNs = tookNs;
        serving = undefined;
      }
      if (creditLow) {
        queue.push({ call: "creditLow", askedNs: nowNs });
        untilDryNs = Math.min(untilDryNs, this.#untilDryNs(phase));
      }
      if (nowNs >= tickNs) {
        queue.push({ call: "tick", askedNs: nowNs });
        tickNs += NS_PER_SECOND;
      }
    }
    const ms = (ns: bigint | number) => Number(ns) / NS_PER_MS;
    return {
      recordedMs: phase.durationSeconds * 1000,
      tookMs: ms(nowNs),
      busyMs: ms(this.#busyNs),
      refillMs: ms(refillNs),
      untilDryMs: ms(untilDryNs),
      calls,
      slices,
    };
  }

  /** Executes a call as of now; its end lies as far ahead as its instructions and its flash take. */
  #begin(call: Call, askedNs: bigint, nowNs: bigint): Serving {
    this.#knobs.ticks = this.#startTicks + (nowNs * this.#tickHz) / NS_PER_SECOND;
    this.#flashMs = 0;
    this.#grants = [];
    const { instructions } = countsOf(
      (name) => this.#governor.global64(name),
      () => this.#act(call),
    );
    const coreNs = nsOf(instructions / CORE_HZ);
    this.#busyNs += coreNs;
    return { call, askedNs, endNs: nowNs + coreNs + nsOf(this.#flashMs / 1000), grants: this.#grants };
  }

  #act(call: Call): void {
    if (call === "tick") this.#governor.tick();
    else if (call === "creditLow") this.#governor.creditLow();
    else if (this.#governor.doorbell(encode([Command.REPORT]))[1] !== 0) throw new Error("no report came");
  }

  /** Nanoseconds at the phase's pace until the first of its classes has no credit. */
  #untilDryNs(phase: Phase): number {
    const perClass = [...phase.work].map(([engineClass, amount]) => {
      return (Number(this.#accelerator.creditOf(engineClass)) / Number(amount)) * phase.durationSeconds * 1e9;
    });
    return Math.min(...perClass);
  }

  #timed(hal: Hal): Hal {
    return {
      ...hal,
      flashProgram: (address, source) => {
        this.#flashMs += FLASH_PART.pageProgramMsMost;
        hal.flashProgram(address, source);
      },
      flashErase: (sector) => {
        this.#flashMs += FLASH_PART.sectorEraseMsMost;
        hal.flashErase(sector);
      },
      workRead: (engineClass) => this.#accelerator.retiredOf(engineClass),
      creditRead: (engineClass) =>
        this.#grants.reduce(
          (credit, [granted, amount]) => (granted === engineClass ? credit + amount : credit),
          this.#accelerator.creditOf(engineClass),
        ),
      gateGrant: (engineClass, amount) => void this.#grants.push([engineClass, amount]),
      gateClose: () => {
        throw new Error("the gate closed in the middle of the step");
      },
    };
  }
}
