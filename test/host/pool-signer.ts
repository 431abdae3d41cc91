/** The tests' keys, signing by the threads of libuv's pool, as those of a keystore do. */
import type { AsyncSigner } from "../../host/keys/signer.ts";
import type { LocalSigner, Signer } from "../../host/protocol/cose-key.ts";

export function poolSigner(signer: Signer): AsyncSigner {
  const { kid, publicKey, signAsync } = signer as LocalSigner;
  return { kid, publicKey, sign: signAsync };
}
