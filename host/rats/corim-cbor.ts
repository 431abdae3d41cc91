/**
 * CBOR as manifests are read, which others write with tools of their own. Keys of a map may come in any order: common
 * encoders write them as their structures list them. All else stays strict, because it costs an honest writer nothing and
 * keeps one meaning to one manifest: definite lengths, shortest heads, no key twice, valid UTF-8, no floating point (the
 * draft has it for times only, where whole seconds do); and depth, items and length are bounded before anything is built.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Claims } from "../objects/claims.ts";
import { type CborValue, decode, encode, Tagged } from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";
import { CorimError, type CorimErrorCode } from "./errors.ts";

export const CORIM_BYTES_MAX = 1024 * 1024;

const RULES = { itemsMax: 65_536, depthMax: 16, anyKeyOrder: true } as const;

/** Throws a `CorimError`. */
export function decodeForeign(bytes: Uint8Array): CborValue {
  if (bytes.length > CORIM_BYTES_MAX) throw new CorimError("corim/too-long", `${bytes.length} bytes`);
  return coded("corim/cbor", () => decode(bytes, RULES));
}

/** Throws a `Refusal`; deterministic, which any reader takes. */
export function encodeForeign(value: CborValue): Uint8Array {
  return encode(value, { depthMax: RULES.depthMax });
}

/** What `read` gives; its refusals become this code. */
export function coded<T>(code: CorimErrorCode, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw new CorimError(code, error.message, { cause: error });
    throw error;
  }
}

/** The members of a map, typed; what they are refused with is a `Refusal` until `coded` gives it its code. */
export function membersOf(value: CborValue, what: string): Claims {
  if (!(value instanceof Map)) throw new Refusal(ErrorCode.CBOR_TYPE, `the ${what} is not a map`);
  return new Claims(value, ErrorCode.CBOR_TYPE, what);
}

/** The value behind a tag; undefined where there is another tag or none. */
export function untagged(value: CborValue, tag: number): CborValue | undefined {
  return value instanceof Tagged && value.tag === tag ? value.value : undefined;
}
