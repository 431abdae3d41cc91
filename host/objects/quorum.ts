/** A COSE_Sign over a payload, signed by several at once. Parties who are apart pass the draft on instead. */
import { draftSign, type Signer, signingRound } from "../protocol/cose.ts";

export function signQuorum(payload: Uint8Array, signers: readonly Signer[], aad: Uint8Array): Uint8Array {
  const round = signingRound(draftSign(payload), aad);
  return round.add(signers.map((signer) => ({ kid: signer.kid, signature: signer.sign(round.toBeSigned) })));
}
