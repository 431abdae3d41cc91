/**
 * Reading the claims of an object in the one order they can have: deterministic CBOR sorts them, so a reader asks for
 * each in turn. Whatever is missing, unknown, twice or of another form is left over or out of turn, and `claimsEnd`
 * says so with the object's own code.
 */

import { cborCheck } from "../cbor/check";
import { Reader } from "../cbor/reader";
import { equalBytes } from "../crypto/equal";
import { Subjects } from "../log/entry";
import { quantityAsU64, quantityFromWire, quantityIsZero } from "../meter/quantity";
import { ObjectType } from "../protocol/claims";
import { EngineClass } from "../protocol/classes";
import { Limit } from "../protocol/limits";

/** Shared by all objects: one is read at a time, and dead when its reading is over. */
export const claims = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

@unmanaged
@final
class Remaining {
  pairs: i32;
}
const remaining = changetype<Remaining>(memory.data(offsetof<Remaining>(), 4));

/** Any code will do here: `claimsEnd` gives the object's own. */
const MISFIT: i32 = 1;

/** The payload must itself be one deterministic item: signers and governor read the same thing. */
export function claimsBegin(payload: usize, length: i32): void {
  claims.begin(payload, length);
  if (cborCheck(payload, length) != 0) claims.fail(MISFIT);
  remaining.pairs = claims.map();
}

/** Whether the next claim is this one; if so its value is next to be read. */
export function claimIs(key: i32): bool {
  if (remaining.pairs <= 0) return false;
  const at = claims.at;
  const major = claims.peek();
  if (major != 0 && major != 1) return false;
  if (claims.int() == <i64>key) {
    remaining.pairs -= 1;
    return true;
  }
  claims.at = at;
  return false;
}

/** The next claim must be this one. */
export function claimMust(key: i32): void {
  if (!claimIs(key)) claims.fail(MISFIT);
}

export function claimMisfit(): void {
  claims.fail(MISFIT);
}

/** OK if all was read and nothing is left, else `code`. */
export function claimsEnd(code: i32): i32 {
  if (remaining.pairs != 0) claims.fail(MISFIT);
  return claims.finish() == 0 ? 0 : code;
}

/** An unsigned integer of at most `most`. */
export function claimUint(most: u64): u64 {
  const value = claims.uint();
  if (value > most) {
    claims.fail(MISFIT);
    return 0;
  }
  return value;
}

/** NumericDate in whole seconds (RFC 8392 section 2), as ms. 2^40 s are 34,000 years. */
export function claimSecondsAsMs(): u64 {
  return claimUint((<u64>1) << 40) * 1000;
}

/** A map from class to quantity into 128-bit entries at `out`, classes not named are zero; returns their bits. */
export function claimWorks(out: usize): u32 {
  memory.fill(out, 0, EngineClass.COUNT * 16);
  return claimClasses(out, 16);
}

/** The same, and every class must be named. */
export function claimAllWorks(out: usize): void {
  const at = claims.at;
  if (claims.map() != EngineClass.COUNT) claims.fail(MISFIT);
  else claims.at = at;
  claimWorks(out);
}

/** The same into 64-bit entries; a quantity of 2^64 or more is a misfit. */
export function claimWorks64(out: usize): u32 {
  memory.fill(out, 0, EngineClass.COUNT * 8);
  return claimClasses(out, 8);
}

const wide: usize = memory.data(16, 8);

function claimClasses(out: usize, width: usize): u32 {
  let named: u32 = 0;
  for (let pairs = claims.map(); pairs > 0; pairs--) {
    const engineClass = <u32>claimUint(EngineClass.COUNT - 1);
    const bytes = claims.bytesOf(Limit.WORK_BYTES);
    if (claims.error != 0) return 0;
    quantityFromWire(wide, bytes);
    if (width == 16) memory.copy(out + ((<usize>engineClass) << 4), wide, 16);
    else if (load<u64>(wide, 8) != 0) claims.fail(MISFIT);
    else store<u64>(out + ((<usize>engineClass) << 3), quantityAsU64(wide));
    if (!quantityIsZero(wide)) named |= (<u32>1) << engineClass;
  }
  return named;
}

/** A UEID, which becomes the one subject; its address. */
export function claimName(subjects: Subjects): usize {
  subjects.first = claims.bytesOf(Limit.UEID_BYTES);
  subjects.count = 1;
  return subjects.first;
}

/** A map from class to an unsigned integer into 64-bit entries. */
export function claimRates(out: usize): void {
  memory.fill(out, 0, EngineClass.COUNT * 8);
  for (let pairs = claims.map(); pairs > 0; pairs--) {
    const engineClass = <usize>claimUint(EngineClass.COUNT - 1);
    const rate = claims.uint();
    if (rate == 0) claims.fail(MISFIT);
    if (claims.error != 0) return;
    store<u64>(out + (engineClass << 3), rate);
  }
}

/** An array of UEIDs, at least one, which become the subjects; whether `ueid` is among them. */
export function claimNames(ueid: usize, subjects: Subjects): bool {
  const count = claims.array();
  if (count < 1 || count > Limit.COHORT_MAX) {
    claims.fail(MISFIT);
    return false;
  }
  subjects.first = claims.at + 2;
  subjects.count = count;
  let found = false;
  for (let i = 0; i < count; i++) {
    const one = claims.bytesOf(Limit.UEID_BYTES);
    if (equalBytes(one, ueid, Limit.UEID_BYTES) != 0) found = true;
  }
  return found;
}

/** `quiesce/1/` and the type: what keeps one kind of object from being taken for another. */
const aad: usize = memory.data<u8>([0x71, 0x75, 0x69, 0x65, 0x73, 0x63, 0x65, 0x2f, 0x31, 0x2f, 0]);
export const AAD_BYTES: i32 = 11;

export function aadOf(type: ObjectType): usize {
  store<u8>(aad, <u8>type, 10);
  return aad;
}
