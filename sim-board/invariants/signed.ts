/**
 * Signed objects as the signature rule reads them: RFC 9052 sections 4.1 to 4.4, RFC 8032 through @noble/curves. Shares
 * nothing with the governor or with the host's codec, so that a fault of theirs is not a fault of the judge.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { CoseAlgorithm, CoseHeader, CoseTag } from "../../firmware/protocol/cose-labels.ts";
import { array, byteString, concat, type Item, integer, map, read, text } from "../cbor.ts";

export type Signed = {
  /** COSE_Sign1: one signature, in another Sig_structure. */
  single: boolean;
  payload: Uint8Array;
  claims: Map<Item, Item>;
  signatures: { kid: string; signature: Uint8Array }[];
};
/** Public keys by kid in hex. */
export type Keys = ReadonlyMap<string, Uint8Array>;
/** What is wrong with an object; S7 if only a signature's bits are. */
export type Fault = { id: "S7" | "S9"; detail: string };

const PROTECTED = map(integer(CoseHeader.ALGORITHM), integer(CoseAlgorithm.ED25519));
const NONE = new Uint8Array(0);

/** Verdicts on (key, signature, signed bytes), by their digest: the same objects come again and again. */
const verdicts = new Map<string, boolean>();
const VERDICTS_MOST = 4096;

/** Undefined unless it is a COSE_Sign or COSE_Sign1 of the wire profile with a map as its payload. */
export function readSigned(object: Item | undefined): Signed | undefined {
  const message = object instanceof Uint8Array ? read(object) : undefined;
  if (!message || typeof message !== "object" || !("tag" in message) || !Array.isArray(message.item)) return undefined;
  const single = message.tag === CoseTag.SIGN1;
  if (!single && message.tag !== CoseTag.SIGN) return undefined;
  const [header, unprotected, payload, rest] = message.item;
  const claims = payload instanceof Uint8Array ? read(payload) : undefined;
  if (!(payload instanceof Uint8Array) || !(claims instanceof Map)) return undefined;
  if (!single && !(header instanceof Uint8Array && header.length === 0 && Array.isArray(rest))) return undefined;
  const parts = single ? [[header, unprotected, rest]] : (rest as Item[]);
  const signatures: Signed["signatures"] = [];
  for (const part of parts) {
    const [protectedBytes, headers, signature] = Array.isArray(part) ? part : [];
    const kid = headers instanceof Map ? headers.get(CoseHeader.KID) : undefined;
    if (!isBytes(protectedBytes, PROTECTED) || !(kid instanceof Uint8Array) || !(signature instanceof Uint8Array)) {
      return undefined;
    }
    signatures.push({ kid: bytesToHex(kid), signature });
  }
  return { single, payload, claims, signatures };
}

/** Undefined if exactly `count` of `keys`, all different, signed an object of this `ObjectType`. */
export function faultOf(signed: Signed, type: number, keys: Keys, count: number): Fault | undefined {
  const given = signed.signatures.length;
  if (given !== count || count < 1) return { id: "S9", detail: `${given} signatures where ${count} are asked for` };
  const seen = new Set<string>();
  for (const { kid, signature } of signed.signatures) {
    const key = keys.get(kid);
    if (!key) return { id: "S9", detail: `${kid} is none of those who may sign it` };
    if (seen.has(kid)) return { id: "S9", detail: `${kid} signed twice` };
    seen.add(kid);
    if (!holds(key, signature, structureOf(signed, type)))
      return { id: "S7", detail: `the signature of ${kid} is bad` };
  }
  return undefined;
}

/** Sig_structure, section 4.4. */
function structureOf(signed: Signed, type: number): Uint8Array {
  const aad = byteString(concat(utf8ToBytes("quiesce/1/"), Uint8Array.of(type)));
  const [header, payload] = [byteString(PROTECTED), byteString(signed.payload)];
  if (signed.single) return array(text("Signature1"), header, aad, payload);
  return array(text("Signature"), byteString(NONE), header, aad, payload);
}

function holds(key: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  const name = bytesToHex(sha256(concat(key, signature, message)));
  let verdict = verdicts.get(name);
  if (verdict === undefined) {
    verdict = ed25519.verify(signature, message, key, { zip215: false });
    if (verdicts.size >= VERDICTS_MOST) verdicts.delete(verdicts.keys().next().value!);
    verdicts.set(name, verdict);
  }
  return verdict;
}

function isBytes(item: Item | undefined, bytes: Uint8Array): boolean {
  return item instanceof Uint8Array && item.length === bytes.length && item.every((byte, i) => byte === bytes[i]);
}
