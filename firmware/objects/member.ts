/** Whom an agreement names: parties, time authorities, the log and its witnesses (docs/protocol.md, `member`). */
import { keyIdOf } from "../cose/key-id";
import { equalBytes } from "../crypto/equal";
import { Limit } from "../protocol/limits";
import { KEY_BYTES } from "../state";
import { claimMisfit, claims } from "./claims";

const kid: usize = memory.data(8, 8);

/** A text of 1 to `most` bytes; its address, and its length in `claims.length`. */
export function readName(most: i32): usize {
  const name = claims.text();
  if (claims.length < 1 || claims.length > most) claimMisfit();
  return name;
}

/** Each `[kid, name, public key]` into an entry of kid and public key. The kid must be the key's own (`keysAreSound`). */
export function readMembers(out: usize, most: i32): u8 {
  const count = claims.array();
  if (count > most) {
    claimMisfit();
    return 0;
  }
  for (let i = 0; i < count; i++) {
    readMember(out + <usize>i * KEY_BYTES, NAME_BYTES_MAX);
  }
  return <u8>count;
}

const NAME_BYTES_MAX: i32 = 32;

/** One of them; its name is what comes back. */
export function readMember(out: usize, nameBytesMax: i32): Name {
  if (claims.array() != 3) claimMisfit();
  memory.copy(out, claims.bytesOf(Limit.KID_BYTES), Limit.KID_BYTES);
  name.at = readName(nameBytesMax);
  name.length = claims.length;
  memory.copy(out + Limit.KID_BYTES, claims.bytesOf(Limit.PUBLIC_KEY_BYTES), Limit.PUBLIC_KEY_BYTES);
  return name;
}

@unmanaged
@final
export class Name {
  at: usize;
  length: i32;
}
const name = changetype<Name>(memory.data(offsetof<Name>(), 8));

/** Each kid is its key's thumbprint, and no key stands twice: that would be two voices. */
export function keysAreSound(keys: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const key = keys + <usize>i * KEY_BYTES;
    keyIdOf(key + Limit.KID_BYTES, kid);
    if (load<u64>(kid) != load<u64>(key)) return false;
    for (let j: u32 = i + 1; j < count; j++) {
      const other = keys + <usize>j * KEY_BYTES;
      if (load<u64>(key) == load<u64>(other)) return false;
      if (equalBytes(key + Limit.KID_BYTES, other + Limit.KID_BYTES, Limit.PUBLIC_KEY_BYTES) != 0) return false;
    }
  }
  return true;
}
