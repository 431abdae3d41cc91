/**
 * `probe.as.ts`, compiled in memory with the options of `primitives.wasm`: the firmware's reader, writer, and quorum,
 * which no shipped module exports one by one.
 */
import { compile } from "../compile.ts";
import { instantiate } from "../wasm.ts";

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
  const { bytes } = await compile("test/firmware/probe.as.ts");
  const wasm = instantiate<ProbeExports>(bytes);
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
