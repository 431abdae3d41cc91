/**
 * What the leaves of the log are: an object as its parties signed it, a salted commitment to one, or the root of the
 * subject index over all entries before. Deterministic CBOR; CDDL and reasons: docs/log.md.
 *
 *   plain      [1, type, message]
 *   commitment [2, type, SHA-256(salt || message), [* subject]]
 *   index      [3, subjects, root]
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { decodeAgreement } from "../objects/agreement.ts";
import { decodeLicense } from "../objects/license.ts";
import { LOGGED_TYPES } from "../objects/log-proof.ts";
import { decodeOrder } from "../objects/order.ts";
import { decodeRecovery } from "../objects/recovery.ts";
import { type CborValue, decode, encode } from "../protocol/cbor.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";
import { hexOf } from "../verifier/bytes.ts";
import { LogError } from "./errors.ts";
import { HASH_BYTES, isSize } from "./merkle.ts";

/** Objects that are logged. */
export type LoggedType = ObjectType.AGREEMENT | ObjectType.LICENSE | ObjectType.ORDER | ObjectType.RECOVERY;

export interface PlainEntry {
  readonly kind: "plain";
  readonly type: LoggedType;
  /** The COSE_Sign, at most 4,096 bytes. */
  readonly message: Uint8Array;
}

export interface CommitmentEntry {
  readonly kind: "commitment";
  readonly type: LoggedType;
  /** `commitmentOf` the message. */
  readonly commitment: Uint8Array;
  /** `subjectKey` of every device that the message names, in its order; at most 32. */
  readonly subjects: readonly Uint8Array[];
}

export interface IndexEntry {
  readonly kind: "index";
  /** Subjects that the index has. */
  readonly subjects: number;
  /** Root of the subject index over all entries before this one. */
  readonly root: Uint8Array;
}

export type LogEntry = PlainEntry | CommitmentEntry | IndexEntry;

/** Bytes of the salt of a commitment. */
export const SALT_BYTES = 32;
/** Around a message: the heads of the array, of two small integers and of a string of up to 64 KiB. */
const PLAIN_HEADS_BYTES = 6;
/** Longest entry: the longest message, in the plain. */
export const ENTRY_BYTES_MAX = Limit.MESSAGE_BYTES_MAX + PLAIN_HEADS_BYTES;
/** The array, its members, and 32 subjects. */
const ENTRY_ITEMS_MAX = 5 + Limit.COHORT_MAX;

const PLAIN = 1;
const COMMITMENT = 2;
const INDEX = 3;

const SUBJECT_DOMAIN = Buffer.from("quiesce/1/subject");
const LOGGED: ReadonlySet<CborValue | undefined> = new Set(LOGGED_TYPES);

/** The bytes of a leaf. Throws a `LogError` (`log/entry-malformed`) for what `decodeEntry` would refuse. */
export function encodeEntry(entry: LogEntry): Uint8Array {
  const bytes = encode(entryValue(entry));
  decodeEntry(bytes);
  return bytes;
}

function entryValue(entry: LogEntry): CborValue {
  if (entry.kind === "plain") return [PLAIN, entry.type, entry.message];
  if (entry.kind === "index") return [INDEX, entry.subjects, entry.root];
  return [COMMITMENT, entry.type, entry.commitment, entry.subjects];
}

/** Reads a leaf; what a message holds is not looked at. Throws a `LogError` (`log/entry-malformed`). */
export function decodeEntry(bytes: Uint8Array): LogEntry {
  if (bytes.length > ENTRY_BYTES_MAX) refuse(`an entry of ${bytes.length} bytes: ${ENTRY_BYTES_MAX} at most`);
  const value = read(() => decode(bytes, { itemsMax: ENTRY_ITEMS_MAX }), "an entry is no CBOR of the profile");
  if (!Array.isArray(value)) refuse("an entry is no array");
  const [kind, ...fields] = value as readonly CborValue[];
  switch (kind) {
    case PLAIN:
      return plainEntry(fields);
    case COMMITMENT:
      return commitmentEntry(fields);
    case INDEX:
      return indexEntry(fields);
  }
  refuse("an entry is of no known kind");
}

function plainEntry([type, message, ...more]: readonly CborValue[]): PlainEntry {
  if (!LOGGED.has(type) || !(message instanceof Uint8Array) || more.length > 0) refuse("a plain entry of another form");
  if (message.length < 1 || message.length > Limit.MESSAGE_BYTES_MAX) refuse("a message that is empty or too long");
  return { kind: "plain", type: type as LoggedType, message };
}

function commitmentEntry([type, commitment, subjects, ...more]: readonly CborValue[]): CommitmentEntry {
  if (!LOGGED.has(type) || !isHash(commitment) || !Array.isArray(subjects) || more.length > 0) {
    refuse("a commitment of another form");
  }
  if (subjects.length > Limit.COHORT_MAX || !subjects.every(isHash)) refuse("a commitment with other subjects");
  return { kind: "commitment", type: type as LoggedType, commitment, subjects };
}

function indexEntry([subjects, root, ...more]: readonly CborValue[]): IndexEntry {
  if (typeof subjects !== "number" || !isSize(subjects) || !isHash(root) || more.length > 0) {
    refuse("an index entry of another form");
  }
  return { kind: "index", subjects, root };
}

function isHash(value: CborValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array && value.length === HASH_BYTES;
}

/** What a commitment entry holds in place of a message. `salt` is 32 bytes, else it throws a `RangeError`. */
export function commitmentOf(salt: Uint8Array, message: Uint8Array): Uint8Array {
  if (salt.length !== SALT_BYTES) throw new RangeError(`a salt of ${salt.length} bytes`);
  return sha256(Buffer.concat([salt, message]));
}

/** What a device goes by in the log: SHA-256("quiesce/1/subject" || UEID). */
export function subjectKey(ueid: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([SUBJECT_DOMAIN, ueid]));
}

/**
 * UEIDs of the devices that a message names, in its order: the one or the cohort of a license, the scope of an order. An
 * agreement and an order for all name none. Throws a `LogError` (`log/entry-malformed`) if it is no such message.
 */
export function subjectsOf(type: LoggedType, message: Uint8Array): Uint8Array[] {
  return read(() => {
    const { payload } = parseSign(message);
    switch (type) {
      case ObjectType.AGREEMENT:
        decodeAgreement(payload);
        return [];
      case ObjectType.LICENSE: {
        const { ueid, cohort } = decodeLicense(payload);
        return ueid ? [ueid] : [...cohort!];
      }
      case ObjectType.ORDER:
        return [...(decodeOrder(payload).scope ?? [])];
      case ObjectType.RECOVERY:
        return [decodeRecovery(payload).ueid];
    }
  }, "a logged message is not what its entry says");
}

/** Keys that an entry counts for in the subject index, each once. Throws a `LogError` (`log/entry-malformed`). */
export function entrySubjects(entry: LogEntry): Uint8Array[] {
  if (entry.kind === "index") return [];
  const keys = entry.kind === "plain" ? subjectsOf(entry.type, entry.message).map(subjectKey) : entry.subjects;
  return [...new Map(keys.map((key) => [hexOf(key), key])).values()];
}

function read<T>(reading: () => T, what: string): T {
  try {
    return reading();
  } catch (error) {
    if (error instanceof Refusal) throw new LogError("log/entry-malformed", what, { cause: error });
    throw error;
  }
}

function refuse(message: string): never {
  throw new LogError("log/entry-malformed", message);
}
