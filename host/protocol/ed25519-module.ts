/**
 * Ed25519 by `build/verification.wasm`: the governor's own code, so its verdicts are the governor's. It wins over the
 * system's library where a key signed before, and where many signatures are judged at once (docs/performance.md).
 */
import { randomFillSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { Limit } from "../../firmware/protocol/limits.ts";

/** One signature that is to be judged. */
export interface Ed25519Item {
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The little of the WebAssembly API that is used here: its types come with the DOM's, which this project leaves out. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
}
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

interface Exports {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  io(): number;
  ioBytes(): number;
  batchMax(): number;
  coefficientBytes(): number;
  batchBegin(): void;
  batchAdd(signature: number, message: number, length: number, publicKey: number, coefficient: number): number;
  batchHolds(): number;
  ed25519VerifyKnown(signature: number, message: number, length: number, publicKey: number): number;
}

const BUILT = new URL("../../build/verification.wasm", import.meta.url);

/** Fewer than these are judged sooner one by one. */
export const BATCH_LEAST = 4;

export class Ed25519Module {
  readonly #exports: Exports;
  readonly #memory: Uint8Array;
  /** Where a batch's coefficients stand, then a signature, its key and its message. */
  readonly #coefficients: number;
  readonly #signature: number;
  readonly #publicKey: number;
  readonly #message: number;
  /** Bytes of the longest message. */
  readonly messageBytesMax: number;

  /** Of `build/verification.wasm`. */
  constructor(bytes: Uint8Array) {
    this.#exports = new wasm.Instance(new wasm.Module(bytes)).exports as Exports;
    this.#exports._initialize();
    this.#memory = new Uint8Array(this.#exports.memory.buffer);
    this.#coefficients = this.#exports.io();
    this.#signature = this.#coefficients + this.#exports.batchMax() * this.#exports.coefficientBytes();
    this.#publicKey = this.#signature + Limit.SIGNATURE_BYTES;
    this.#message = this.#publicKey + Limit.PUBLIC_KEY_BYTES;
    this.messageBytesMax = this.#exports.ioBytes() - (this.#message - this.#coefficients);
  }

  /** Whether the signature holds. The message has at most `messageBytesMax` bytes. */
  verify(item: Ed25519Item): boolean {
    if (!this.#put(item)) return false;
    return this.#exports.ed25519VerifyKnown(this.#signature, this.#message, item.message.length, this.#publicKey) === 1;
  }

  /** The same of any number, in batches: whoever takes the verdicts may do something else between two of them. */
  *verifyMany(items: readonly Ed25519Item[]): Generator<boolean[], void> {
    const most = this.#exports.batchMax();
    for (let first = 0; first < items.length; first += most) yield this.#verifyBatch(items.slice(first, first + most));
  }

  /** By one equation where it holds, else one by one. */
  #verifyBatch(items: readonly Ed25519Item[]): boolean[] {
    if (items.length < BATCH_LEAST) return items.map((item) => this.verify(item));
    const coefficientBytes = this.#exports.coefficientBytes();
    randomFillSync(this.#memory, this.#coefficients, items.length * coefficientBytes);
    this.#exports.batchBegin();
    const added = items.map((item, i) => this.#add(item, this.#coefficients + i * coefficientBytes));
    if (this.#exports.batchHolds() === 1) return added;
    return items.map((item, i) => added[i]! && this.verify(item));
  }

  #add(item: Ed25519Item, coefficient: number): boolean {
    if (!this.#put(item)) return false;
    const { length } = item.message;
    return this.#exports.batchAdd(this.#signature, this.#message, length, this.#publicKey, coefficient) === 1;
  }

  /** False if a length shows that nothing can hold. */
  #put({ signature, message, publicKey }: Ed25519Item): boolean {
    if (signature.length !== Limit.SIGNATURE_BYTES || publicKey.length !== Limit.PUBLIC_KEY_BYTES) return false;
    if (message.length > this.messageBytesMax) throw new RangeError(`a message of ${message.length} bytes`);
    this.#memory.set(signature, this.#signature);
    this.#memory.set(publicKey, this.#publicKey);
    this.#memory.set(message, this.#message);
    return true;
  }
}

/** The module of this process, or undefined where it was not built: then the system's library serves. */
export const ed25519Module: Ed25519Module | undefined = load();

function load(): Ed25519Module | undefined {
  return existsSync(BUILT) ? new Ed25519Module(readFileSync(BUILT)) : undefined;
}
