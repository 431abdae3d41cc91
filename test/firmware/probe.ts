/**
 * `probe.as.ts`, compiled in memory with the options of `primitives.wasm`: the firmware's reader, writer, and quorum,
 * which no shipped module exports one by one.
 */
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
}

const { Instance, Module } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

interface ProbeExports {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  io(): number;
  readerBegin(ptr: number, len: number): void;
  readerArray(): number;
  readerMap(): number;
  readerTag(): bigint;
  readerUint(): bigint;
  readerInt(): bigint;
  readerBytes(): number;
  readerBytesOf(len: number): number;
  readerText(): number;
  readerBool(): number;
  readerIsNull(): number;
  readerNil(): void;
  readerSkip(): void;
  readerPeek(): number;
  readerLength(): number;
  readerAt(): number;
  readerError(): number;
  readerFinish(): number;
  writerBegin(ptr: number, size: number): void;
  writerUint(value: bigint): void;
  writerInt(value: bigint): void;
  writerBytesHead(len: number): void;
  writerBytes(ptr: number, len: number): void;
  writerText(ptr: number, len: number): void;
  writerRaw(ptr: number, len: number): void;
  writerArray(count: number): void;
  writerMap(count: number): void;
  writerTag(value: bigint): void;
  writerBool(value: number): void;
  writerNil(): void;
  writerFinish(): number;
  quorum(
    ptr: number,
    len: number,
    keys: number,
    keyCount: number,
    threshold: number,
    aad: number,
    aadLen: number,
  ): number;
  quorumSigners(): number;
  quorumProof(): number;
  quorumPayload(): number;
  quorumPayloadLength(): number;
  accept(ptr: number, len: number, key: number, aad: number, aadLen: number): number;
  acceptProof(): number;
  firstSignature(ptr: number, len: number, flags: number, publicKey: number, aad: number, aadLen: number): number;
  write(
    out: number,
    size: number,
    seed: number,
    publicKey: number,
    kid: number,
    payload: number,
    payloadLen: number,
    aad: number,
    aadLen: number,
  ): number;
}

export interface Probe {
  wasm: ProbeExports;
  /** Bytes that `put` can place, all together. */
  room: number;
  /** Puts the inputs side by side into the probe's memory; the addresses come back in order. */
  put(...inputs: Uint8Array[]): number[];
  /** A copy of `len` bytes at `ptr`. */
  bytes(ptr: number, len: number): Uint8Array;
}

/** Compiles (some seconds) and starts it. */
export async function loadProbe(): Promise<Probe> {
  let binary: Uint8Array | undefined;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const { error, stderr } = await main(
    ["test/firmware/probe.as.ts", "--target", "primitives", "--outFile", "probe.wasm", "--baseDir", root],
    {
      writeFile(name: string, contents: string | Uint8Array) {
        if (name === "probe.wasm" && typeof contents !== "string") binary = contents;
      },
    },
  );
  if (error || binary === undefined) throw new Error(`the probe does not compile:\n${stderr.toString()}`);
  const wasm = new Instance(new Module(binary)).exports as ProbeExports;
  wasm._initialize();
  const base = wasm.io();
  const room = 16384;
  return {
    wasm,
    room,
    put(...inputs) {
      let at = base;
      return inputs.map((bytes) => {
        if (at + bytes.length > base + room) throw new RangeError(`more than ${room} bytes`);
        new Uint8Array(wasm.memory.buffer).set(bytes, at);
        at += bytes.length;
        return at - bytes.length;
      });
    },
    bytes: (ptr, len) => new Uint8Array(wasm.memory.buffer).slice(ptr, ptr + len),
  };
}
