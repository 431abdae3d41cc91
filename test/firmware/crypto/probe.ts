/** Compiles `probe.as.ts` in memory, with the options of `asconfig.json`, to test what primitives.wasm doesn't export. */
import { compile } from "../../compile.ts";
import { instantiate } from "../../wasm.ts";

interface Exports {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  io(): number;
}

/** Any other export: addresses, lengths and small numbers in, one number or nothing out. */
type Call = (...values: number[]) => number;

export interface Probe {
  /** Writes bytes at an address, whatever stands there. */
  poke(address: number, bytes: Uint8Array): void;
  /** Writes bytes at `offset` of the test's area and returns their address. */
  put(offset: number, bytes: Uint8Array): number;
  /** A copy of `length` bytes at an address. */
  get(address: number, length: number): Uint8Array;
  /** Address of `offset` in the test's area of 8 KiB. */
  at(offset: number): number;
  call(name: string, ...values: number[]): number;
}

export async function loadProbe(): Promise<Probe> {
  const { bytes } = await compile("test/firmware/crypto/probe.as.ts");
  const wasm = instantiate<Exports>(bytes);
  wasm._initialize();
  const base = wasm.io();
  const exports = wasm as unknown as Record<string, Call>;
  return {
    put(offset, contents) {
      new Uint8Array(wasm.memory.buffer).set(contents, base + offset);
      return base + offset;
    },
    poke: (address, contents) => new Uint8Array(wasm.memory.buffer).set(contents, address),
    get: (address, length) => new Uint8Array(wasm.memory.buffer).slice(address, address + length),
    at: (offset) => base + offset,
    call: (name, ...values) => exports[name]!(...values),
  };
}
