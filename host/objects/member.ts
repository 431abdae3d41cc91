/** Whom an agreement names: parties, time authorities, the log and its witnesses. CDDL: docs/protocol.md. */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { CborValue } from "../protocol/cbor.ts";
import { keyId, type VerificationKey } from "../protocol/cose.ts";
import type { Claims } from "./claims.ts";

/** A party or a time authority (name: 1 to 32 bytes of UTF-8), a log or a witness (1 to 64 of printable ASCII). */
export interface Member extends VerificationKey {
  readonly name: string;
}

const MEMBER_NAME_BYTES_MAX = 32;

export function memberValue(member: Member): CborValue {
  return [member.kid, member.name, member.publicKey];
}

export function memberOf(items: Claims, index: number, nameBytesMax: number = MEMBER_NAME_BYTES_MAX): Member {
  const member = items.array(index, 3);
  return {
    kid: member.bytes(0, Limit.KID_BYTES),
    name: member.text(1, nameBytesMax),
    publicKey: member.bytes(2, Limit.PUBLIC_KEY_BYTES),
  };
}

/** Each kid is its key's thumbprint, and no key stands twice: that would be two voices. Refuses `AGREEMENT_PARTY`. */
export function checkMembers(members: readonly Member[], claims: Claims): void {
  const kids = new Set<string>();
  for (const { kid, name, publicKey } of members) {
    const text = Buffer.from(kid).toString("hex");
    if (kids.has(text)) claims.refuse(`the key of ${name} is named twice`, ErrorCode.AGREEMENT_PARTY);
    if (Buffer.compare(kid, keyId(publicKey)) !== 0) {
      claims.refuse(`the kid of ${name} is not that of the key`, ErrorCode.AGREEMENT_PARTY);
    }
    kids.add(text);
  }
}
