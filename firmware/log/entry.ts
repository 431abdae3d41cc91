/**
 * What stands in the log for a message: the leaf's data, as CBOR, and its hash (docs/protocol.md, "Log").
 *
 *     [1, type, message]                                        plain
 *     [2, type, SHA-256(salt || message), [* subject]]          a commitment
 *
 * A subject is a device's UEID hashed. The governor writes the entry itself, so an entry that names other devices than the
 * message does, and would hide it from those who look for a device, is another entry.
 */
import { Writer } from "../cbor/writer";
import { sigStructure } from "../cose/sig-structure";
import { SHA256_CONTEXT_BYTES, sha256, sha256Begin, sha256End, sha256Update } from "../crypto/sha256";
import { LogMode, ObjectType } from "../protocol/claims";
import { CoseLimit } from "../protocol/cose-labels";
import { Limit } from "../protocol/limits";

const SALT_BYTES: i32 = 32;
/** `quiesce/1/subject` */
// biome-ignore format: ASCII
const SUBJECT: usize = memory.data<u8>([
  0x71, 0x75, 0x69, 0x65, 0x73, 0x63, 0x65, 0x2f, 0x31, 0x2f, 0x73, 0x75, 0x62, 0x6a, 0x65, 0x63, 0x74,
]);
const SUBJECT_BYTES: i32 = 17;
/** From one UEID of an array to the next: a head of two bytes lies between them. */
const UEID_STRIDE: usize = 2 + Limit.UEID_BYTES;

/** The devices that a message names: `count` UEIDs from `first` on, as an array of CBOR byte strings holds them. */
@unmanaged
@final
export class Subjects {
  first: usize;
  count: i32;
}

/** The leaf is made where Sig_structures are: 0x00, then the entry (RFC 9162 section 2.1.1), some bytes over a message. */
const LEAF_BYTES_MAX: i32 = CoseLimit.SIG_STRUCTURE_BYTES_MAX;
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const context: usize = memory.data(SHA256_CONTEXT_BYTES, 8);
const digest: usize = memory.data(Limit.DIGEST_BYTES, 8);

/** out = the leaf's hash of the entry of a message; `salt` is 0 for a plain one. */
export function entryLeafHash(
  out: usize,
  type: ObjectType,
  message: usize,
  length: i32,
  subjects: Subjects,
  salt: usize,
): void {
  const leaf = sigStructure();
  store<u8>(leaf, 0);
  writer.begin(leaf + 1, LEAF_BYTES_MAX - 1);
  writer.array(salt != 0 ? 4 : 3);
  writer.uint(salt != 0 ? LogMode.COMMITMENT : LogMode.PLAIN);
  writer.uint(type);
  if (salt != 0) writeCommitment(message, length, subjects, salt);
  else writer.bytes(message, length);
  sha256(leaf, 1 + writer.finish(), out);
}

function writeCommitment(message: usize, length: i32, subjects: Subjects, salt: usize): void {
  hashBoth(salt, SALT_BYTES, message, length);
  writer.bytes(digest, Limit.DIGEST_BYTES);
  writer.array(subjects.count);
  for (let i = 0; i < subjects.count; i++) {
    hashBoth(SUBJECT, SUBJECT_BYTES, subjects.first + <usize>i * UEID_STRIDE, Limit.UEID_BYTES);
    writer.bytes(digest, Limit.DIGEST_BYTES);
  }
}

/** digest = SHA-256 of one string after the other. */
function hashBoth(first: usize, firstLength: i32, second: usize, secondLength: i32): void {
  sha256Begin(context);
  sha256Update(context, first, firstLength);
  sha256Update(context, second, secondLength);
  sha256End(context, digest);
}
