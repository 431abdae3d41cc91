/** A COSE_Sign over a payload, signed by several at once. Parties who are apart pass the draft on instead. */
import { addSignature, draftSign, type Signer } from "../protocol/cose.ts";

export function signQuorum(payload: Uint8Array, signers: readonly Signer[], aad: Uint8Array): Uint8Array {
  return signers.reduce((bytes, signer) => addSignature(bytes, signer, aad), draftSign(payload));
}
