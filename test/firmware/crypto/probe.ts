/** Compiles `probe.as.ts` in memory, with the options of `asconfig.json`, to test what primitives.wasm doesn't export. */
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
}

const { Instance, Module } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

interface Exports {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  io(): number;
}

/** Any other export: addresses, lengths and small numbers in, one number or nothing out. */
type Call = (...values: number[]) => number;

export interface Probe {
  /** Writes bytes at `offset` of the test's area and returns their address. */
  put(offset: number, bytes: Uint8Array): number;
  /** A copy of `length` bytes at an address. */
  get(address: number, length: number): Uint8Array;
  /** Address of `offset` in the test's area of 8 KiB. */
  at(offset: number): number;
  call(name: string, ...values: number[]): number;
}

export async function loadProbe(): Promise<Probe> {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await main(
    ["test/firmware/crypto/probe.as.ts", "--baseDir", root, "--target", "primitives", "--outFile", "probe.wasm"],
    {
      writeFile: (name: string, contents: string | Uint8Array) => {
        if (name === "probe.wasm" && typeof contents !== "string") bytes = contents;
      },
    },
  );
  if (error || bytes === undefined) throw new Error(`the probe does not compile:\n${stderr.toString()}`);
  const wasm = new Instance(new Module(bytes)).exports as Exports;
  wasm._initialize();
  const base = wasm.io();
  const exports = wasm as unknown as Record<string, Call>;
  return {
    put(offset, contents) {
      new Uint8Array(wasm.memory.buffer).set(contents, base + offset);
      return base + offset;
    },
    get: (address, length) => new Uint8Array(wasm.memory.buffer).slice(address, address + length),
    at: (offset) => base + offset,
    call: (name, ...values) => exports[name]!(...values),
  };
}
