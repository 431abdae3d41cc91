/**
 * Deterministic CBOR on the host (RFC 8949 section 4.2.1, and our profile of it). Reading is a strict check, then taking
 * what passed; writing is held against the same check.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { type CborRules, cborCheck } from "./cbor-check.ts";
import { readChecked } from "./cbor-read.ts";
import type { CborValue } from "./cbor-value.ts";
import { write } from "./cbor-write.ts";
import { Refusal } from "./refusal.ts";

export { type CborRules, cborCheck } from "./cbor-check.ts";
export { type CborMap, type CborValue, Tagged } from "./cbor-value.ts";

/** The one encoding of a value. Throws a `Refusal` for what the profile doesn't have. */
export function encode(value: CborValue, rules?: Pick<CborRules, "depthMax">): Uint8Array {
  const bytes = write(value, rules?.depthMax);
  // This also finds bignums that are none, and keys that are there twice.
  const code = cborCheck(bytes, rules);
  if (code !== ErrorCode.OK) throw new Refusal(code, "this value is not of the CBOR profile");
  return bytes;
}

/** The value of exactly one item, by the profile or by `rules`. Throws a `Refusal` with the code of the first violation. */
export function decode(bytes: Uint8Array, rules?: CborRules): CborValue {
  const code = cborCheck(bytes, rules);
  if (code !== ErrorCode.OK) throw new Refusal(code, "not one deterministic CBOR item of the profile");
  return readChecked(bytes);
}
