/**
 * COSE_Sign (RFC 9052 section 4.1): several signers of one payload, each with a signature of its own.
 *
 *   98([h'', {}, payload, [[<<{1: -19}>>, {4: kid}, signature], ...]])
 *
 * `quorum.ts` decides whether they are enough.
 */
import { Reader } from "../cbor/reader";
import { CoseTag } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { CoseHeaders, coseHeaders } from "./headers";
import { CoseLayer, coseBegin, coseLayer } from "./layer";
import { sigStructureResidue, sigStructureSign } from "./sig-structure";

@unmanaged
@final
export class CoseSign {
  bodyProtectedPtr: usize;
  bodyProtectedLen: i32;
  payload: usize;
  payloadLen: i32;
  /** Number of signatures in the message, at least 1. */
  count: i32;
  flags: i32;
  /** Where the next signature is, and the end of the message. */
  at: usize;
  end: usize;
  /** Set by `coseSignQuorum`: bit i for key i of its keys. */
  signers: u32;
  /** Set by `coseSignQuorum`: CoseProof.MAGIC only if the signature checks themselves gave it. */
  proof: u32;
}

@unmanaged
@final
export class CoseSignature {
  protectedPtr: usize;
  protectedLen: i32;
  /** 0 if there was none (tolerant reading only). */
  kid: usize;
  kidLen: i32;
  /** 64 bytes. */
  signature: usize;
}

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const layer = changetype<CoseLayer>(memory.data(offsetof<CoseLayer>(), 8));
const headers = changetype<CoseHeaders>(memory.data(offsetof<CoseHeaders>(), 8));

/** Takes a message apart up to its signatures. `out` points into the message. Returns an error code. */
export function coseSignParse(ptr: usize, len: i32, out: CoseSign, flags: i32): i32 {
  out.signers = 0;
  out.proof = 0;
  out.count = 0;
  let code = coseBegin(reader, ptr, len, CoseTag.SIGN, flags, layer);
  if (code != ErrorCode.OK) return code;
  out.bodyProtectedPtr = layer.protectedPtr;
  out.bodyProtectedLen = layer.protectedLen;
  out.payload = reader.bytes();
  out.payloadLen = reader.length;
  if (reader.peek() != 4) return ErrorCode.COSE_FORM;
  const count = reader.array();
  if (count == 0) return ErrorCode.COSE_FORM;

  code = coseHeaders(
    layer.protectedPtr,
    layer.protectedLen,
    layer.unprotectedPtr,
    layer.unprotectedLen,
    false,
    flags,
    headers,
  );
  if (code != ErrorCode.OK) return code;
  out.count = count;
  out.flags = flags;
  out.at = reader.at;
  out.end = reader.end;
  return reader.error;
}

/** Reads the next signature of a parsed message; call it at most `count` times. Returns an error code. */
export function coseSignNext(message: CoseSign, out: CoseSignature): i32 {
  reader.begin(message.at, <i32>(message.end - message.at));
  if (reader.peek() != 4 || reader.array() != 3) return ErrorCode.COSE_FORM;
  let code = coseLayer(reader, layer);
  if (code != ErrorCode.OK) return code;
  out.protectedPtr = layer.protectedPtr;
  out.protectedLen = layer.protectedLen;
  if (reader.peek() != 2) return ErrorCode.COSE_FORM;
  out.signature = reader.bytes();
  const signatureLen = reader.length;
  message.at = reader.at;

  code = coseHeaders(
    layer.protectedPtr,
    layer.protectedLen,
    layer.unprotectedPtr,
    layer.unprotectedLen,
    true,
    message.flags,
    headers,
  );
  if (code != ErrorCode.OK) return code;
  out.kid = headers.kid;
  out.kidLen = headers.kidLen;
  return signatureLen == Limit.SIGNATURE_BYTES ? reader.error : ErrorCode.COSE_SIGNATURE;
}

/** 0 if this signature of the message holds under the 32-byte public key and this external AAD. */
export function coseSignatureResidue(
  message: CoseSign,
  signature: CoseSignature,
  publicKey: usize,
  aad: usize,
  aadLen: i32,
): u32 {
  sigStructureSign(message.bodyProtectedPtr, message.bodyProtectedLen, signature.protectedPtr, signature.protectedLen);
  return sigStructureResidue(aad, aadLen, message.payload, message.payloadLen, signature.signature, publicKey);
}
