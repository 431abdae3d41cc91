/** Signs and writes a COSE_Sign1 of our wire profile (RFC 9052 section 4.2): what the governor itself says. */
import { Writer } from "../cbor/writer";
import { ed25519SignKeyPair } from "../crypto/ed25519";
import { wipe } from "../crypto/wipe";
import { CoseHeader, CoseTag } from "../protocol/cose-labels";
import { Limit } from "../protocol/limits";
import { sigStructure, sigStructureEnd, sigStructureSign1 } from "./sig-structure";

/** {1: -19} */
const PROTECTED: usize = memory.data<u8>([0xa1, 0x01, 0x32]);
const PROTECTED_BYTES: i32 = 3;

const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const signature: usize = memory.data(64, 8);

/** Signs with the key pair `seed` and `publicKey`, whose id is `kid`. Length of the message written to `out`, or -1 if it doesn't fit. `out` must not overlap the payload. */
export function coseSign1Write(
  out: usize,
  size: i32,
  seed: usize,
  publicKey: usize,
  kid: usize,
  payload: usize,
  payloadLen: i32,
  aad: usize,
  aadLen: i32,
): i32 {
  sigStructureSign1(PROTECTED, PROTECTED_BYTES);
  const len = sigStructureEnd(aad, aadLen, payload, payloadLen);
  if (len < 0) return -1;
  ed25519SignKeyPair(seed, publicKey, sigStructure(), len, signature);

  writer.begin(out, size);
  writer.tag(CoseTag.SIGN1);
  writer.array(4);
  writer.bytes(PROTECTED, PROTECTED_BYTES);
  writer.map(1);
  writer.uint(CoseHeader.KID);
  writer.bytes(kid, Limit.KID_BYTES);
  writer.bytes(payload, payloadLen);
  writer.bytes(signature, Limit.SIGNATURE_BYTES);
  wipe(signature, Limit.SIGNATURE_BYTES);
  return writer.finish();
}
