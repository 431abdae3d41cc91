/** The little of the WebAssembly API that is used here: its types come with the DOM's, which this project leaves out. */
type Entry = { module: string; name: string; kind: string };

/** A WebAssembly memory; one that cannot grow never changes its buffer. */
export type Memory = { readonly buffer: ArrayBuffer };

type WebAssemblyApi = {
  Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): Entry[];
    exports(module: object): Omit<Entry, "module">[];
  };
  Instance: new (module: object, imports?: object) => { exports: object };
  Memory: new (shape: { initial: number; maximum: number }) => Memory;
};

export const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
