/** The firmware's CBOR check and its tolerant COSE_Sign1, as `build/primitives.wasm` exports them. */
import { type Memory, wasm } from "../../sim-board/wasm.ts";
import { primitivesBytes } from "../primitives.ts";

type Exports = {
  memory: Memory;
  _initialize(): void;
  io(): number;
  cborCheck(at: number, length: number): number;
  coseSign1Verify(at: number, length: number, publicKey: number, aad: number, aadLength: number): number;
};

export class Primitives {
  readonly #exports: Exports;
  readonly #io: number;
  readonly #memory: Uint8Array;

  constructor() {
    const module = new wasm.Module(primitivesBytes());
    this.#exports = new wasm.Instance(module).exports as Exports;
    this.#exports._initialize();
    this.#io = this.#exports.io();
    this.#memory = new Uint8Array(this.#exports.memory.buffer, this.#io);
  }

  /** 0 for exactly one deterministic item, else the error code. */
  cborCheck(bytes: Uint8Array): number {
    this.#memory.set(bytes);
    return this.#exports.cborCheck(this.#io, bytes.length);
  }

  /** Whether the key has signed it. */
  sign1Holds(message: Uint8Array, publicKey: Uint8Array, aad: Uint8Array): boolean {
    const parts = [publicKey, aad, message];
    const at = [0, publicKey.length, publicKey.length + aad.length].map((offset) => this.#io + offset);
    for (const [i, part] of parts.entries()) this.#memory.set(part, at[i]! - this.#io);
    return this.#exports.coseSign1Verify(at[2]!, message.length, at[0]!, at[1]!, aad.length) === 1;
  }
}
