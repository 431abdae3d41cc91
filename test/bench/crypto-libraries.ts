/**
 * The libraries that the firmware's primitives are measured against, and the firmware among them, behind one interface.
 * Whole calls from JavaScript are compared: bytes in, bytes out, each library with its own copying in and out of its
 * memory. `...InPlace` are the two WebAssembly modules alone, inputs and outputs lying where they are.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash as nodeHash,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { createHMAC, createSHA256, createSHA512 } from "hash-wasm";
import sodium from "libsodium-wrappers";
import { ed25519VerifyMany } from "../../host/protocol/ed25519.ts";
import type { Ed25519Item } from "../../host/protocol/ed25519-module.ts";
import type { Primitives } from "../primitives.ts";

/** What is measured: bytes or a verdict, or nothing where every run gives something else. */
export type Call = () => Uint8Array | boolean | undefined;

/** Every method prepares: what it returns is the one call that is measured. A library has those that it can do. */
export interface Library {
  readonly name: string;
  /** The public key of the seed; where a library takes no seed, a new key pair. */
  keyPair?(seed: Uint8Array): Call;
  /** By a key as a library keeps it: with the public key at hand, where it can. */
  sign?(seed: Uint8Array, message: Uint8Array): Call;
  /** By the seed alone, the public key to be derived. */
  signBySeed?(seed: Uint8Array, message: Uint8Array): Call;
  verify?(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): Call;
  /** Under a key that signed before, where a library makes a difference. */
  verifyKnown?(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): Call;
  /** All of them at once, where a library can. */
  verifyMany?(items: readonly Ed25519Item[]): Call;
  sha256?(message: Uint8Array): Call;
  sha512?(message: Uint8Array): Call;
  hmacSha256?(key: Uint8Array, message: Uint8Array): Call;
}

const SIGNATURE_BYTES = 64;
const SHA512_BYTES = 64;

export function firmware(primitives: Primitives): Library {
  return {
    name: "firmware",
    keyPair: (seed) => () => primitives.ed25519PublicKey(seed),
    sign(seed, message) {
      const publicKey = primitives.ed25519PublicKey(seed);
      return () => primitives.ed25519SignKeyPair(seed, publicKey, message);
    },
    signBySeed: (seed, message) => () => primitives.ed25519Sign(seed, message),
    verify: (signature, message, publicKey) => () => primitives.ed25519Verify(signature, message, publicKey),
    verifyKnown(signature, message, publicKey) {
      for (let i = 0; i < 2; i++) primitives.ed25519VerifyKnown(signature, message, publicKey);
      return () => primitives.ed25519VerifyKnown(signature, message, publicKey);
    },
    sha256: (message) => () => primitives.sha256(message),
    sha512: (message) => () => primitives.sha512(message),
    hmacSha256: (key, message) => () => primitives.hmacSha256(key, message),
  };
}

/** The firmware's code as verifiers and fleets run it. */
export const verification: Library = {
  name: "firmware",
  verifyMany: (items) => () => ed25519VerifyMany(items).every((verdict) => verdict),
};

/** Takes a module of its own for each thing that is prepared: the next one would overwrite the inputs of the last. */
export function firmwareInPlace(load: () => Primitives): Library {
  return {
    name: "firmware, in place",
    sign(seed, message) {
      const primitives = load();
      const publicKey = primitives.ed25519PublicKey(seed);
      const { exports, put, view } = primitives.inPlace;
      const [out, secret, key, msg] = put(new Uint8Array(SIGNATURE_BYTES), seed, publicKey, message);
      return () => {
        exports.ed25519SignKeyPair(secret!, key!, msg!, message.length, out!);
        return view(out!, SIGNATURE_BYTES);
      };
    },
    verify(signature, message, publicKey) {
      const { exports, put } = load().inPlace;
      const [sig, key, msg] = put(signature, publicKey, message);
      return () => exports.ed25519Verify(sig!, msg!, message.length, key!) === 1;
    },
    sha512(message) {
      const { exports, put, view } = load().inPlace;
      const [out, msg] = put(new Uint8Array(SHA512_BYTES), message);
      return () => {
        exports.sha512(msg!, message.length, out!);
        return view(out!, SHA512_BYTES);
      };
    },
  };
}

