/** A proof of non-issuance as a file: deterministic CBOR, a few kilobytes. CDDL: docs/log.md. */
import { Limit } from "../../firmware/protocol/limits.ts";
import { decodeBody } from "../objects/body.ts";
import { type CborValue, encode } from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";
import { LogError } from "./errors.ts";
import { CONSISTENCY_PATH_MAX, HASH_BYTES, isSize, PATH_MAX } from "./merkle.ts";
import type { HeadProof, NonIssuanceProof } from "./non-issuance.ts";
import { NOTE_BYTES_MAX } from "./note.ts";
import type { IndexProof } from "./subject-index.ts";

const VERSION = "quiesce/1/non-issuance";
const STEPS_MAX = 256;
/** Two heads with their paths and steps, 34 and 38 bytes each, and one more path. */
export const NON_ISSUANCE_BYTES_MAX = 2 * (NOTE_BYTES_MAX + 34 * PATH_MAX + 38 * STEPS_MAX) + 34 * PATH_MAX + 1024;
const ITEMS_MAX = 2 * (PATH_MAX + 3 * STEPS_MAX) + PATH_MAX + 64;
/** The array of seven, and the version's text of 22 bytes. */
const BEGINNING = Buffer.from([0x87, 0x76, ...Buffer.from(VERSION)]);

/** Whether bytes mean to be a proof. */
export function isNonIssuance(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, BEGINNING.length), BEGINNING) === 0;
}

/** Throws a `LogError` (`log/proof-malformed`) for what `decodeNonIssuance` would refuse. */
export function encodeNonIssuance(proof: NonIssuanceProof): Uint8Array {
  const { ueid, fromSeconds, toSeconds, first, last, consistency } = proof;
  const bytes = encode([VERSION, ueid, fromSeconds, toSeconds, headValue(first), headValue(last), [...consistency]]);
  decodeNonIssuance(bytes);
  return bytes;
}

function headValue({ checkpoint, entry, inclusion, index }: HeadProof): CborValue {
  const { steps, leaf } = index;
  return [
    checkpoint,
    entry.subjects,
    entry.root,
    [...inclusion],
    [steps.map(({ bit, sibling }) => [bit, sibling]), leaf ? [leaf.key, leaf.count, leaf.head] : null],
  ];
}

/** Throws a `LogError` (`log/proof-malformed`). */
export function decodeNonIssuance(bytes: Uint8Array): NonIssuanceProof {
  const [version, ueid, fromSeconds, toSeconds, first, last, consistency] = arrayOf(read(bytes), 7);
  if (version !== VERSION) malformed(`it begins with ${VERSION}`);
  if (!(ueid instanceof Uint8Array) || ueid.length !== Limit.UEID_BYTES) malformed("a UEID of 33 bytes");
  return {
    ueid,
    fromSeconds: sizeOf(fromSeconds),
    toSeconds: sizeOf(toSeconds),
    first: headOf(first),
    last: headOf(last),
    consistency: hashesOf(consistency, CONSISTENCY_PATH_MAX),
  };
}

function read(bytes: Uint8Array): CborValue {
  try {
    return decodeBody(bytes, "proof", { bytesMax: NON_ISSUANCE_BYTES_MAX, itemsMax: ITEMS_MAX });
  } catch (error) {
    if (error instanceof Refusal) throw new LogError("log/proof-malformed", "no CBOR of the profile", { cause: error });
    throw error;
  }
}

function headOf(value: CborValue | undefined): HeadProof {
  const [checkpoint, subjects, root, inclusion, index] = arrayOf(value, 5);
  if (typeof checkpoint !== "string") malformed("a checkpoint is text");
  return {
    checkpoint,
    entry: { subjects: sizeOf(subjects), root: hashOf(root) },
    inclusion: hashesOf(inclusion, PATH_MAX),
    index: indexOf(index),
  };
}

function indexOf(value: CborValue | undefined): IndexProof {
  const [stepValues, leafValue] = arrayOf(value, 2);
  if (!Array.isArray(stepValues) || stepValues.length > STEPS_MAX) malformed("at most 256 steps");
  const steps = stepValues.map((step) => {
    const [bit, sibling] = arrayOf(step, 2);
    return { bit: sizeOf(bit), sibling: hashOf(sibling) };
  });
  if (leafValue === null) return { steps };
  const [key, count, head] = arrayOf(leafValue, 3);
  return { steps, leaf: { key: hashOf(key), count: sizeOf(count), head: hashOf(head) } };
}

function arrayOf(value: CborValue | undefined, length: number): readonly CborValue[] {
  return Array.isArray(value) && value.length === length ? value : malformed(`an array of ${length}`);
}

function hashesOf(value: CborValue | undefined, most: number): Uint8Array[] {
  return Array.isArray(value) && value.length <= most ? value.map(hashOf) : malformed(`at most ${most} hashes`);
}

function hashOf(value: CborValue | undefined): Uint8Array {
  return value instanceof Uint8Array && value.length === HASH_BYTES ? value : malformed("hashes of 32 bytes");
}

function sizeOf(value: CborValue | undefined): number {
  return typeof value === "number" && isSize(value) ? value : malformed("an unsigned number");
}

function malformed(what: string): never {
  throw new LogError("log/proof-malformed", `no proof of non-issuance: ${what}`);
}
