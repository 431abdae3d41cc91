/**
 * Signing with a key that no one holds (RFC 9591 section 5). Round one: enough holders each commit to a nonce. Round two:
 * each gives a share of the signature. Whoever gathers them learns no secret and can forge nothing.
 */
import { ed25519, ed25519_FROST as frost } from "@noble/curves/ed25519.js";
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
 * A signer that asks `threshold` of `members`, the first of them first, both rounds for each signature. One that refuses,
 * does not answer or sends what does not hold is left out, and the others are asked anew, with new nonces: commitments are
 * for one set of holders. It signs COSE drafts as any other does, by the group's kid. Throws `KeyError`
 * (`keys/frost-group`) if they are too few; signing rejects with `keys/frost-members` once too few are left.
 */
export function frostSigner(group: FrostGroup, members: readonly FrostMember[]): AsyncSigner {
  const { threshold } = group;
  if (members.length < threshold) throw new KeyError("keys/frost-group", `${members.length} of ${threshold}`);
  const sign = async (message: Uint8Array): Promise<Uint8Array> => {
    const failures = new Map<number, CodedError>();
    for (;;) {
      const asked = members.filter(({ holder }) => !failures.has(holder)).slice(0, threshold);
      if (asked.length < threshold) throw tooFew(failures);
      const commitments = await ofAll(asked, failures, commitmentOf);
      const shares = commitments && (await ofAll(asked, failures, (one) => shareOf(group, one, message, commitments)));
      if (shares) return aggregate(group, message, commitments, new Map(shares));
    }
  };
  return { kid: group.kid, publicKey: group.publicKey, sign };
}

type CodedError = Error & { readonly code: string };

/** What all of them gave; undefined where one failed, which is then among the failures. */
async function ofAll<T>(
  members: readonly FrostMember[],
  failures: Map<number, CodedError>,
  ask: (member: FrostMember) => Promise<T>,
): Promise<T[] | undefined> {
  const results = await Promise.allSettled(members.map(ask));
  results.forEach((result, index) => {
    if (result.status === "fulfilled") return;
    // A refusal has a code; anything else is a fault of this program.
    if (typeof result.reason?.code !== "string") throw result.reason;
    failures.set(members[index]!.holder, result.reason);
  });
  const given = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  return given.length === members.length ? given : undefined;
}

function tooFew(failures: ReadonlyMap<number, CodedError>): KeyError {
  const said = [...failures].map(([holder, { code, message }]) => `holder ${holder}: ${code}: ${message}`);
  return new KeyError("keys/frost-members", said.join("; "), { cause: new AggregateError(failures.values()) });
}

/** A bad one would make the other holders refuse, and they would be taken for those who fail. */
async function commitmentOf(member: FrostMember): Promise<FrostCommitment> {
  const commitment = await member.commit();
  if (commitment.holder !== member.holder || !isPoint(commitment.hiding) || !isPoint(commitment.binding)) {
    throw new KeyError("keys/frost-commitments", `holder ${member.holder}`);
  }
  return commitment;
}

async function shareOf(
  group: FrostGroup,
  member: FrostMember,
  message: Uint8Array,
  commitments: readonly FrostCommitment[],
): Promise<[number, Uint8Array]> {
  const { holder } = member;
  const share = await member.sign(message, commitments);
  if (!isGoodShare(group, commitments.map(wire), message, holder, share)) {
    throw new KeyError("keys/frost-share", `holder ${holder}`);
  }
  return [holder, share];
}

/** An element as RFC 9591 section 6.1 lets one be: canonical, of the prime-order group, and not its identity. */
function isPoint(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes);
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
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
