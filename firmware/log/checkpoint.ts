/**
 * The text that log and witnesses sign (C2SP tlog-checkpoint and tlog-cosignature). It is written here from the origin that
 * the agreement names and from the tree's size and root, so there is one text for one tree, and none to parse:
 *
 *     cosignature/v1                                   a witness signs from here on,
 *     time 1679315147
 *     example.com/behind-the-sofa                      the log from here on
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 */
import { ed25519ResidueKnown } from "../crypto/ed25519";
import { logTerms } from "../objects/log-terms";
import { Limit } from "../protocol/limits";

/** `cosignature/v1`, a new line, `time ` */
// biome-ignore format: ASCII
const HEAD: usize = memory.data<u8>([
  0x63, 0x6f, 0x73, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x2f, 0x76, 0x31, 0x0a, 0x74, 0x69, 0x6d, 0x65, 0x20,
]);
const HEAD_BYTES: i32 = 20;
const NEW_LINE: u8 = 0x0a;
const DECIMAL_DIGITS_MAX: i32 = 20;
const BASE64_BYTES: i32 = 44;
const TEXT_BYTES_MAX: i32 = HEAD_BYTES + 2 * (DECIMAL_DIGITS_MAX + 1) + Limit.LOG_NAME_BYTES_MAX + 1 + BASE64_BYTES + 1;

const text: usize = memory.data(TEXT_BYTES_MAX, 8);

@unmanaged
@final
class Cursor {
  at: usize;
}
const cursor = changetype<Cursor>(memory.data(offsetof<Cursor>(), 8));

/** 0 if the log signed the checkpoint of this tree under the 32-byte key. */
export function checkpointResidue(size: u64, root: usize, signature: usize, publicKey: usize): u32 {
  cursor.at = text;
  return signedResidue(size, root, signature, publicKey);
}

/** 0 if a witness signed it as seen at this time, in seconds, under the 32-byte key. */
export function cosignatureResidue(size: u64, root: usize, seconds: u64, signature: usize, publicKey: usize): u32 {
  memory.copy(text, HEAD, HEAD_BYTES);
  cursor.at = text + HEAD_BYTES;
  writeDecimal(seconds);
  return signedResidue(size, root, signature, publicKey);
}

function signedResidue(size: u64, root: usize, signature: usize, publicKey: usize): u32 {
  memory.copy(cursor.at, logTerms.origin, <usize>logTerms.originLength);
  cursor.at += <usize>logTerms.originLength;
  write(NEW_LINE);
  writeDecimal(size);
  writeBase64(root);
  return ed25519ResidueKnown(signature, text, <i32>(cursor.at - text), publicKey);
}

function write(character: u8): void {
  store<u8>(cursor.at, character);
  cursor.at += 1;
}

/** A line of digits, without leading zeros. */
function writeDecimal(value: u64): void {
  let unit: u64 = 1;
  while (value / unit >= 10) unit *= 10;
  for (; unit != 0; unit /= 10) write(<u8>(0x30 + ((value / unit) % 10)));
  write(NEW_LINE);
}

/** A line of base64 (RFC 4648 section 4) of 32 bytes: ten groups of three, then two bytes and padding. */
function writeBase64(bytes: usize): void {
  for (let i: usize = 0; i < 33; i += 3) {
    const last: u32 = i == 30 ? 0 : <u32>load<u8>(bytes + i, 2);
    const group = ((<u32>load<u8>(bytes + i)) << 16) | ((<u32>load<u8>(bytes + i, 1)) << 8) | last;
    for (let shift: i32 = 18; shift >= 0; shift -= 6) write(base64Character((group >> shift) & 63));
  }
  store<u8>(cursor.at - 1, 0x3d);
  write(NEW_LINE);
}

function base64Character(value: u32): u8 {
  if (value < 26) return <u8>(0x41 + value);
  if (value < 52) return <u8>(0x61 - 26 + value);
  if (value < 62) return <u8>(0x30 - 52 + value);
  return value == 62 ? 0x2b : 0x2f;
}
