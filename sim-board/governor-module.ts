/**
 * The one typed wrapper over `build/governor.wasm`. Here, and only here, u32 lose their sign, u64 are bigint, and the
 * addresses that the governor names are checked against its memory: an address outside is a bus fault, and a governor
 * that faults is a closed gate.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { StateHead } from "../firmware/protocol/board.ts";
import { Limit } from "../firmware/protocol/limits.ts";
import { BoardError } from "./errors.ts";
import { type Memory, wasm } from "./wasm.ts";

const PAGE_BYTES = 65_536;
/** The design's bound on the governor's memory. */
const MEMORY_PAGES = 2;

/** What the silicon does for the governor; the same functions as `firmware/hal.ts`, with memory in place of addresses. */
export type Hal = {
  flashRead(address: number, destination: Uint8Array): void;
  flashProgram(address: number, source: Uint8Array): void;
  flashErase(sector: number): void;
  flashSectors(): number;
  fuseRead(word: number): number;
  fuseBurn(word: number, bits: number): void;
  counterRead(): number;
  counterStep(): void;
  counterLife(): number;
  ticks(): bigint;
  trngFill(destination: Uint8Array): void;
  tamperRead(): number;
  workRead(engineClass: number): bigint;
  deniedRead(engineClass: number): number;
  throttledRead(engineClass: number): number;
  gateGrant(engineClass: number, amount: bigint): void;
  creditRead(engineClass: number): bigint;
  gateClose(): void;
};

/** What registers serve of it: exports of another module may stand there as they are. */
export type RegisterHal = Pick<
  Hal,
  "workRead" | "deniedRead" | "throttledRead" | "gateGrant" | "creditRead" | "gateClose"
>;

/**
 * HAL functions that exports of other modules serve as they are: no call into JavaScript, and no 64-bit amount becomes a
 * bigint. Whoever wires them stands for their checks.
 */
export type Wires = Partial<RegisterHal>;

/** Names of the HAL's functions: what a governor may import besides its memory. */
const HAL_NAMES: ReadonlySet<string> = new Set<keyof Hal>([
  "flashRead",
  "flashProgram",
  "flashErase",
  "flashSectors",
  "fuseRead",
  "fuseBurn",
  "counterRead",
  "counterStep",
  "counterLife",
  "ticks",
  "trngFill",
  "tamperRead",
  "workRead",
  "deniedRead",
  "throttledRead",
  "gateGrant",
  "creditRead",
  "gateClose",
]);

type Exports = {
  boot(handoffBytes: number): number;
  doorbell(requestBytes: number): number;
  tick(): void;
  creditLow(): void;
  tamper(): void;
  mailbox(): number;
  stateBlock(): number;
  stateBytes(): number;
  _initialize?(): void;
};

const EXPORT_NAMES: readonly (keyof Exports)[] = [
  "boot",
  "doorbell",
  "tick",
  "creditLow",
  "tamper",
  "mailbox",
  "stateBlock",
  "stateBytes",
];

/** A governor image, compiled once for any number of boards. */
export class GovernorImage {
  /** The bytes that the boot ROM measures. */
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
  readonly module: object;

  /** @throws BoardError `module/*` for anything but a governor: other imports, missing exports, not a module. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes.slice();
    this.sha256 = sha256(this.bytes);
    try {
      this.module = new wasm.Module(this.bytes);
    } catch (cause) {
      throw new BoardError("module/form", `the governor image (${bytes.length} bytes) is no WebAssembly module`, {
        cause,
      });
    }
    for (const { module, name, kind } of wasm.Module.imports(this.module)) {
      const isMemory = module === "env" && name === "memory" && kind === "memory";
      const isHal = module === "hal" && HAL_NAMES.has(name) && kind === "function";
      if (!isMemory && !isHal) {
        throw new BoardError(
          "module/import",
          `the governor image imports ${kind} ${module}.${name}: only the HAL may be`,
        );
      }
    }
    const exported = new Map(wasm.Module.exports(this.module).map((entry) => [entry.name, entry.kind]));
    for (const name of EXPORT_NAMES) {
      if (exported.get(name) !== "function") {
        throw new BoardError("module/export", `the governor image does not export the function ${name}`);
      }
    }
  }
}

/** A governor in its memory: made at power-up, gone with the power. */
export class Governor {
  readonly image: GovernorImage;
  readonly #memory: Memory;
  readonly #exports: Exports;
  readonly #mailbox: number;
  readonly #state: number;
  readonly stateBytes: number;

