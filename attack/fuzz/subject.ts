/**
 * What is fuzzed: the governor that ships, with its branches counted, on silicon that goes back to a start in some
 * microseconds. The memory that it runs in goes back too, all of it, so that no run knows of another one.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { halImports } from "../../sim-board/governor-module.ts";
import { wasm } from "../../sim-board/wasm.ts";
import { bareHal, type Knobs, knobsOf } from "../bare-governor.ts";
import { restorerOf } from "../faults/trial.ts";
import { type Covered, withCoverage } from "../instrument/coverage.ts";
import type { Start } from "./starts.ts";

/** The longest honest call, a boot, makes some 31,000. */
const TURNS_MAX = 2_000_000n;

export type SubjectImage = Covered & { module: object };

/** The image with its branches counted, compiled once for all subjects. */
export function subjectImage(bytes: Uint8Array): SubjectImage {
  const covered = withCoverage(bytes);
  return { ...covered, module: new wasm.Module(covered.bytes) };
}

type Entry = "boot" | "doorbell" | "tick" | "creditLow";
type Global = { value: bigint | number };
type Exports = Record<Entry | "_initialize" | "mailbox" | "stateBlock" | "stateBytes", (length: number) => number> &
  Record<"turns" | "turnsMax", { value: bigint }>;
/** Memory and globals. */
type Contents = { memory: Uint8Array; globals: readonly (bigint | number)[] };

/** A call did not come back. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

export class Subject {
  readonly knobs: Knobs;
  /** One byte for each branch: how often it was taken since the last restart. */
  readonly counters: Uint8Array;
  /** Turns that loops have made since then. */
  turns = 0;
  readonly #memory: Uint8Array;
  readonly #globals: readonly Global[];
  readonly #exports: Exports;
  readonly #mailbox: number;
  readonly #state: Uint8Array;
  readonly #stateWords: DataView;
  readonly #handoff: Uint8Array;
  readonly #restoreSilicon: () => void;
  readonly #pristine: Contents;
  readonly #stateAtStart: Uint8Array;
  #start: Contents;

  /** The governor as it stands at the start. */
  constructor({ module, pages, counters, branches, globals }: SubjectImage, { rig, handoff, booted }: Start) {
    this.knobs = knobsOf(rig);
    if (!booted) this.knobs.registers.reset();
    this.#restoreSilicon = restorerOf(rig, this.knobs);
    const memory = new wasm.Memory({ initial: pages, maximum: pages });
    this.#memory = new Uint8Array(memory.buffer);
    this.counters = this.#memory.subarray(counters, counters + branches);
    const silicon = bareHal(rig, this.knobs);
    const hal = halImports(
      () => silicon,
      (address, length) => this.#bytes(address >>> 0, length >>> 0),
    );
    const imports = { env: { memory }, hal: { ...hal, ...this.knobs.registers.wires } };
    const { exports } = new wasm.Instance(module, imports);
    this.#exports = exports as Exports;
    this.#globals = globals.map((name) => (exports as Record<string, Global>)[name]!);
    this.#exports.turnsMax.value = TURNS_MAX;
    this.#exports._initialize(0);
    this.#mailbox = this.#exports.mailbox(0) >>> 0;
    const state = this.#exports.stateBlock(0) >>> 0;
    this.#state = this.#memory.subarray(state, state + this.#exports.stateBytes(0));
    this.#stateWords = new DataView(memory.buffer, state);
    this.#handoff = handoff;
    this.counters.fill(0);
    this.#pristine = this.#contents();
    if (booted) this.#state.set(rig.board.state()!);
    this.#stateAtStart = this.#state.slice();
    this.#start = this.#contents();
  }

  /** From now on the start is one that has made, for the keys of this message, all that speeds up their signatures. */
  warm(message: Uint8Array): void {
    this.doorbell(message);
    this.#state.set(this.#stateAtStart);
    this.counters.fill(0);
    this.#start = this.#contents();
    this.restart();
  }

  restart(): void {
    this.#put(this.#start);
    this.#restoreSilicon();
    this.turns = 0;
  }

  /** The answer. Of a longer message, as much is there as the mailbox holds. @throws Stopped */
  doorbell(message: Uint8Array): Uint8Array {
    this.#memory.set(message.subarray(0, Limit.MESSAGE_BYTES_MAX), this.#mailbox);
    const length = this.#call("doorbell", message.length);
    if (length > Limit.MESSAGE_BYTES_MAX) throw new Stopped(`an answer of ${length} bytes`);
    return this.#memory.slice(this.#mailbox, this.#mailbox + length);
  }

  /** @throws Stopped */
  tick(): void {
    this.#call("tick", 0);
  }

  /** @throws Stopped */
  creditLow(): void {
    this.#call("creditLow", 0);
  }

  /** The power goes, and comes back. @throws Stopped */
  powerCycle(): void {
    const counted = this.counters.slice();
    this.#put(this.#pristine);
    this.counters.set(counted);
    this.knobs.registers.reset();
    this.knobs.ticks = 0n;
    this.#memory.set(this.#handoff, this.#mailbox);
    this.#call("boot", this.#handoff.length);
  }

  /** A word of the State block's head. */
  stateWord(offset: number): number {
    return this.#stateWords.getUint32(offset, true);
  }

  #call(entry: Entry, length: number): number {
    const { turns } = this.#exports;
    turns.value = 0n;
    try {
      return this.#exports[entry](length) >>> 0;
    } catch (cause) {
      const how = turns.value > TURNS_MAX ? "hangs" : `traps: ${(cause as Error).message}`;
      throw new Stopped(`${entry} ${how}`, { cause });
    } finally {
      this.turns += Number(turns.value);
    }
  }

  #contents(): Contents {
    return { memory: this.#memory.slice(), globals: this.#globals.map(({ value }) => value) };
  }

  #put({ memory, globals }: Contents): void {
    this.#memory.set(memory);
    for (let i = 0; i < globals.length; i++) this.#globals[i]!.value = globals[i]!;
  }

  #bytes(address: number, length: number): Uint8Array {
    if (address + length > this.#memory.length) throw new RangeError(`${length} bytes at ${address} are no memory`);
    return this.#memory.subarray(address, address + length);
  }
}
