/**
 * Combs of public keys that signed before: the parties' keys are used for years, and under a comb a signature costs less
 * than half. Everything here is public, and is no part of a device's state: a key is found by its 32 bytes, so one
 * instance may serve boards of any agreements, and to forget all of it changes no verdict.
 */
import { Limit } from "../protocol/limits";
import { COMB_TABLE_BYTES, combBuild } from "./comb25519";

/** Places that are always there: for all keys of an agreement, its log and witnesses included. */
const KEYS: i32 = Limit.PARTIES_MAX + Limit.TIME_AUTHORITIES_MAX + 1 + Limit.WITNESSES_MAX;

@unmanaged
@final
class KnownKey {
  key0: u64;
  key1: u64;
  key2: u64;
  key3: u64;
  /** When it last signed, counted in signatures; 0 for a place that is free. */
  lastUse: u64;
  /** 1 once its combs are built: they cost as much as a signature, so the first one only leaves the key's name. */
  built: u64;
}

const COMBS: usize = offsetof<KnownKey>();
/** Bytes of a place. */
export const PLACE_BYTES: i32 = (COMBS as i32) + COMB_TABLE_BYTES;

let places: usize = memory.data(KEYS * PLACE_BYTES, 8);
let count: i32 = KEYS;
let uses: u64 = 0;

/** Uses other places instead, `keys` times `PLACE_BYTES` of zeros: a verifier knows more keys than a governor. */
export function placeKnownKeys(at: usize, keys: i32): void {
  places = at;
  count = keys;
}

function place(i: i32): KnownKey {
  return changetype<KnownKey>(places + i * PLACE_BYTES);
}

function combsOf(known: KnownKey): usize {
  return changetype<usize>(known) + COMBS;
}

/** All bits in which the key of a place differs from the 32 bytes at `publicKey`, folded into one word. */
function difference(known: KnownKey, publicKey: usize): u32 {
  const folded: u64 =
    (known.key0 ^ load<u64>(publicKey)) |
    (known.key1 ^ load<u64>(publicKey, 8)) |
    (known.key2 ^ load<u64>(publicKey, 16)) |
    (known.key3 ^ load<u64>(publicKey, 24));
  return (folded as u32) | ((folded >> 32) as u32);
}

/** The key's place, or -1. */
function find(publicKey: usize): i32 {
  for (let i: i32 = 0; i < count; i++) {
    if (place(i).lastUse != 0 && difference(place(i), publicKey) == 0) return i;
  }
  return -1;
}

/** The place that a new key takes: of those without combs, if there are any, the one that was used first. */
function leastUsed(): KnownKey {
  let least: KnownKey = place(0);
  for (let i: i32 = 1; i < count; i++) {
    const known: KnownKey = place(i);
    if (known.built < least.built || (known.built == least.built && known.lastUse < least.lastUse)) least = known;
  }
  return least;
}

/** The combs of a key that signed before, or 0. */
export function knownCombs(publicKey: usize): usize {
  const i: i32 = find(publicKey);
  if (i < 0 || place(i).built == 0) return 0;
  place(i).lastUse = ++uses;
  return combsOf(place(i));
}

/** 0 if the combs are this key's, and built: seen once more, without the branches that found them. */
export function knownCombsResidue(combs: usize, publicKey: usize): u32 {
  const known = changetype<KnownKey>(combs - COMBS);
  return difference(known, publicKey) | ((known.built as u32) ^ 1);
}

/** A signature of the key was good: its name stays, and from the second time on its combs, those of the point `q`. */
export function rememberKey(publicKey: usize, q: usize): void {
  const i: i32 = find(publicKey);
  const known: KnownKey = i < 0 ? leastUsed() : place(i);
  known.lastUse = ++uses;
  known.built = 0;
  if (i >= 0) {
    combBuild(combsOf(known), q);
    known.built = 1;
  }
  known.key0 = load<u64>(publicKey);
  known.key1 = load<u64>(publicKey, 8);
  known.key2 = load<u64>(publicKey, 16);
  known.key3 = load<u64>(publicKey, 24);
}