  /** Memory is zero; `_initialize` runs, nothing else does. What is wired takes the place of the same in `hal`. */
  constructor(image: GovernorImage, hal: Hal, wires: Wires = {}) {
    this.image = image;
    this.#memory = new wasm.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
    let instance: { exports: object };
    try {
      instance = new wasm.Instance(image.module, {
        env: { memory: this.#memory },
        hal: {
          ...halImports(
            () => hal,
            (address, length) => this.#bytes(address, length),
          ),
          ...wires,
        },
      });
    } catch (cause) {
      throw new BoardError("module/import", `the governor image does not fit ${MEMORY_PAGES} pages of memory`, {
        cause,
      });
    }
    this.#exports = instance.exports as Exports;
    this.#exports._initialize?.();
    this.#mailbox = this.#exports.mailbox() >>> 0;
    this.#state = this.#exports.stateBlock() >>> 0;
    this.stateBytes = this.#exports.stateBytes() >>> 0;
    this.#bytes(this.#mailbox, Limit.MESSAGE_BYTES_MAX);
    this.#bytes(this.#state, this.stateBytes);
  }

  /** Bytes of the memory it runs in. */
  get memoryBytes(): number {
    return MEMORY_PAGES * PAGE_BYTES;
  }

  /** Where the State block lies in its memory. */
  get stateAddress(): number {
    return this.#state;
  }

  /** Returns 0, or the code of what failed. */
  boot(handoff: Uint8Array): number {
    this.#bytes(this.#mailbox, Limit.MESSAGE_BYTES_MAX).set(handoff);
    return this.#exports.boot(handoff.length) >>> 0;
  }

  /** @throws BoardError if the request has no room in the mailbox; whatever the HAL throws. */
  doorbell(request: Uint8Array): Uint8Array {
    if (request.length > Limit.MESSAGE_BYTES_MAX) {
      throw new BoardError(
        "board/message-too-long",
        `a request of ${request.length} bytes: the mailbox holds ${Limit.MESSAGE_BYTES_MAX}`,
      );
    }
    this.#bytes(this.#mailbox, Limit.MESSAGE_BYTES_MAX).set(request);
    const length = this.#exports.doorbell(request.length) >>> 0;
    if (length > Limit.MESSAGE_BYTES_MAX) {
      throw new BoardError(
        "bus/out-of-range",
        `an answer of ${length} bytes in a mailbox of ${Limit.MESSAGE_BYTES_MAX}`,
      );
    }
    return this.#bytes(this.#mailbox, length).slice();
  }

  tick(): void {
    this.#exports.tick();
  }

  creditLow(): void {
    this.#exports.creditLow();
  }

  tamper(): void {
    this.#exports.tamper();
  }

  /** One word of the State block's head. */
  stateWord(offset: StateHead): number {
    return new DataView(this.#memory.buffer).getUint32(this.#state + offset, true);
  }

  /** A 64-bit global by its name. What ships exports none; an image that counts what it executes does. */
  global64(name: string): bigint {
    const global = (this.#exports as Record<string, unknown>)[name] as { value?: unknown } | undefined;
    if (typeof global?.value !== "bigint")
      throw new BoardError("module/export", `no 64-bit global ${name} in this image`);
    return global.value;
  }

  /** A copy of the State block: all there is of a governor between two calls. */
  state(): Uint8Array {
    return this.#bytes(this.#state, this.stateBytes).slice();
  }

  setState(state: Uint8Array): void {
    if (state.length !== this.stateBytes) {
      throw new BoardError("board/option", `a State block of ${state.length} bytes for one of ${this.stateBytes}`);
    }
    this.#bytes(this.#state, this.stateBytes).set(state);
  }

  /** Power-up of a memory that was in use: the State block is zero. */
  clearState(): void {
    this.#bytes(this.#state, this.stateBytes).fill(0);
  }

  /** Writes one word of the State block's head. */
  setStateWord(offset: StateHead, word: number): void {
    new DataView(this.#memory.buffer).setUint32(this.#state + offset, word, true);
  }

  #bytes(address: number, length: number): Uint8Array {
    const start = address >>> 0;
    const count = length >>> 0;
    if (start + count > this.#memory.buffer.byteLength) {
      throw new BoardError("bus/out-of-range", `the governor named ${count} bytes at ${start}, outside its memory`);
    }
    return new Uint8Array(this.#memory.buffer, start, count);
  }
}

/** The HAL as a governor imports it, of the silicon it is on just then: addresses become memory by `bytes`, u32 lose their sign. */
export function halImports(
  silicon: () => Hal,
  bytes: (address: number, length: number) => Uint8Array,
): Record<keyof Hal, (...values: never[]) => unknown> {
  return {
    flashRead: (at: number, to: number, length: number) => silicon().flashRead(at >>> 0, bytes(to, length)),
    flashProgram: (at: number, from: number, length: number) => silicon().flashProgram(at >>> 0, bytes(from, length)),
    flashErase: (sector: number) => silicon().flashErase(sector >>> 0),
    flashSectors: () => silicon().flashSectors(),
    fuseRead: (word: number) => silicon().fuseRead(word >>> 0),
    fuseBurn: (word: number, bits: number) => silicon().fuseBurn(word >>> 0, bits >>> 0),
    counterRead: () => silicon().counterRead(),
    counterStep: () => silicon().counterStep(),
    counterLife: () => silicon().counterLife(),
    ticks: () => silicon().ticks(),
    trngFill: (to: number, length: number) => silicon().trngFill(bytes(to, length)),
    tamperRead: () => silicon().tamperRead(),
    workRead: (engineClass: number) => silicon().workRead(engineClass >>> 0),
    deniedRead: (engineClass: number) => silicon().deniedRead(engineClass >>> 0),
    throttledRead: (engineClass: number) => silicon().throttledRead(engineClass >>> 0),
    gateGrant: (engineClass: number, amount: bigint) =>
      silicon().gateGrant(engineClass >>> 0, BigInt.asUintN(64, amount)),
    creditRead: (engineClass: number) => silicon().creditRead(engineClass >>> 0),
    gateClose: () => silicon().gateClose(),
  };
}
