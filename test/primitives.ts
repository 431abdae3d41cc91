/**
 * `build/primitives.wasm` as functions of bytes: the one place in the tests that knows its addresses.
 * `npm run build` makes the module; without it loading throws and says so.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Bytes of the buffer that the module lends its callers. */
export const IO_BYTES = 65536;

/** The little of the WebAssembly API that is used here: its types come with the DOM's, which this project leaves out. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
}

const { Instance, Module } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

interface Exports {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  io(): number;
  sha256(msg: number, len: number, out: number): void;
  sha512(msg: number, len: number, out: number): void;
  hmacSha256(key: number, keyLen: number, msg: number, len: number, out: number): void;
  hkdfSha256(
    ikm: number,
    ikmLen: number,
    salt: number,
    saltLen: number,
    info: number,
    infoLen: number,
    out: number,
    outLen: number,
  ): void;
  ed25519PublicKey(seed: number, out: number): void;
  ed25519Sign(seed: number, msg: number, len: number, out: number): void;
  ed25519SignKeyPair(seed: number, publicKey: number, msg: number, len: number, out: number): void;
  ed25519Verify(sig: number, msg: number, len: number, publicKey: number): number;
  ed25519VerifyKnown(sig: number, msg: number, len: number, publicKey: number): number;
  cborCheck(ptr: number, len: number): number;
  coseSign1Verify(ptr: number, len: number, publicKey: number, aad: number, aadLen: number): number;
}

/** The primitives of one instance. Inputs of one call must fit 64 KiB together; results are copies. */
export interface Primitives {
  sha256(message: Uint8Array): Uint8Array;
  sha512(message: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** For the seed's own public key only. */
  ed25519SignKeyPair(seed: Uint8Array, publicKey: Uint8Array, message: Uint8Array): Uint8Array;
  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  /** The same, sooner under a key that signed before. */
  ed25519VerifyKnown(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  /** 0 for exactly one deterministic item, else the error code. */
  cborCheck(bytes: Uint8Array): number;
  coseSign1Verify(message: Uint8Array, publicKey: Uint8Array, aad: Uint8Array): boolean;
  /** A 64-bit global by its name. What ships exports none; a module that counts what it executes does. */
  global64(name: string): bigint;
  /** All memory of the instance as it stands, for tests of what is left in it. */
  memory(): Uint8Array;
  /** First and one past the last byte of the lent buffer. */
  lent(): [number, number];
  /** For calls without copies: the exports, a way to put their inputs side by side, and one to look at their outputs. */
  inPlace: {
    exports: Exports;
    put(...inputs: Uint8Array[]): number[];
    view(address: number, length: number): Uint8Array;
  };
}

export const primitivesPath = fileURLToPath(new URL("../build/primitives.wasm", import.meta.url));

export function primitivesBytes(): Uint8Array {
  if (!existsSync(primitivesPath)) throw new Error("build/primitives.wasm is missing: run `npm run build` first");
  return new Uint8Array(readFileSync(primitivesPath));
}

function need(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${name} must have ${length} bytes, not ${bytes.length}`);
}

/** A new instance, with memory of its own: of the module that ships, or of one made from it. */
export function loadPrimitives(bytes: Uint8Array = primitivesBytes()): Primitives {
  const wasm = new Instance(new Module(bytes)).exports as Exports;
  wasm._initialize();
  const base = wasm.io();
  const all = () => new Uint8Array(wasm.memory.buffer);

  /** Puts the inputs side by side into the buffer; the addresses come back in order. */
  function put(...inputs: Uint8Array[]): number[] {
    const total = inputs.reduce((sum, bytes) => sum + bytes.length, 0);
    if (total > IO_BYTES) throw new RangeError(`inputs of ${total} bytes: at most ${IO_BYTES} fit`);
    let at = base;
    return inputs.map((bytes) => {
      all().set(bytes, at);
      at += bytes.length;
      return at - bytes.length;
    });
  }

  function verify(
    call: Exports["ed25519Verify"],
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean {
    need("signature", signature, 64);
    need("publicKey", publicKey, 32);
    const [sig, key, msg] = put(signature, publicKey, message);
    return call(sig!, msg!, message.length, key!) === 1;
  }

  // Results are written over the inputs, which every primitive allows: a full buffer of input leaves room for them.
  const taken = (length: number) => all().slice(base, base + length);

  return {
    sha256(message) {
      const [msg] = put(message);
      wasm.sha256(msg!, message.length, base);
      return taken(32);
    },
    sha512(message) {
      const [msg] = put(message);
      wasm.sha512(msg!, message.length, base);
      return taken(64);
    },
    hmacSha256(key, message) {
      const [k, msg] = put(key, message);
      wasm.hmacSha256(k!, key.length, msg!, message.length, base);
      return taken(32);
    },
    hkdfSha256(ikm, salt, info, length) {
      const [i, s, n, out] = put(ikm, salt, info, new Uint8Array(length));
      wasm.hkdfSha256(i!, ikm.length, s!, salt.length, n!, info.length, out!, length);
      return all().slice(out!, out! + length);
    },
    ed25519PublicKey(seed) {
      need("seed", seed, 32);
      const [s] = put(seed);
      wasm.ed25519PublicKey(s!, base);
      return taken(32);
    },
    ed25519Sign(seed, message) {
      need("seed", seed, 32);
      const [s, msg] = put(seed, message);
      wasm.ed25519Sign(s!, msg!, message.length, base);
      return taken(64);
    },
    ed25519SignKeyPair(seed, publicKey, message) {
      need("seed", seed, 32);
      need("publicKey", publicKey, 32);
      const [s, key, msg] = put(seed, publicKey, message);
      wasm.ed25519SignKeyPair(s!, key!, msg!, message.length, base);
      return taken(64);
    },
    ed25519Verify: (signature, message, publicKey) => verify(wasm.ed25519Verify, signature, message, publicKey),
    ed25519VerifyKnown: (signature, message, publicKey) =>
      verify(wasm.ed25519VerifyKnown, signature, message, publicKey),
    cborCheck(bytes) {
      const [ptr] = put(bytes);
      return wasm.cborCheck(ptr!, bytes.length);
    },
    coseSign1Verify(message, publicKey, aad) {
      need("publicKey", publicKey, 32);
      const [key, extra, ptr] = put(publicKey, aad, message);
      return wasm.coseSign1Verify(ptr!, message.length, key!, extra!, aad.length) === 1;
    },
    global64: (name) => (wasm as unknown as Record<string, { value: bigint }>)[name]!.value,
    memory: () => all().slice(),
    lent: () => [base, base + IO_BYTES],
    inPlace: { exports: wasm, put, view: (address, length) => all().subarray(address, address + length) },
  };
}
