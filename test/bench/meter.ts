/** What metering costs while work flows: a tick, a slice, a report, and the commands that the accelerator works through. */

import { StateHead } from "../../firmware/protocol/board.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { decode, encode } from "../../host/protocol/cbor.ts";
import { Registers } from "../../sim-board/parts/registers.ts";
import { loadPrimitives } from "../primitives.ts";
import { Rig } from "../rig.ts";
import { bareGovernor, bareHal, knobsOf, recordBytes, useUp } from "./bare-governor.ts";
import { LONG_LIFE } from "./boot.ts";
import { type Bench, type Case, runBench } from "./frame.ts";
import { governorShare } from "./governor-share.ts";

const TWO_CLASSES: readonly number[] = [EngineClass.TENSOR_BF16, EngineClass.COPY];
const ALL_CLASSES: readonly number[] = Array.from({ length: EngineClass.COUNT }, (_, c) => c);
const SLICE_TICKS = 2n;
const RATE_PER_TICK = 1_000_000n;
const BUDGET = 10n ** 18n;
const YEAR_SECONDS = 31_536_000;
/** A thousand commands in so many microseconds are so many nanoseconds each. */
const COMMANDS = 1000;
const RING_COMMANDS = 1024;
/** The demo's slices, and the shortest that docs/journal.md recommends. */
const SLICES_SECONDS = [10, 1];

export const meter: Bench = {
  about: "tick, slice, report and command, each against the least it must do; the governor's share of a training step",
  async run(progress, effort) {
    const cases = () => [tickCase(), sliceCase(TWO_CLASSES), sliceCase(ALL_CLASSES), reportCase(), commandCase()];
    const measured = await runBench("meter", { about: "", cases }, effort, progress);
    progress("a training step, simulated");
    return [...measured.results, ...governorShare(SLICES_SECONDS)];
  },
};

function tickCase(): Case {
  const rig = openRig();
  const knobs = knobsOf(rig);
  const governor = bareGovernor(rig, knobs);
  const hal = bareHal(rig, knobs);
  return {
    name: "a tick, nothing due",
    against: "its counter reads from JavaScript",
    ours: () => governor.tick(),
    theirs() {
      hal.tamperRead();
      hal.ticks();
      for (let c = 0; c < EngineClass.COUNT; c++) hal.workRead(c);
    },
  };
}

function sliceCase(classes: readonly number[]): Case {
  const rig = openRig(classes);
  const knobs = knobsOf(rig);
  const governor = bareGovernor(rig, knobs);
  const primitives = loadPrimitives();
  const [key, record] = [new Uint8Array(32), new Uint8Array(recordBytes(rig))];
  return {
    name: `a slice of ${classes.length} classes: credit low, settle, record, step, grant`,
    against: "its record's HMAC alone",
    ours() {
      // All that was granted is done, and a slice period has passed.
      useUp(knobs, classes);
      knobs.ticks += SLICE_TICKS;
      governor.creditLow();
      if (knobs.registers.creditOf(EngineClass.TENSOR_BF16) === 0n)
        throw new Error(whyNot(governor.stateWord(StateHead.GATE_STATE)));
    },
    theirs: () => void primitives.hmacSha256(key, record),
  };
}

function reportCase(): Case {
  const rig = openRig();
  const knobs = knobsOf(rig);
  const governor = bareGovernor(rig, knobs);
  const primitives = loadPrimitives();
  const request = encode([Command.REPORT]);
  const take = () => {
    // A report of nothing would be the newest one again.
    knobs.registers.retire(EngineClass.TENSOR_BF16, 1n);
    return governor.doorbell(request);
  };
  const [, report] = decode(take()) as [number, Uint8Array];
  const seed = new Uint8Array(32);
  return {
    name: "a usage report: settle, sign, store, record",
    against: "a signature from a seed alone",
    ours() {
      if (take().length < report.length) throw new Error("no report came");
    },
    theirs: () => void primitives.ed25519Sign(seed, report),
  };
}

/** Commands of all classes, small and large, under credit that does not end. */
function commandCase(): Case {
  const registers = new Registers();
  registers.openRing(RING_COMMANDS);
  const classes = new Uint32Array(RING_COMMANDS).map((_, i) => (i * 5) % EngineClass.COUNT);
  const amounts = new Float64Array(RING_COMMANDS).map((_, i) => (i * 7919) % 1000);
  for (let c = 0; c < EngineClass.COUNT; c++) registers.grant(c, 2n ** 63n);
  for (const [i, engineClass] of classes.entries()) registers.post(engineClass, BigInt(amounts[i]!));
  registers.execute(RING_COMMANDS);
  let tail = RING_COMMANDS;
  const totals = new Float64Array(EngineClass.COUNT);
  return {
    name: "a thousand commands from the ring",
    against: "a loop of their additions",
    ours() {
      tail += COMMANDS;
      // What was executed still stands in the ring.
      registers.ringTail = tail;
      if (registers.execute(COMMANDS).executed !== COMMANDS) throw new Error("the ring stopped");
    },
    theirs() {
      for (let i = 0; i < COMMANDS; i++) totals[classes[i]!]! += amounts[i]!;
    },
  };
}

/** A gate that stays open through any number of slices. */
function openRig(classes = TWO_CLASSES): Rig {
  const rig = Rig.ready(
    {
      caps: new Map(classes.map((c) => [c, { budgetMax: BUDGET, rateMax: RATE_PER_TICK }])),
      drain: new Map(),
      sliceTicks: SLICE_TICKS,
      leaseSeconds: YEAR_SECONDS,
      licenseTicksMax: BigInt(YEAR_SECONDS) * 1000n,
    },
    { ...LONG_LIFE, invariants: false },
  );
  rig.must(
    rig.send(
      Command.LICENSE,
      rig.license({
        expirySeconds: rig.nowSeconds + YEAR_SECONDS,
        ticksMax: BigInt(YEAR_SECONDS) * 1000n,
        budget: new Map(classes.map((c) => [c, BUDGET])),
        drain: new Map(),
      }),
    ),
  );
  return rig;
}

function whyNot(gate: number): string {
  return gate === GateState.OPEN ? "no slice was granted" : `the gate left OPEN for 0x${gate.toString(16)}`;
}
