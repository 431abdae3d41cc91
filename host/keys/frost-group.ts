/**
 * A key that no one holds: FROST(Ed25519, SHA-512), RFC 9591. So many of a party's people or sites sign together, and
 * what comes out is one plain Ed25519 signature; governors and verifiers see no difference. Here: the group, and the
 * two ways to make one.
 */
import { ed25519_FROST as frost } from "@noble/curves/ed25519.js";
import { keyId, type VerificationKey } from "../protocol/cose-key.ts";
import { KeyError } from "./errors.ts";

type Package = ReturnType<typeof frost.trustedDealer>["public"];
type KeygenSecret = ReturnType<typeof frost.DKG.round1>["secret"];
type Broadcast = ReturnType<typeof frost.DKG.round1>["public"];

export const HOLDERS_MAX = 8;
export const HOLDERS_MIN = 2;

/** What everyone may know of a group: its key, how many sign, and what each holder's shares are judged by. */
export interface FrostGroup extends VerificationKey {
  readonly threshold: number;
  /** Holders are numbered from 1. */
  readonly holders: number;
  /** noble's public package. */
  readonly public: Package;
}

/** What one holder keeps to itself. */
export interface FrostShare {
  readonly holder: number;
  /** A scalar of 32 bytes. */
  readonly secret: Uint8Array;
}

/**
 * One dealer makes all shares (RFC 9591 appendix C) and must forget them. Throws `KeyError` (`keys/frost-group`).
 */
export function dealShares(threshold: number, holders: number): { group: FrostGroup; shares: FrostShare[] } {
  checkSize(threshold, holders);
  const { public: made, secretShares } = frost.trustedDealer({ min: threshold, max: holders });
  const shares = numbers(holders).map((holder) => ({
    holder,
    secret: secretShares[identifierOf(holder)]!.signingShare,
  }));
  return { group: groupOf(made), shares };
}

/** The group of noble's package. */
export function groupOf(made: Package): FrostGroup {
  const publicKey = made.commitments[0]!;
  const { min, max } = made.signers;
  return { kid: keyId(publicKey), publicKey, threshold: min, holders: max, public: made };
}

/**
 * One holder's part in making a key without a dealer (Pedersen's protocol with proofs of knowledge, as in the FROST
 * paper, figure 1). Every holder broadcasts its `opening`; each sends each other one its `shareFor`, secretly; `finish`.
 * All must see the same broadcasts. Methods throw `KeyError` (`keys/frost-step`, `keys/frost-share`).
 */
export class FrostKeygen {
  readonly holder: number;
  /** For all other holders. */
  readonly opening: Broadcast;
  readonly #secret: KeygenSecret;
  #others: readonly Broadcast[] | undefined;
  #isDone = false;

  /** Throws `KeyError` (`keys/frost-group`). */
  constructor(holder: number, threshold: number, holders: number) {
    checkSize(threshold, holders);
    if (!numbers(holders).includes(holder)) throw new KeyError("keys/frost-group", `holder ${holder} of ${holders}`);
    this.holder = holder;
    const { public: opening, secret } = frost.DKG.round1(identifierOf(holder), { min: threshold, max: holders });
    this.opening = opening;
    this.#secret = secret;
  }

  /** Takes the openings of all others, and gives what each of them, and no one else, must get: 32 bytes by holder. */
  sharesFor(openings: readonly Broadcast[]): ReadonlyMap<number, Uint8Array> {
    if (this.#others) throw new KeyError("keys/frost-step");
    const shares = held(() => frost.DKG.round2(this.#secret, [...openings]));
    this.#others = openings;
    const others = numbers(HOLDERS_MAX).filter((holder) => shares[identifierOf(holder)]);
    return new Map(others.map((holder) => [holder, shares[identifierOf(holder)]!.signingShare]));
  }

  /** Takes what the others sent, by sender. Forgets its own polynomial. */
  finish(received: ReadonlyMap<number, Uint8Array>): { group: FrostGroup; share: FrostShare } {
    const others = this.#others;
    if (!others || this.#isDone) throw new KeyError("keys/frost-step");
    this.#isDone = true;
    const shares = [...received].map(([sender, signingShare]) => ({ identifier: identifierOf(sender), signingShare }));
    try {
      const key = held(() => frost.DKG.round3(this.#secret, [...others], shares));
      return { group: groupOf(key.public), share: { holder: this.holder, secret: key.secret.signingShare } };
    } finally {
      frost.DKG.clean(this.#secret);
    }
  }
}

/** How RFC 9591 numbers holders: a scalar, here in noble's hex. */
export function identifierOf(holder: number): string {
  return frost.Identifier.fromNumber(holder);
}

function checkSize(threshold: number, holders: number): void {
  const isSize = Number.isInteger(threshold) && Number.isInteger(holders);
  if (!isSize || threshold < HOLDERS_MIN || holders > HOLDERS_MAX || threshold > holders) {
    throw new KeyError("keys/frost-group", `${threshold} of ${holders}`);
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** noble says in words what it refuses; here it has a code. */
function held<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new KeyError("keys/frost-share", cause instanceof Error ? cause.message : undefined, { cause });
  }
}
