/** The little of the WebAssembly API that tests use: its types come with the DOM's, which this project leaves out. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports?: object) => { exports: object };
  Memory: new (shape: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
}

const { Instance, Memory, Module } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** A new instance of a module; what it exports is for the caller to know. */
export function instantiate<Exports>(bytes: Uint8Array, imports: object = {}): Exports {
  return new Instance(new Module(bytes), imports).exports as Exports;
}

/** Memory to lend to a module. */
export function wasmMemory(pages: number): { buffer: ArrayBuffer } {
  return new Memory({ initial: pages, maximum: pages });
}
