/** What a party signs: its domain (RFC 9052 section 4.3) and its decoder. */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import { decodeAgreement } from "../objects/agreement.ts";
import { decodeLicense } from "../objects/license.ts";
import { decodeOrder } from "../objects/order.ts";
import { decodeRecovery } from "../objects/recovery.ts";
import { decode } from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";
import { SIGN_TYPES, type SignType } from "./sign-names.ts";

const OF_TYPE: Record<SignType, { aad: Uint8Array; decode: (payload: Uint8Array) => object }> = {
  agreement: { aad: objectAad(ObjectType.AGREEMENT), decode: decodeAgreement },
  license: { aad: objectAad(ObjectType.LICENSE), decode: decodeLicense },
  order: { aad: objectAad(ObjectType.ORDER), decode: decodeOrder },
  recovery: { aad: objectAad(ObjectType.RECOVERY), decode: decodeRecovery },
};

export function aadOf(type: SignType): Uint8Array {
  return OF_TYPE[type].aad;
}

/** Throws a `Refusal` with a code of the type for a payload that is none. */
export function checkPayload(type: SignType, payload: Uint8Array): void {
  OF_TYPE[type].decode(payload);
}

/** The type of a payload by what it holds; undefined if it is none. */
export function payloadType(payload: Uint8Array): SignType | undefined {
  return SIGN_TYPES.find((type) => holds(() => checkPayload(type, payload)));
}

/**
 * The type of the object whose Sig_structure (RFC 9052 section 4.4) the message is, by its domain and its payload;
 * undefined for every other message.
 */
export function signTypeOf(message: Uint8Array): SignType | undefined {
  let type: SignType | undefined;
  holds(() => {
    const fields = decode(message);
    if (!Array.isArray(fields) || fields.length !== 5 || fields[0] !== "Signature") return;
    const [, , , aad, payload] = fields;
    if (!(aad instanceof Uint8Array) || !(payload instanceof Uint8Array)) return;
    const named = SIGN_TYPES.find((candidate) => Buffer.compare(aadOf(candidate), aad) === 0);
    if (named === undefined) return;
    checkPayload(named, payload);
    type = named;
  });
  return type;
}

function holds(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
