/**
 * A log and its witnesses on the bench, whose keys are at hand: what an honest log shows of a message, and whatever a rogue
 * one might. Hashes of a tree are taken by the definitions of RFC 6962 section 2.1 themselves, whatever the tree's size:
 * it may begin with any number of leaves that are all the same.
 */
import type { ObjectType } from "../firmware/protocol/claims.ts";
import { checkpointBody } from "../host/log/checkpoint.ts";
import { cosignatureMessage } from "../host/log/cosignature.ts";
import { commitmentOf, encodeEntry, type LoggedType, subjectKey, subjectsOf } from "../host/log/entry.ts";
import { EMPTY_ROOT, leafHash, nodeHash } from "../host/log/merkle.ts";
import type { LogTerms } from "../host/objects/agreement.ts";
import { encodeLogProof, type LogProof, receiptToBeSigned } from "../host/objects/log-proof.ts";
import type { Signer } from "../host/protocol/cose.ts";
import { type Rig, signerOf } from "./rig.ts";

export const LOG = signerOf("log");
export const WITNESSES = ["north witness", "south witness", "inspectorate witness"].map(signerOf);
const ORIGIN = "log.example/test";

/** Three witnesses, two of which must have cosigned within the hour. */
export function logTermsOf(change: Partial<LogTerms> = {}): LogTerms {
  const member = ({ kid, publicKey }: Signer, name: string) => ({ kid, publicKey, name });
  return {
    commitments: false,
    log: member(LOG, ORIGIN),
    witnesses: WITNESSES.map((witness, i) => member(witness, `witness.example/w${i}`)),
    witnessQuorum: 2,
    checkpointSecondsMax: 3600,
    pauseBeforeProof: true,
    ...change,
  };
}

/** What of a proof is to be another way than an honest log would have it. */
export interface ProofChange extends Partial<LogProof> {
  /** Size of the tree that it is for; default the whole log. */
  readonly of?: number;
  /** Size of the tree that the governor saw before; default 0. */
  readonly from?: number;
  /** Which witnesses sign, by place; default the first two. */
  readonly by?: readonly number[];
  /** When they sign, Unix seconds. */
  readonly at?: number;
  readonly origin?: string;
}

/** Size of the tree that the board's newest accepted proof showed. */
export function sizeSeen(rig: Rig): number {
  return Number(rig.info().logHead!.size);
}

export class BenchLog {
  readonly #key: Signer;
  readonly #filler: number;
  readonly #leaves: Uint8Array[] = [];
  readonly #salts: (Uint8Array | undefined)[] = [];
  /** Roots of subtrees of equal leaves, by their number. */
  readonly #same = new Map<number, Uint8Array>();

  /** `filler` equal leaves stand before all others. */
  constructor(filler = 0, key: Signer = LOG) {
    this.#filler = filler;
    this.#key = key;
  }

  get size(): number {
    return this.#filler + this.#leaves.length;
  }

  /** Logs a message and gives its place. With a salt the entry is a commitment. */
  append(type: ObjectType, message: Uint8Array, salt?: Uint8Array): number {
    const logged = type as LoggedType;
    const entry = salt
      ? encodeEntry({
          kind: "commitment",
          type: logged,
          commitment: commitmentOf(salt, message),
          subjects: subjectsOf(logged, message).map(subjectKey),
        })
      : encodeEntry({ kind: "plain", type: logged, message });
    return this.appendEntry(entry, salt);
  }

  appendEntry(entry: Uint8Array, salt?: Uint8Array): number {
    this.#leaves.push(leafHash(entry));
    this.#salts.push(salt);
    return this.size - 1;
  }

  /** As it was when it had this many entries, of those that were appended. */
  truncate(size: number): void {
    this.#leaves.length = size - this.#filler;
    this.#salts.length = size - this.#filler;
  }

  /** The hash of a leaf that was appended. */
  leafAt(index: number): Uint8Array {
    return this.#leaves[index - this.#filler]!;
  }

  root(size = this.size): Uint8Array {
    return size === 0 ? EMPTY_ROOT : this.#hash(0, size);
  }

  /** The proof of what stands at `index`, changed. */
  proof(index: number, change: ProofChange = {}): Uint8Array {
    return encodeLogProof(this.proofOf(index, change));
  }

  proofOf(
    index: number,
    { of, from = 0, by = [0, 1], at = 0, origin = ORIGIN, ...change }: ProofChange = {},
  ): LogProof {
    const size = of ?? this.size;
    const root = change.root ?? this.root(size);
    const body = checkpointBody({ origin, size: change.checkpointSize ?? size, root });
    const salt = this.#salts[index - this.#filler];
    return {
      kid: this.#key.kid,
      index,
      size,
      path: index < size ? this.#path(index, 0, size) : [],
      receiptSignature: this.#key.sign(receiptToBeSigned(root)),
      root,
      checkpointSize: size,
      checkpointSignature: this.#key.sign(Buffer.from(body)),
      cosignatures: by.map((witness) => ({
        witness,
        seconds: at,
        signature: WITNESSES[witness]!.sign(cosignatureMessage(body, at)),
      })),
      consistency: from > 0 && from < size ? this.#subproof(from, 0, size, true) : [],
      ...(salt && { salt }),
      ...change,
    };
  }

  /** The proof that an honest host brings this board now of a message that is logged just so. */
  prove(rig: Rig, type: ObjectType, message: Uint8Array, change: ProofChange = {}): Uint8Array {
    const salt = rig.agreement.log!.commitments ? SALT : undefined;
    return this.proof(this.append(type, message, salt), { at: rig.nowSeconds, from: sizeSeen(rig), ...change });
  }

  /** MTH, section 2.1. */
  #hash(start: number, end: number): Uint8Array {
    const count = end - start;
    if (end <= this.#filler) return this.#sameHash(count);
    if (count === 1) return this.#leaves[start - this.#filler]!;
    const k = splitOf(count);
    return nodeHash(this.#hash(start, start + k), this.#hash(start + k, end));
  }

  #sameHash(count: number): Uint8Array {
    const known = this.#same.get(count);
    if (known) return known;
    const k = splitOf(count);
    const hash = count === 1 ? leafHash(FILLER) : nodeHash(this.#sameHash(k), this.#sameHash(count - k));
    this.#same.set(count, hash);
    return hash;
  }

  /** PATH, section 2.1.1. */
  #path(index: number, start: number, end: number): Uint8Array[] {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    return index < middle
      ? [...this.#path(index, start, middle), this.#hash(middle, end)]
      : [...this.#path(index, middle, end), this.#hash(start, middle)];
  }

  /** SUBPROOF, section 2.1.2. */
  #subproof(old: number, start: number, end: number, whole: boolean): Uint8Array[] {
    if (old === end) return whole ? [] : [this.#hash(start, end)];
    const middle = start + splitOf(end - start);
    return old <= middle
      ? [...this.#subproof(old, start, middle, whole), this.#hash(middle, end)]
      : [...this.#subproof(old, middle, end, false), this.#hash(start, middle)];
  }
}

const SALT = new Uint8Array(32).fill(0x5a);
const FILLER = new TextEncoder().encode("filler");

/** The largest power of two below a number above 1. */
function splitOf(count: number): number {
  let k = 1;
  while (2 * k < count) k *= 2;
  return k;
}
