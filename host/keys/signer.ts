/** Signers that answer later: keys in another process or another house. Whatever holds keys is a `KeySource`. */
import { Limit } from "../../firmware/protocol/limits.ts";
import { type Signer, signingRound, signSign1, type VerificationKey } from "../protocol/cose.ts";
import { KeyError } from "./errors.ts";

/** Who signs, in time. Rejects with a `KeyError`. */
export type AsyncSigner = VerificationKey & { readonly sign: (message: Uint8Array) => Promise<Uint8Array> };

/** Until it is retired a key signs: the active one, and beside it those that it replaces. */
export type KeyStatus = "active" | "retiring" | "retired";

/** What a source says of a key. */
export interface KeyInfo extends VerificationKey {
  readonly label: string;
  readonly status: KeyStatus;
}

/** A keystore that is open, or a process that signs. */
export interface KeySource {
  /** The keys that sign: none that is retired. */
  list(): Promise<readonly KeyInfo[]>;
  /** Throws `KeyError` (`keys/unknown`, and what stands in the way of the key). */
  signer(kid: Uint8Array): Promise<AsyncSigner>;
  /** Lets go of keys and processes. */
  close(): Promise<void>;
}

/** `addSignature` by a signer that answers later. */
export async function addSignatureAsync(draft: Uint8Array, signer: AsyncSigner, aad: Uint8Array): Promise<Uint8Array> {
  const round = signingRound(draft, aad);
  return round.add([{ kid: signer.kid, signature: await signer.sign(round.toBeSigned) }]);
}

/**
 * `signSign1` by a signer that answers later. What is to be signed is found by signing with zeros first, so that there is
 * one place that knows the form.
 */
export async function signSign1Async(payload: Uint8Array, signer: AsyncSigner, aad: Uint8Array): Promise<Uint8Array> {
  let asked: Uint8Array | undefined;
  const rehearse = (message: Uint8Array) => {
    asked = message;
    return new Uint8Array(Limit.SIGNATURE_BYTES);
  };
  const stand = (sign: Signer["sign"]): Signer => ({ kid: signer.kid, publicKey: signer.publicKey, sign });
  signSign1(payload, stand(rehearse), aad);
  const signature = await signer.sign(asked!);
  return signSign1(
    payload,
    stand(() => signature),
    aad,
  );
}

/**
 * The key that is meant: by its kid; else the one that `members` name; else the only active one. Members matter while
 * keys overlap: an agreement knows the old key until it is amended.
 */
export function chooseKey<T extends KeyInfo>(
  keys: readonly T[],
  kid: Uint8Array | undefined,
  members?: readonly VerificationKey[],
): T {
  const isSame = (a: VerificationKey, bytes: Uint8Array) => Buffer.compare(a.kid, bytes) === 0;
  const meant = kid
    ? keys.filter((key) => isSame(key, kid))
    : members
      ? keys.filter((key) => key.status !== "retired" && members.some((member) => isSame(member, key.kid)))
      : keys.filter(({ status }) => status === "active");
  if (meant.length > 1) throw new KeyError("keys/ambiguous", meant.map((key) => kidText(key.kid)).join(", "));
  const [key] = meant;
  if (key) return key;
  throw new KeyError("keys/unknown", kid ? kidText(kid) : members ? "none of the agreement's" : "none is active");
}

export function kidText(kid: Uint8Array): string {
  return Buffer.from(kid).toString("hex");
}
