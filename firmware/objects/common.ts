/** What evidence and usage reports write alike. */
import { Writer } from "../cbor/writer";
import { keyHasId } from "../cose/key-id";
import { coseSign1Write } from "../cose/sign1-write";
import { wipe } from "../crypto/wipe";
import { quantityToWire } from "../meter/quantity";
import { ObjectType } from "../protocol/claims";
import { EngineClass } from "../protocol/classes";
import { Limit } from "../protocol/limits";
import { ATTESTATION_KEY, ATTESTATION_KID, ATTESTATION_SEED, CLASSES, session } from "../state";
import { timeLowerBound, timeUpperBound } from "../time/clock";
import { AAD_BYTES, aadOf } from "./claims";

/** Where payloads are built, and the one writer for them. */
const PAYLOAD_BYTES_MAX: i32 = 2560;
export const payload: usize = memory.data(PAYLOAD_BYTES_MAX, 8);
export const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));

export function payloadBegin(): void {
  writer.begin(payload, PAYLOAD_BYTES_MAX);
}

/** `urn:x-quiesce:eat:1` */
// biome-ignore format: ASCII
const PROFILE: usize = memory.data<u8>([
  0x75, 0x72, 0x6e, 0x3a, 0x78, 0x2d, 0x71, 0x75, 0x69, 0x65, 0x73, 0x63, 0x65, 0x3a, 0x65, 0x61, 0x74, 0x3a, 0x31,
]);

export function writeProfile(): void {
  writer.text(PROFILE, 19);
}

const wire: usize = memory.data(16, 8);

/** A map of all classes to 128-bit quantities: the one at `first` and those every `stride` bytes after it. */
export function writeWorks(first: usize, stride: usize): void {
  writer.map(EngineClass.COUNT);
  for (let c: u32 = 0; c < CLASSES; c++) {
    quantityToWire(wire, first + <usize>c * stride);
    writer.uint(<u64>c);
    writer.bytes(wire, Limit.WORK_BYTES);
  }
}

/** `[lower, upper]` in ms, or null before a time proof. */
export function writeTimeBounds(): void {
  if (session.timeKnown == 0) {
    writer.nil();
    return;
  }
  writer.array(2);
  writer.uint(timeLowerBound());
  writer.uint(timeUpperBound());
}

/** In place of a length: the attestation key is no longer the one of its id. */
export const KEY_CHANGED: i32 = -2;

/** Signs what `writer` holds with the attestation key; the length of the COSE_Sign1 at `out`, -1 or KEY_CHANGED. */
export function signPayload(type: ObjectType, out: usize, size: i32): i32 {
  const length = writer.finish();
  if (length < 0) return -1;
  const key = ATTESTATION_KEY;
  const kid = ATTESTATION_KID;
  if (!keyHasId(key, kid)) return KEY_CHANGED;
  const written = coseSign1Write(out, size, ATTESTATION_SEED, key, kid, payload, length, aadOf(type), AAD_BYTES);
  // Two signatures of one payload, one of them under a public key that a fault changed, would give the secret away.
  if (keyHasId(key, kid)) return written;
  wipe(out, size);
  return KEY_CHANGED;
}