/** PKCS #8 of an Ed25519 seed, RFC 8410 section 7: everything before the seed. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

function nodeKey(seed: Uint8Array) {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
}

function nodePublicKey(publicKey: Uint8Array) {
  const x = Buffer.from(publicKey).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

/** OpenSSL. Its keys are read before, as whoever uses them twice would. */
export const nodeCrypto: Library = {
  name: "node:crypto",
  keyPair: () => () => {
    generateKeyPairSync("ed25519");
    return undefined;
  },
  sign(seed, message) {
    const key = nodeKey(seed);
    return () => nodeSign(null, message, key);
  },
  verify(signature, message, publicKey) {
    const key = nodePublicKey(publicKey);
    return () => nodeVerify(null, message, key, signature);
  },
  sha256: (message) => () => nodeHash("sha256", message, "buffer"),
  sha512: (message) => () => nodeHash("sha512", message, "buffer"),
  hmacSha256: (key, message) => () => createHmac("sha256", key).update(message).digest(),
};

export const noble: Library = {
  name: "noble",
  keyPair: (seed) => () => ed25519.getPublicKey(seed),
  signBySeed: (seed, message) => () => ed25519.sign(message, seed),
  sign: (seed, message) => () => ed25519.sign(message, seed),
  verify: (signature, message, publicKey) => () => ed25519.verify(signature, message, publicKey, { zip215: false }),
  sha256: (message) => () => sha256(message),
  sha512: (message) => () => sha512(message),
  hmacSha256: (key, message) => () => hmac(sha256, key, message),
};

export async function libsodium(): Promise<Library> {
  await sodium.ready;
  return {
    name: "libsodium",
    keyPair: (seed) => () => sodium.crypto_sign_seed_keypair(seed).publicKey,
    sign(seed, message) {
      const { privateKey } = sodium.crypto_sign_seed_keypair(seed);
      return () => sodium.crypto_sign_detached(message, privateKey);
    },
    signBySeed: (seed, message) => () =>
      sodium.crypto_sign_detached(message, sodium.crypto_sign_seed_keypair(seed).privateKey),
    verify: (signature, message, publicKey) => () => sodium.crypto_sign_verify_detached(signature, message, publicKey),
    sha512: (message) => () => sodium.crypto_hash(message),
  };
}

/** The little of libsodium's own module that is used here; its wrapper shows the module, but its types leave it out. */
interface SodiumModule {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  /** Lengths of messages are 64 bits: low half, high half. */
  _crypto_sign_detached(out: number, outLen: number, msg: number, len: number, lenHigh: number, key: number): number;
  _crypto_sign_verify_detached(signature: number, msg: number, len: number, lenHigh: number, key: number): number;
  _crypto_hash(out: number, msg: number, len: number, lenHigh: number): number;
}

export async function libsodiumInPlace(): Promise<Library> {
  await sodium.ready;
  const wasm = (sodium as unknown as { libsodium: SodiumModule }).libsodium;
  function put(bytes: Uint8Array): number {
    const address = wasm._malloc(bytes.length);
    wasm.HEAPU8.set(bytes, address);
    return address;
  }
  const view = (address: number, length: number) => wasm.HEAPU8.subarray(address, address + length);
  return {
    name: "libsodium, in place",
    sign(seed, message) {
      const { privateKey } = sodium.crypto_sign_seed_keypair(seed);
      const [out, msg, key] = [wasm._malloc(SIGNATURE_BYTES), put(message), put(privateKey)];
      return () => {
        wasm._crypto_sign_detached(out, 0, msg, message.length, 0, key);
        return view(out, SIGNATURE_BYTES);
      };
    },
    verify(signature, message, publicKey) {
      const [sig, msg, key] = [put(signature), put(message), put(publicKey)];
      return () => wasm._crypto_sign_verify_detached(sig, msg, message.length, 0, key) === 0;
    },
    sha512(message) {
      const [out, msg] = [wasm._malloc(SHA512_BYTES), put(message)];
      return () => {
        wasm._crypto_hash(out, msg, message.length, 0);
        return view(out, SHA512_BYTES);
      };
    },
  };
}

/** Objects are made once and used again, as its documentation advises; so is the one HMAC key. */
export async function hashWasm(key: Uint8Array): Promise<Library> {
  const [hash256, hash512, code] = [await createSHA256(), await createSHA512(), await createHMAC(createSHA256(), key)];
  return {
    name: "hash-wasm",
    sha256: (message) => () => hash256.init().update(message).digest("binary"),
    sha512: (message) => () => hash512.init().update(message).digest("binary"),
    hmacSha256: (_, message) => () => code.init().update(message).digest("binary"),
  };
}
