/**
 * What a COSE signature signs: the Sig_structure (RFC 9052 section 4.4), and its check.
 *
 *   COSE_Sign1: ["Signature1", body_protected, external_aad, payload]
 *   COSE_Sign:  ["Signature",  body_protected, sign_protected, external_aad, payload]
 */
import { Writer } from "../cbor/writer";
import { ed25519ResidueKnown } from "../crypto/ed25519";
import { CoseLimit } from "../protocol/cose-labels";

const scratch: usize = memory.data(CoseLimit.SIG_STRUCTURE_BYTES_MAX, 16);
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));

const SIGNATURE: usize = memory.data<u8>([0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65]);
const SIGNATURE1: usize = memory.data<u8>([0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31]);

/** In place of a residue: what doesn't fit the scratch is not signed. */
const RESIDUE_NONE: u32 = 0xffffffff;

/** Starts the Sig_structure of a COSE_Sign1. */
export function sigStructureSign1(protectedPtr: usize, protectedLen: i32): void {
  writer.begin(scratch, CoseLimit.SIG_STRUCTURE_BYTES_MAX);
  writer.array(4);
  writer.text(SIGNATURE1, 10);
  protectedString(protectedPtr, protectedLen);
}

/** Starts the Sig_structure of one signature of a COSE_Sign. */
export function sigStructureSign(bodyPtr: usize, bodyLen: i32, signPtr: usize, signLen: i32): void {
  writer.begin(scratch, CoseLimit.SIG_STRUCTURE_BYTES_MAX);
  writer.array(5);
  writer.text(SIGNATURE, 9);
  protectedString(bodyPtr, bodyLen);
  protectedString(signPtr, signLen);
}

/** Ends it, and checks the signature over it: 0 if it holds (`ed25519ResidueKnown`). */
export function sigStructureResidue(
  aad: usize,
  aadLen: i32,
  payload: usize,
  payloadLen: i32,
  signature: usize,
  publicKey: usize,
): u32 {
  writer.bytes(aad, aadLen);
  writer.bytes(payload, payloadLen);
  const len = writer.finish();
  return len < 0 ? RESIDUE_NONE : ed25519ResidueKnown(signature, scratch, len, publicKey);
}

/** Ends it, for the signer: its length at `sigStructure()`, or -1 if it is too long. */
export function sigStructureEnd(aad: usize, aadLen: i32, payload: usize, payloadLen: i32): i32 {
  writer.bytes(aad, aadLen);
  writer.bytes(payload, payloadLen);
  return writer.finish();
}

export function sigStructure(): usize {
  return scratch;
}

/** Section 4.4: a header without parameters is signed as the empty string, however it was sent. */
function protectedString(ptr: usize, len: i32): void {
  if (len == 1 && load<u8>(ptr) == 0xa0) len = 0;
  writer.bytes(ptr, len);
}
