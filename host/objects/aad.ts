/** Domain separation: the external AAD (RFC 9052 section 4.3) that each type of object is signed under. */
import type { ObjectType } from "../../firmware/protocol/claims.ts";

const PREFIX = new TextEncoder().encode("quiesce/1/");

/** `quiesce/1/` and the type's byte: a signature on one type of object never serves as one on another. */
export function objectAad(type: ObjectType): Uint8Array {
  const aad = new Uint8Array(PREFIX.length + 1);
  aad.set(PREFIX);
  aad[PREFIX.length] = type;
  return aad;
}
