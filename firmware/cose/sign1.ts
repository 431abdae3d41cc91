/**
 * COSE_Sign1 (RFC 9052 section 4.2): one signer.
 *
 *   18([<<{1: -19}>>, {4: kid}, payload, signature])
 *
 * The steps of reading one, each with its code: the whole message is one item of our CBOR profile; its tag and form;
 * a payload; the header parameters; the length of the signature. Then the kid is the expected one, then the signature.
 */
import { Reader } from "../cbor/reader";
import { CoseFlag, CoseProof, CoseTag } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { CoseHeaders, coseHeaders } from "./headers";
import { CoseLayer, coseBegin } from "./layer";
import { sigStructureResidue, sigStructureSign1 } from "./sig-structure";

@unmanaged
@final
export class CoseSign1 {
  protectedPtr: usize;
  protectedLen: i32;
  /** 0 if there was none (tolerant reading only). */
  kid: usize;
  kidLen: i32;
  payload: usize;
  payloadLen: i32;
  /** 64 bytes. */
  signature: usize;
  /** CoseProof.MAGIC only if the signature check itself gave it; see `coseSign1Accept`. */
  proof: u32;
}

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const layer = changetype<CoseLayer>(memory.data(offsetof<CoseLayer>(), 8));
const headers = changetype<CoseHeaders>(memory.data(offsetof<CoseHeaders>(), 8));
const own = changetype<CoseSign1>(memory.data(offsetof<CoseSign1>(), 8));

/** Takes a message apart without judging its signature. `out` points into the message. Returns an error code. */
export function coseSign1Parse(ptr: usize, len: i32, out: CoseSign1, flags: i32): i32 {
  out.proof = 0;
  let code = coseBegin(reader, ptr, len, CoseTag.SIGN1, flags, layer);
  if (code != ErrorCode.OK) return code;
  out.protectedPtr = layer.protectedPtr;
  out.protectedLen = layer.protectedLen;
  out.payload = reader.bytes();
  out.payloadLen = reader.length;
  if (reader.peek() != 2) return ErrorCode.COSE_FORM;
  out.signature = reader.bytes();
  const signatureLen = reader.length;

  code = coseHeaders(
    layer.protectedPtr,
    layer.protectedLen,
    layer.unprotectedPtr,
    layer.unprotectedLen,
    true,
    flags,
    headers,
  );
  if (code != ErrorCode.OK) return code;
  out.kid = headers.kid;
  out.kidLen = headers.kidLen;
  if (signatureLen != Limit.SIGNATURE_BYTES) return ErrorCode.COSE_SIGNATURE;
  return reader.finish();
}

/** 0 if the signature of a parsed message holds under the 32-byte public key and this external AAD. */
export function coseSign1Residue(message: CoseSign1, publicKey: usize, aad: usize, aadLen: i32): u32 {
  sigStructureSign1(message.protectedPtr, message.protectedLen);
  return sigStructureResidue(aad, aadLen, message.payload, message.payloadLen, message.signature, publicKey);
}

/** CoseProof.MAGIC for a residue of 0, and for no other. */
export function coseSign1Proof(residue: u32): u32 {
  return <u32>CoseProof.MAGIC ^ residue;
}

/**
 * The whole of it in the strict profile: parsed, from this key (8 bytes of kid, then 32 of public key), and signed.
 * Returns an error code, and apart from it leaves `out.proof`, which no branch makes: whoever opens something on the
 * strength of this message asks for both.
 */
export function coseSign1Accept(ptr: usize, len: i32, key: usize, aad: usize, aadLen: i32, out: CoseSign1): i32 {
  const code = coseSign1Parse(ptr, len, out, CoseFlag.STRICT);
  if (code != ErrorCode.OK) return code;
  const stranger = load<u64>(out.kid) ^ load<u64>(key);
  if (stranger != 0) return ErrorCode.COSE_KID;
  const residue = coseSign1Residue(out, key + Limit.KID_BYTES, aad, aadLen);
  out.proof = coseSign1Proof(residue | <u32>stranger | <u32>(stranger >> 32));
  return residue == 0 ? ErrorCode.OK : ErrorCode.COSE_SIGNATURE;
}

/**
 * For `primitives.wasm`: 1 if the message is signed by this key, else 0. Takes what others write too: untagged, -8,
 * further header parameters.
 */
export function coseSign1Verify(ptr: usize, len: i32, publicKey: usize, aad: usize, aadLen: i32): i32 {
  if (coseSign1Parse(ptr, len, own, CoseFlag.TOLERANT) != ErrorCode.OK) return 0;
  return coseSign1Residue(own, publicKey, aad, aadLen) == 0 ? 1 : 0;
}
