/**
 * Signing with a key that no one holds (RFC 9591 section 5). Round one: enough holders each commit to a nonce. Round two:
 * each gives a share of the signature. Whoever gathers them learns no secret and can forge nothing.
 */
import { ed25519_FROST as frost } from "@noble/curves/ed25519.js";
import { Limit } from "../../firmware/protocol/limits.ts";
import { ed25519Verify } from "../protocol/cose-key.ts";
import { KeyError } from "./errors.ts";
import { type FrostGroup, type FrostShare, identifierOf } from "./frost-group.ts";
import type { AsyncSigner } from "./signer.ts";

/** What a holder says in round one: two points of 32 bytes. */
export interface FrostCommitment {
  readonly holder: number;
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

/** A holder, wherever it is. */
export interface FrostMember {
  readonly holder: number;
  commit(): Promise<FrostCommitment>;
  /** Its share of the signature, 32 bytes. */
  sign(message: Uint8Array, commitments: readonly FrostCommitment[]): Promise<Uint8Array>;
}

type Nonces = ReturnType<typeof frost.commit>["nonces"];

/** Commitments that wait for their message. The oldest is forgotten: who never comes back must not fill the memory. */
const NONCES_MAX = 64;

/**
 * One holder, with its share. A nonce is forgotten before the share that it makes is out, in whatever way round two ends:
 * two shares by one nonce would give the secret away. Nonces live in memory only, so that no backup brings one back.
 */
export class FrostHolder implements FrostMember {
  readonly holder: number;
  readonly #group: FrostGroup;
  readonly #secret: Parameters<typeof frost.commit>[0];
  readonly #nonces = new Map<string, Nonces>();
  readonly #random: ((length?: number) => Uint8Array) | undefined;

  /** `random` stands in for the system's random bytes in tests. Throws `KeyError` (`keys/frost-share`). */
  constructor(group: FrostGroup, share: FrostShare, random?: (length?: number) => Uint8Array) {
    this.holder = share.holder;
    this.#group = group;
    this.#secret = { identifier: identifierOf(share.holder), signingShare: share.secret };
    this.#random = random;
    try {
      frost.validateSecret(this.#secret, group.public);
    } catch (cause) {
      throw new KeyError("keys/frost-share", `holder ${share.holder}'s own share is of another group`, { cause });
    }
  }

  async commit(): Promise<FrostCommitment> {
    const { nonces, commitments } = frost.commit(this.#secret, this.#random as Parameters<typeof frost.commit>[1]);
    const [oldest] = this.#nonces.keys();
    if (this.#nonces.size >= NONCES_MAX && oldest !== undefined) this.#nonces.delete(oldest);
    const { hiding, binding } = commitments;
    const commitment = { holder: this.holder, hiding, binding };
    this.#nonces.set(nameOf(commitment), nonces);
    return commitment;
  }

  /** Rejects with `KeyError` (`keys/frost-commitments`, `keys/frost-nonce`). */
  async sign(message: Uint8Array, commitments: readonly FrostCommitment[]): Promise<Uint8Array> {
    checkCommitments(this.#group, commitments);
    const own = commitments.find(({ holder }) => holder === this.holder);
    const nonces = own && this.#nonces.get(nameOf(own));
    if (!nonces) throw new KeyError("keys/frost-nonce", `holder ${this.holder}`);
    this.#nonces.delete(nameOf(own));
    try {
      return frost.signShare(this.#secret, this.#group.public, nonces, commitments.map(wire), message);
    } catch (cause) {
      throw new KeyError("keys/frost-commitments", (cause as Error).message, { cause });
    } finally {
      nonces.hiding.fill(0);
      nonces.binding.fill(0);
    }
  }
}

/**
 * One Ed25519 signature of the shares, by holder. A bad share is refused with its holder's number (section 5.4). Throws
 * `KeyError` (`keys/frost-share`, `keys/frost-commitments`, `keys/signature`).
 */
export function aggregate(
  group: FrostGroup,
  message: Uint8Array,
  commitments: readonly FrostCommitment[],
  shares: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  checkCommitments(group, commitments);
  const list = commitments.map(wire);
  for (const { holder } of commitments) {
    if (!isGoodShare(group, list, message, holder, shares.get(holder))) {
      throw new KeyError("keys/frost-share", `holder ${holder}`);
    }
  }
  const used = commitments.map(({ holder }) => [identifierOf(holder), shares.get(holder)!] as const);
  const signature = frost.aggregate(group.public, list, message, Object.fromEntries(used));
  if (!ed25519Verify(signature, message, group.publicKey)) throw new KeyError("keys/signature", "of the group");
  return signature;
}

/**
 * A signer that asks the first `threshold` of `members`, both rounds for each signature. It signs COSE drafts as any
 * other does, by the group's kid. Throws `KeyError` (`keys/frost-group`) if they are too few.
 */
export function frostSigner(group: FrostGroup, members: readonly FrostMember[]): AsyncSigner {
  const asked = members.slice(0, group.threshold);
  if (asked.length < group.threshold) throw new KeyError("keys/frost-group", `${asked.length} of ${group.threshold}`);
  const sign = async (message: Uint8Array): Promise<Uint8Array> => {
    const commitments = await Promise.all(asked.map((member) => member.commit()));
    const shares = await Promise.all(
      asked.map(async (member) => [member.holder, await member.sign(message, commitments)] as const),
    );
    return aggregate(group, message, commitments, new Map(shares));
  };
  return { kid: group.kid, publicKey: group.publicKey, sign };
}

function isGoodShare(
  group: FrostGroup,
  list: ReturnType<typeof wire>[],
  message: Uint8Array,
  holder: number,
  share: Uint8Array | undefined,
): boolean {
  if (share === undefined) return false;
  try {
    return frost.verifyShare(group.public, list, message, identifierOf(holder), share);
  } catch {
    // Not of 32 bytes, no scalar, or a commitment that is no point: all of them the holder's own.
    return false;
  }
}

function checkCommitments({ threshold, holders }: FrostGroup, commitments: readonly FrostCommitment[]): void {
  const numbers = new Set(commitments.map(({ holder }) => holder));
  const isSet = numbers.size === commitments.length && numbers.size >= threshold;
  const areHolders = [...numbers].every((holder) => Number.isInteger(holder) && holder >= 1 && holder <= holders);
  const arePoints = commitments.every(
    ({ hiding, binding }) => hiding.length === Limit.PUBLIC_KEY_BYTES && binding.length === Limit.PUBLIC_KEY_BYTES,
  );
  if (!isSet || !areHolders || !arePoints) throw new KeyError("keys/frost-commitments");
}

function wire({ holder, hiding, binding }: FrostCommitment) {
  return { identifier: identifierOf(holder), hiding, binding };
}

function nameOf({ hiding, binding }: FrostCommitment): string {
  return Buffer.concat([hiding, binding]).toString("hex");
}
