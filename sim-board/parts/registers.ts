/**
 * The accelerator's register file and command ring: `build/registers.wasm`, typed. What a governor reads and grants may
 * be wired to its exports directly; everything else looks at the registers where they lie.
 */
import { readFileSync } from "node:fs";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { BoardError } from "../errors.ts";
import type { RegisterHal } from "../governor-module.ts";
import { Command, Register, RingRegister, type RingStop } from "../registers/layout.ts";
import { type Memory, wasm } from "../wasm.ts";

const CLASSES: number = EngineClass.COUNT;
const FILE_BYTES = CLASSES * Register.STRIDE;
const U64_MAX = 2n ** 64n - 1n;

type Exports = RegisterHal & {
  readonly memory: Memory;
  file(): number;
  ring(): number;
  commands(): number;
  reset(): void;
  retire(engineClass: number, amount: bigint): number;
  stand(engineClass: number): void;
  standNoMore(): void;
  tellCreditLow(): number;
  openRing(count: number): number;
  execute(limit: number): number;
};

const built = new URL("../../build/registers.wasm", import.meta.url);
let compiled: object | undefined;

/** @throws BoardError `module/form` if it was not built. */
function registersModule(): object {
  if (compiled) return compiled;
  try {
    compiled = new wasm.Module(new Uint8Array(readFileSync(built)));
  } catch (cause) {
    throw new BoardError("module/form", "build/registers.wasm is missing or broken: run `npm run build`", { cause });
  }
  return compiled;
}

export class Registers {
  /** For a governor that nobody stands in between. */
  readonly wires: RegisterHal;
  readonly #exports: Exports;
  readonly #file: DataView;
  readonly #ring: DataView;
  readonly #commands: DataView;

  constructor() {
    const { exports } = new wasm.Instance(registersModule()) as { exports: Exports };
    this.#exports = exports;
    const { workRead, deniedRead, throttledRead, gateGrant, creditRead, gateClose, memory } = exports;
    this.wires = { workRead, deniedRead, throttledRead, gateGrant, creditRead, gateClose };
    this.#file = new DataView(memory.buffer, exports.file(), FILE_BYTES);
    this.#ring = new DataView(memory.buffer, exports.ring(), RingRegister.BYTES);
    this.#commands = new DataView(memory.buffer, exports.commands(), Command.COUNT_MAX * Command.BYTES);
  }

  creditOf(engineClass: number): bigint {
    return this.#word64(engineClass, Register.CREDIT);
  }

  /** 64 bits wide, and runs through zero. */
  retiredOf(engineClass: number): bigint {
    return this.#word64(engineClass, Register.RETIRED);
  }

  deniedOf(engineClass: number): number {
    return this.#word32(engineClass, Register.DENIED);
  }

  throttledOf(engineClass: number): number {
    return this.#word32(engineClass, Register.THROTTLED);
  }

  /** Credit at or below this is told as low; undefined once it was told, and without a grant. */
  lowLevelOf(engineClass: number): bigint | undefined {
    const below = this.#word64(engineClass, Register.LOW_BELOW);
    return below === 0n ? undefined : below - 1n;
  }

  standsStill(engineClass: number): boolean {
    return this.#word32(engineClass, Register.STANDING) !== 0;
  }

  /** Adds credit; a register that is full stays full. */
  grant(engineClass: number, amount: bigint): void {
    classIn(engineClass);
    if (amount > 0n) this.#exports.gateGrant(engineClass, amount > U64_MAX ? U64_MAX : amount);
  }

  /** Zeroes every credit register at once. */
  close(): void {
    this.#exports.gateClose();
  }

  /** Power-up: registers and ring are zero. */
  reset(): void {
    this.#exports.reset();
  }

  /** @throws Error if the class has less credit: nothing retires without. */
  retire(engineClass: number, amount: bigint): void {
    if (amount < 0n || amount > U64_MAX || !this.#exports.retire(classIn(engineClass), amount)) {
      throw new Error(`class ${engineClass} would retire ${amount} with ${this.creditOf(engineClass)} of credit`);
    }
  }

  /** A class stops dead for want of credit: counted, and why. */
  stand(engineClass: number): "denied" | "dry" {
    this.#exports.stand(classIn(engineClass));
    return this.#word32(engineClass, Register.GRANTED) === 0 ? "denied" : "dry";
  }

  /** New commands try anew. */
  standNoMore(): void {
    this.#exports.standNoMore();
  }

  /** Whether a class fell below half of its last grant since this was last asked. */
  tellCreditLow(): boolean {
    return this.#exports.tellCreditLow() !== 0;
  }

  // The ring. What is in it is the host's; it is no part of a snapshot.

  /** An empty ring. @throws BoardError unless its length is a power of two, at most 1,024. */
  openRing(count: number): void {
    if (!this.#exports.openRing(count)) {
      throw new BoardError(
        "board/option",
        `a ring of ${count} commands: a power of two to ${Command.COUNT_MAX} is one`,
      );
    }
  }

  /** Puts a command behind the others; false if the ring is full. */
  post(engineClass: number, amount: bigint): boolean {
    const [count, tail] = [this.#ringWord(RingRegister.COMMANDS), this.#ringWord(RingRegister.TAIL)];
    if ((tail - this.#ringWord(RingRegister.HEAD)) >>> 0 >= count) return false;
    const at = (tail & (count - 1)) * Command.BYTES;
    this.#commands.setUint32(at + Command.ENGINE_CLASS, engineClass, true);
    this.#commands.setBigUint64(at + Command.AMOUNT, amount, true);
    this.ringTail = (tail + 1) >>> 0;
    return true;
  }

  /** Where the host says the commands end, right or wrong. */
  set ringTail(tail: number) {
    this.#ring.setUint32(RingRegister.TAIL, tail, true);
  }

  /** Executes at most `limit` commands: how many, why no more, and whether a class ran low meanwhile. */
  execute(limit: number): { executed: number; stop: RingStop; creditLow: boolean } {
    const executed = this.#exports.execute(limit) >>> 0;
    const creditLow = this.#ringWord(RingRegister.CREDIT_LOW) !== 0;
    this.#ring.setUint32(RingRegister.CREDIT_LOW, 0, true);
    return { executed, stop: this.#ringWord(RingRegister.STOP), creditLow };
  }

  // Whole.

  snapshot(): Uint8Array {
    return this.#fileBytes().slice();
  }

  restore(snapshot: Uint8Array): void {
    if (snapshot.length !== FILE_BYTES) {
      throw new BoardError("board/option", `${snapshot.length} bytes of registers, where there are ${FILE_BYTES}`);
    }
    this.#fileBytes().set(snapshot);
  }

  #fileBytes(): Uint8Array {
    return new Uint8Array(this.#file.buffer, this.#file.byteOffset, FILE_BYTES);
  }

  #word64(engineClass: number, register: number): bigint {
    return this.#file.getBigUint64(classIn(engineClass) * Register.STRIDE + register, true);
  }

  #word32(engineClass: number, register: number): number {
    return this.#file.getUint32(classIn(engineClass) * Register.STRIDE + register, true);
  }

  #ringWord(register: number): number {
    return this.#ring.getUint32(register, true);
  }
}

/** @throws BoardError for a class that does not exist. */
export function classIn(engineClass: number): number {
  if (!Number.isInteger(engineClass) || engineClass < 0 || engineClass >= CLASSES) {
    throw new BoardError("accelerator/class", `engine class ${engineClass}: there are 0 to ${CLASSES - 1}`);
  }
  return engineClass;
}
