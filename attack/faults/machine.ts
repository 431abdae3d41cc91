/**
 * A governor in memory that the attacker sees and sets: all of it, with the module's globals. It runs one call at a time,
 * whole or with a fault in it, on silicon that can be changed between calls.
 *
 * Signatures cost a thousand times what decisions do. So the machine learns, in a run without a fault, what each call of
 * a watched function made of memory; where a later run comes to the same call in the same memory, to the last byte, it
 * puts the outcome there instead of computing it again.
 */
import { type Hal, halImports } from "../../sim-board/governor-module.ts";
import { ARGUMENTS_MAX, argumentName, type FaultImports, type Faulty } from "./sites.ts";

type Global = { value: bigint | number };
type WebAssemblyApi = {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
  Memory: new (shape: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
const PAGES = 2;
const NONE = -1n;

/** A governor's entry, and what it is called with. */
export type Call =
  | { entry: "boot" | "doorbell"; message: Uint8Array }
  | { entry: "tick" | "creditLow"; message?: undefined };

/** At the `at`-th place that is passed, counted from 1, in one of the ways of its site. */
export type Fault = { at: bigint; mode: bigint };

export type Outcome = {
  end: "returned" | "trapped" | "hung";
  /** What it returned; 0 where it returns nothing, or did not return. */
  value: number;
};

/** Memory and globals. */
export type Contents = { memory: Uint8Array; globals: readonly (bigint | number)[] };

type Known = {
  before: Contents;
  values: readonly bigint[];
  after: Contents;
  result: bigint;
  /** Places passed, and turns of loops, in it. */
  passed: bigint;
  turns: bigint;
};
type Begun = Pick<Known, "before" | "values"> & { count: bigint; turns: bigint };

type Entries = Record<string, (length: number) => number> & Record<string, Global>;

export class Machine {
  /** The silicon it is on. */
  hal: Hal | undefined;
  /** Hears every site that is passed, in a module that notes them. */
  onSite: ((site: number) => void) | undefined;
  /** Hears how many turns each call of a watched function took, in place of remembering it. */
  onTurns: ((body: number, turns: bigint) => void) | undefined;
  /** As it is after power-up. */
  readonly pristine: Contents;
  readonly mailbox: number;
  readonly state: number;
  readonly stateBytes: number;
  readonly #memory: Buffer;
  readonly #exports: Entries;
  readonly #globals: Global[];
  readonly #arguments: Global[];
  #learning = false;
  #known = new Map<number, Known[]>();
  #begun: Begun[] = [];

  constructor({ bytes, globals }: Pick<Faulty, "bytes" | "globals">) {
    const memory = new wasm.Memory({ initial: PAGES, maximum: PAGES });
    this.#memory = Buffer.from(memory.buffer);
    const imports = {
      env: { memory },
      hal: halImports(
        () => this.hal!,
        (at, length) => this.#bytes(at, length),
      ),
      fault: this.#faultImports(),
    };
    this.#exports = new wasm.Instance(new wasm.Module(bytes), imports).exports as Entries;
    this.#globals = globals.map((name) => this.#exports[name] as Global);
    this.#arguments = Array.from({ length: ARGUMENTS_MAX }, (_, i) => this.#exports[argumentName(i)] as Global);
    this.#disarm();
    this.#exports._initialize!(0);
    this.mailbox = this.#exports.mailbox!(0) >>> 0;
    this.state = this.#exports.stateBlock!(0) >>> 0;
    this.stateBytes = this.#exports.stateBytes!(0) >>> 0;
    this.pristine = this.contents();
  }

  contents(): Contents {
    return { memory: Uint8Array.from(this.#memory), globals: this.#globals.map((global) => global.value) };
  }

  put({ memory, globals }: Contents): void {
    this.#memory.set(memory);
    for (const [i, value] of globals.entries()) this.#globals[i]!.value = value;
  }

  /** The State block as it stands in memory: to be read and written. */
  stateBlock(): Buffer {
    return this.#memory.subarray(this.state, this.state + this.stateBytes);
  }

  /** Places that the last call passed. */
  get passed(): bigint {
    return this.#counter("count").value as bigint;
  }

  /** Turns of loops that it made. */
  get turns(): bigint {
    return this.#counter("turns").value as bigint;
  }

  /** What the governor wrote into the mailbox. */
  answer(length: number): Uint8Array {
    return Uint8Array.from(this.#memory.subarray(this.mailbox, this.mailbox + length));
  }

  /** Runs it without a fault, and remembers what watched calls made of memory. */
  learn(call: Call): Outcome {
    this.#learning = true;
    this.#known = new Map();
    this.#begun = [];
    try {
      return this.run(call);
    } finally {
      this.#learning = false;
    }
  }

  /** Everything learned is of no use any more. */
  forget(): void {
    this.#known = new Map();
  }

  /** Faults in the order in which they come. Loops may turn `turnsMax` times in all. */
  run({ entry, message }: Call, faults: readonly Fault[] = [], turnsMax = 1_000_000_000n): Outcome {
    this.#disarm();
    const [first, second] = faults;
    this.#counter("armed").value = first?.at ?? NONE;
    this.#counter("armedMode").value = first?.mode ?? 0n;
    this.#counter("next").value = second?.at ?? NONE;
    this.#counter("nextMode").value = second?.mode ?? 0n;
    this.#counter("turnsMax").value = turnsMax;
    if (message) this.#memory.set(message, this.mailbox);
    try {
      return { end: "returned", value: (this.#exports[entry]!(message?.length ?? 0) ?? 0) >>> 0 };
    } catch {
      // A trap of the module, or silicon that refuses what no governor may ask of it: it gets no more calls.
      const hung = this.turns > turnsMax;
      return { end: hung ? "hung" : "trapped", value: 0 };
    } finally {
      this.#counter("armed").value = NONE;
    }
  }

  #counter(name: string): Global {
    return this.#exports[`fault.${name}`] as Global;
  }

  #disarm(): void {
    for (const name of ["armed", "next"]) this.#counter(name).value = NONE;
    for (const name of ["count", "turns"]) this.#counter(name).value = 0n;
    this.#counter("turnsMax").value = 2n ** 62n;
  }

  #bytes(address: number, length: number): Uint8Array {
    const start = address >>> 0;
    const count = length >>> 0;
    if (start + count > this.#memory.length) throw new RangeError(`${count} bytes at ${start} are outside the memory`);
    return this.#memory.subarray(start, start + count);
  }

  #faultImports(): FaultImports {
    return {
      note: (site: number) => this.onSite?.(site),
      enter: (body: number) => (this.#learning ? this.#begin() : this.#recall(body)),
      leave: (body: number) => {
        if (this.#learning) this.#remember(body);
      },
    };
  }

  #begin(): number {
    const values = this.#takeArguments();
    const [count, turns] = [this.passed, this.turns];
    this.#begun.push({ before: this.onTurns ? this.pristine : this.contents(), values, count, turns });
    return 0;
  }

  #remember(body: number): void {
    const { before, values, count, turns } = this.#begun.pop()!;
    if (this.onTurns) {
      this.onTurns(body, this.turns - turns);
      return;
    }
    const known: Known = {
      ...{ before, values, after: this.contents() },
      result: this.#counter("result").value as bigint,
      passed: this.passed - count,
      turns: this.turns - turns,
    };
    this.#known.set(body, [...(this.#known.get(body) ?? []), known]);
  }

  /** 1 if the outcome of this call is known, and is there now. A fault that is due in it must be lived through. */
  #recall(body: number): number {
    const armed = this.#counter("armed").value as bigint;
    const count = this.passed;
    const values = this.#takeArguments();
    const known = this.#known.get(body)?.find((one) => {
      const due = armed > count && armed <= count + one.passed;
      return !due && this.#isAt(one, values);
    });
    if (!known) return 0;
    this.put(known.after);
    this.#counter("result").value = known.result;
    this.#counter("count").value = count + known.passed;
    this.#counter("turns").value = this.turns + known.turns;
    return 1;
  }

  /** Those that this call did not set are zero. */
  #takeArguments(): bigint[] {
    const values = this.#arguments.map((global) => global.value as bigint);
    for (const global of this.#arguments) global.value = 0n;
    return values;
  }

  #isAt({ before, values }: Known, now: readonly bigint[]): boolean {
    return (
      values.every((value, i) => now[i] === value) &&
      before.globals.every((value, i) => this.#globals[i]!.value === value) &&
      this.#memory.equals(before.memory)
    );
  }
}
