/**
 * The header parameters of one COSE layer (RFC 9052 section 3): protected and unprotected, read together.
 *
 * Both are sorted maps, so one merged walk meets every label once, in order, and sees a label that is in both. The
 * first violation met in that walk is the code. Then, for a signature: the algorithm must have been there.
 * `host/protocol/cose-headers.ts` is the same walk.
 */
import { cborCheck, cborCompare } from "../cbor/check";
import { Reader } from "../cbor/reader";
import { CoseAlgorithm, CoseFlag, CoseHeader } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";

@unmanaged
@final
export class CoseHeaders {
  /** Address of the key id, or 0 if there was none. */
  kid: usize;
  kidLen: i32;
  /** Whether an algorithm that we verify stood in the protected header. */
  algorithm: bool;
}

const guarded = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const open = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/**
 * Reads the content of a protected header and the map of an unprotected one, which has passed `cborCheck`.
 * `signed` says that the layer carries a signature: then it needs an algorithm, else (the body of a COSE_Sign) the
 * strict profile has no parameter at all. Returns an error code.
 */
export function coseHeaders(
  protectedPtr: usize,
  protectedLen: i32,
  unprotectedPtr: usize,
  unprotectedLen: i32,
  signed: bool,
  flags: i32,
  out: CoseHeaders,
): i32 {
  out.kid = 0;
  out.kidLen = 0;
  out.algorithm = false;
  // A protected header without parameters is an empty string (section 3), or, from others, an empty map in one.
  if (protectedLen > 0) {
    const code = cborCheck(protectedPtr, protectedLen);
    if (code != ErrorCode.OK) return code;
    if (load<u8>(protectedPtr) >> 5 != 5) return ErrorCode.COSE_FORM;
    if (protectedLen == 1 && flags == CoseFlag.STRICT) return ErrorCode.COSE_FORM;
  }
  guarded.begin(protectedPtr, protectedLen);
  if (protectedLen > 0) guarded.map();
  open.begin(unprotectedPtr, unprotectedLen);
  if (open.peek() != 5) return ErrorCode.COSE_FORM;
  open.map();

  while (!guarded.atEnd() || !open.atEnd()) {
    if (!isLabel(guarded.peek()) || !isLabel(open.peek())) return ErrorCode.COSE_HEADER;
    const order = next();
    if (order == 0) return ErrorCode.COSE_HEADER_TWICE;
    const code = parameter(order < 0 ? guarded : open, order < 0, signed, flags, out);
    if (code != ErrorCode.OK) return code;
  }
  if (!signed) return ErrorCode.OK;
  if (!out.algorithm) return ErrorCode.COSE_ALGORITHM;
  if (out.kid == 0 && flags == CoseFlag.STRICT) return ErrorCode.COSE_KID;
  return ErrorCode.OK;
}

/** A label is an integer or a text; -1 stands for no label left. */
function isLabel(major: i32): bool {
  return major < 2 || major == 3;
}

/** Below 0 if the protected header has the next label, above 0 if the unprotected one has, 0 if both have it. */
function next(): i32 {
  if (guarded.atEnd()) return 1;
  if (open.atEnd()) return -1;
  const left = guarded.at;
  const right = open.at;
  guarded.skip();
  open.skip();
  const order = cborCompare(left, guarded.at - left, right, open.at - right);
  guarded.at = left;
  open.at = right;
  return order;
}

/** One parameter, label and value. */
function parameter(reader: Reader, isProtected: bool, signed: bool, flags: i32, out: CoseHeaders): i32 {
  if (reader.peek() == 3) {
    if (flags == CoseFlag.STRICT) return ErrorCode.COSE_HEADER;
    reader.skip();
    reader.skip();
    return reader.error;
  }
  // A label beyond 63 bits is none that we know.
  const wide = (load<u8>(reader.at) & 31) == 27;
  const label: i64 = wide ? i64.MAX_VALUE : reader.int();
  if (wide) reader.skip();

  if (label == CoseHeader.CRITICAL) return ErrorCode.COSE_CRITICAL;
  if (signed && label == CoseHeader.ALGORITHM) {
    if (!isProtected || !isOurs(reader, flags)) return ErrorCode.COSE_ALGORITHM;
    out.algorithm = true;
    return reader.error;
  }
  if (signed && label == CoseHeader.KID) {
    if (reader.peek() != 2) return ErrorCode.COSE_KID;
    out.kid = reader.bytes();
    out.kidLen = reader.length;
    if (flags == CoseFlag.STRICT && (isProtected || out.kidLen != Limit.KID_BYTES)) return ErrorCode.COSE_KID;
    return reader.error;
  }
  if (flags == CoseFlag.STRICT) return ErrorCode.COSE_HEADER;
  reader.skip();
  return reader.error;
}

function isOurs(reader: Reader, flags: i32): bool {
  if (reader.peek() != 1 || (load<u8>(reader.at) & 31) == 27) return false;
  const algorithm = reader.int();
  if (algorithm == CoseAlgorithm.ED25519) return true;
  return flags == CoseFlag.TOLERANT && algorithm == CoseAlgorithm.EDDSA;
}
