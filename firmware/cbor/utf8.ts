/**
 * Well-formed UTF-8 (RFC 3629, Unicode table 3-7): no overlong form, no surrogate, nothing above U+10FFFF.
 */

function isTail(byte: u32): bool {
  return (byte & 0xc0) == 0x80;
}

/** Whether the bytes from `at` up to `end` are well-formed. */
export function isUtf8(at: usize, end: usize): bool {
  while (at < end) {
    const lead = <u32>load<u8>(at);
    at += 1;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const tails: usize = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (end - at < tails) return false;
    // The second byte alone decides overlong forms (E0, F0), surrogates (ED) and the upper end (F4).
    const second = <u32>load<u8>(at);
    const least: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const most: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    if (tails > 1 && !isTail(<u32>load<u8>(at + 1))) return false;
    if (tails > 2 && !isTail(<u32>load<u8>(at + 2))) return false;
    at += tails;
  }
  return true;
}
