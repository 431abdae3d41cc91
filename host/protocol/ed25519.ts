/**
 * Ed25519 (RFC 8032) with the one acceptance rule of both ends (docs/protocol.md): S < L; A and R canonically encoded;
 * A not of small order; the cofactored equation 8·S·B = 8·R + 8·k·A. Whoever asks need not know who answers:
 *
 * - The governor's own code (`ed25519-module.ts`), which has the rule as it is, where one signature is judged at once, or
 *   many together.
 * - OpenSSL for secrets, which it keeps outside the heap, and by the threads of libuv's pool. Its own rule for verifying
 *   is another: it leaves the cofactor out, and takes an A of small order or in a second encoding. So, in this order:
 *
 *   1. What the rule says of the bytes is judged here. It is necessary, so a refusal is final.
 *   2. OpenSSL accepts: S·B = R + k·A, with the k of these bytes and, since it is canonical, the rule's A. Eight times
 *      that is the cofactored equation, and the rest of the rule is step 1. Accepted.
 *   3. OpenSSL refuses: the cofactored equation may hold all the same, where A or R has a part of small order. Who has the
 *      whole rule decides: the module, or noble (`zip215: false`; its default is the loose mode). No honest signer gets
 *      here.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import { ed25519 } from "@noble/curves/ed25519.js";
import { Limit } from "../../firmware/protocol/limits.ts";
import { BATCH_LEAST, type Ed25519Item, ed25519Module } from "./ed25519-module.ts";
import { KeyCache } from "./key-cache.ts";

/** Whether the signature holds. */
export function ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  const item = { signature, message, publicKey };
  return fits(item) ? ed25519Module!.verify(item) : verifyBySystem(item);
}

/** Whether each of them holds, in order. Many at once cost less than half of what each alone does. */
export function ed25519VerifyMany(items: readonly Ed25519Item[]): boolean[] {
  return items.every(fits) ? [...ed25519Module!.verifyMany(items)].flat() : items.map(verifyBySystem);
}

/** Whether the module is there, and has room for it. */
function fits({ message }: Ed25519Item): boolean {
  return ed25519Module !== undefined && message.length <= ed25519Module.messageBytesMax;
}

function verifyBySystem({ signature, message, publicKey }: Ed25519Item): boolean {
  if (!isWellFormed(signature, publicKey)) return false;
  const key = keys.get(publicKey);
  if (verify(null, message, key, signature)) return accepted(publicKey, key);
  return exactVerify({ signature, message, publicKey });
}

/**
 * The same by a thread of libuv's pool, so that many at a time use every core. The bytes must stay as they are until it
 * has answered.
 */
export async function ed25519VerifyAsync(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): Promise<boolean> {
  if (!isWellFormed(signature, publicKey)) return false;
  const key = keys.get(publicKey);
  if (await verifyInPool(null, message, key, signature)) return accepted(publicKey, key);
  return exactVerify({ signature, message, publicKey });
}

/**
 * Whether each of them holds, in order: a few by the pool; many in batches, which costs less than to hand them over. Between
 * two batches others have their turn: a forged signature makes one cost as much as its signatures one by one.
 */
export async function ed25519VerifyManyAsync(items: readonly Ed25519Item[]): Promise<boolean[]> {
  if (items.length >= BATCH_LEAST && items.every(fits)) {
    const verdicts: boolean[] = [];
    for (const batch of ed25519Module!.verifyMany(items)) {
      verdicts.push(...batch);
      await turn();
    }
    return verdicts;
  }
  return Promise.all(items.map((item) => ed25519VerifyAsync(item.signature, item.message, item.publicKey)));
}

/** A secret key. Its seed lies outside the heap that a debugger or a heap dump shows. */
export interface Ed25519Secret {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
  /** By a thread of libuv's pool. */
  readonly signAsync: (message: Uint8Array) => Promise<Uint8Array>;
}

/** Of a 32-byte seed (RFC 8032 section 5.1.5), which the caller may wipe afterwards. */
export function ed25519Secret(seed: Uint8Array): Ed25519Secret {
  if (seed.length !== SEED_BYTES) throw new RangeError("an Ed25519 seed has 32 bytes");
  const der = Buffer.concat([PKCS8_HEAD, seed]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  der.fill(0);
  const { x } = createPublicKey(key).export({ format: "jwk" });
  return {
    publicKey: new Uint8Array(Buffer.from(x!, "base64url")),
    sign: (message) => new Uint8Array(sign(null, message, key)),
    signAsync: async (message) => new Uint8Array(await signInPool(null, message, key)),
  };
}

const SEED_BYTES = 32;
/** PKCS #8 of an Ed25519 key (RFC 8410 section 7) up to its seed. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

const signInPool = promisify(sign);
const verifyInPool = promisify(verify);

const keys = new KeyCache((publicKey) => {
  // OpenSSL 3 takes 20 times as long to read the same key as DER.
  const x = Buffer.from(publicKey).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
});

/** Only keys that have signed something are kept: whoever cannot sign cannot drive them out. */
function accepted(publicKey: Uint8Array, key: KeyObject): true {
  keys.keep(publicKey, key);
  return true;
}

function exactVerify(item: Ed25519Item): boolean {
  if (fits(item)) return ed25519Module!.verify(item);
  return ed25519.verify(item.signature, item.message, item.publicKey, { zip215: false });
}

/** 2^255 - 19, 2^252 + 27742317777372353535851937790883648493; little-endian, RFC 8032 section 5.1. */
const P = Buffer.from("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "hex");
const L = Buffer.from("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", "hex");

/** The y of both points with x = 0: 1 and p - 1. */
const Y_OF_X_ZERO = [
  Buffer.from("0100000000000000000000000000000000000000000000000000000000000000", "hex"),
  Buffer.from("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "hex"),
];
/** The y of all eight points of small order: of order 1 and 2, of order 4, of order 8. */
const Y_OF_SMALL_ORDER = [
  ...Y_OF_X_ZERO,
  Buffer.alloc(32),
  Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex"),
  Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex"),
];

/** All of the rule that can be seen from the bytes, but whether A and R are points at all. */
function isWellFormed(signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== Limit.SIGNATURE_BYTES || publicKey.length !== Limit.PUBLIC_KEY_BYTES) return false;
  const half = Limit.SIGNATURE_BYTES / 2;
  const R = signature.subarray(0, half);
  const S = signature.subarray(half);
  return isBelow(S, L) && isCanonical(R) && isCanonical(publicKey) && !isOneOf(yOf(publicKey), Y_OF_SMALL_ORDER);
}

/** RFC 8032 section 5.1.3: y below p, and no sign where x = 0. */
function isCanonical(point: Uint8Array): boolean {
  const y = yOf(point);
  const hasSign = point[31]! > y[31]!;
  return isBelow(y, P) && !(hasSign && isOneOf(y, Y_OF_X_ZERO));
}

/** The encoding of a point without the sign of its x, the uppermost bit. */
function yOf(point: Uint8Array): Uint8Array {
  const y = new Uint8Array(point);
  y[31]! &= 0x7f;
  return y;
}

/** Little-endian. */
function isBelow(value: Uint8Array, bound: Uint8Array): boolean {
  let i = bound.length - 1;
  while (i > 0 && value[i] === bound[i]) i--;
  return value[i]! < bound[i]!;
}

function isOneOf(y: Uint8Array, list: readonly Uint8Array[]): boolean {
  return list.some((one) => Buffer.compare(one, y) === 0);
}
