/**
 * The header parameters of one COSE layer (RFC 9052 section 3), protected and unprotected, read together: the same
 * merged walk, with the same codes, as `firmware/cose/headers.ts`.
 */
import { CoseAlgorithm, CoseFlag, CoseHeader } from "../../firmware/protocol/cose-labels.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborMap, type CborValue, decode, encode } from "./cbor.ts";
import { Refusal } from "./refusal.ts";

/** The protected header of every signature of the wire profile. */
export const PROTECTED = encode(new Map([[CoseHeader.ALGORITHM, CoseAlgorithm.ED25519]]));

/** The first two fields of every COSE structure and of every signature in one. */
export type Layer = { protectedBytes: Uint8Array; unprotected: CborMap };

export function readLayer(protectedBytes: CborValue | undefined, unprotected: CborValue | undefined): Layer {
  if (!(protectedBytes instanceof Uint8Array))
    throw new Refusal(ErrorCode.COSE_FORM, "the protected header is no string");
  if (!(unprotected instanceof Map)) throw new Refusal(ErrorCode.COSE_FORM, "the unprotected header is no map");
  return { protectedBytes, unprotected };
}

/**
 * Checks the parameters and gives the key id, if there is one. `signed` says that the layer carries a signature: then
 * it needs an algorithm, else (the body of a COSE_Sign) the strict profile has no parameter at all.
 */
export function readHeaders(layer: Layer, signed: boolean, flag: CoseFlag): Uint8Array | undefined {
  return (signed ? profileKid(layer) : undefined) ?? walkHeaders(layer, signed, flag);
}

/** The kid of a layer that is just as the wire profile writes it: the walk gives the same, but takes five times as long. */
function profileKid({ protectedBytes, unprotected }: Layer): Uint8Array | undefined {
  const kid = unprotected.get(CoseHeader.KID);
  if (!(kid instanceof Uint8Array) || kid.length !== Limit.KID_BYTES || unprotected.size !== 1) return undefined;
  return Buffer.compare(protectedBytes, PROTECTED) === 0 ? kid : undefined;
}

function walkHeaders(layer: Layer, signed: boolean, flag: CoseFlag): Uint8Array | undefined {
  const strict = flag === CoseFlag.STRICT;
  const found = { algorithm: false, kid: undefined as Uint8Array | undefined };
  const guarded = protectedEntries(layer.protectedBytes, strict);
  const open = [...layer.unprotected];

  while (guarded.length > 0 || open.length > 0) {
    const left = guarded[0];
    const right = open[0];
    if (!isLabel(left) || !isLabel(right))
      throw new Refusal(ErrorCode.COSE_HEADER, "a header label is no number or text");
    const order =
      left === undefined ? 1 : right === undefined ? -1 : Buffer.compare(labelBytes(left[0]), labelBytes(right[0]));
    if (order === 0) throw new Refusal(ErrorCode.COSE_HEADER_TWICE, `header ${left![0]} is protected and unprotected`);
    const [label, value] = order < 0 ? guarded.shift()! : open.shift()!;
    const isProtected = order < 0;

    if (label === CoseHeader.CRITICAL)
      throw new Refusal(ErrorCode.COSE_CRITICAL, "critical headers are not understood");
    if (signed && label === CoseHeader.ALGORITHM) {
      if (!isProtected || !isOurs(value, strict)) throw new Refusal(ErrorCode.COSE_ALGORITHM, "wrong algorithm");
      found.algorithm = true;
    } else if (signed && label === CoseHeader.KID) {
      if (!(value instanceof Uint8Array)) throw new Refusal(ErrorCode.COSE_KID, "the kid is no byte string");
      if (strict && (isProtected || value.length !== Limit.KID_BYTES)) {
        throw new Refusal(ErrorCode.COSE_KID, "the kid must be 8 bytes in the unprotected header");
      }
      found.kid = value;
    } else if (strict) throw new Refusal(ErrorCode.COSE_HEADER, `unknown header ${label}`);
  }
  if (signed && !found.algorithm) throw new Refusal(ErrorCode.COSE_ALGORITHM, "no algorithm in the protected header");
  if (signed && strict && found.kid === undefined) throw new Refusal(ErrorCode.COSE_KID, "no kid");
  return found.kid;
}

/** A protected header without parameters is an empty string (section 3), or, from others, an empty map in one. */
function protectedEntries(bytes: Uint8Array, strict: boolean): [CborValue, CborValue][] {
  if (bytes.length === 0) return [];
  const map = decode(bytes);
  if (!(map instanceof Map) || (map.size === 0 && strict)) {
    throw new Refusal(ErrorCode.COSE_FORM, "the protected header holds no parameters");
  }
  return [...(map as CborMap)];
}

function isLabel(entry: [CborValue, CborValue] | undefined): boolean {
  return entry === undefined || ["number", "bigint", "string"].includes(typeof entry[0]);
}

/** -2^64 is the one integer that is read and not written. */
function labelBytes(label: CborValue): Uint8Array {
  return label === -(2n ** 64n) ? LEAST_LABEL : encode(label);
}

const LEAST_LABEL = new Uint8Array(9).fill(0xff).fill(0x3b, 0, 1);

function isOurs(algorithm: CborValue, strict: boolean): boolean {
  return algorithm === CoseAlgorithm.ED25519 || (!strict && algorithm === CoseAlgorithm.EDDSA);
}
