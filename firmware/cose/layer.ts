/**
 * The two fields that every COSE structure and every signature in one begins with: `protected : bstr` and
 * `unprotected : map` (RFC 9052 section 3).
 */
import { cborCheck } from "../cbor/check";
import { Reader } from "../cbor/reader";
import { CoseFlag } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";

@unmanaged
@final
export class CoseLayer {
  /** Content of the protected header's byte string. */
  protectedPtr: usize;
  protectedLen: i32;
  /** The unprotected map, its head included. */
  unprotectedPtr: usize;
  unprotectedLen: i32;
}

/** Reads both; COSE_FORM if they aren't what they have to be. */
export function coseLayer(reader: Reader, out: CoseLayer): i32 {
  if (reader.peek() != 2) return ErrorCode.COSE_FORM;
  out.protectedPtr = reader.bytes();
  out.protectedLen = reader.length;
  if (reader.peek() != 5) return ErrorCode.COSE_FORM;
  out.unprotectedPtr = reader.at;
  reader.skip();
  out.unprotectedLen = <i32>(reader.at - out.unprotectedPtr);
  return ErrorCode.OK;
}

/**
 * The outermost of a message: its tag, and an array of four (section 2). Only the tolerant reading takes an untagged
 * message: without a tag it is its place that says what it is.
 */
function coseOpen(reader: Reader, tag: u64, tolerant: bool): i32 {
  if (reader.peek() == 6) {
    if (reader.tag() != tag) return ErrorCode.COSE_TAG;
  } else if (!tolerant) return ErrorCode.COSE_TAG;
  if (reader.peek() != 4 || reader.array() != 4) return ErrorCode.COSE_FORM;
  return ErrorCode.OK;
}

/**
 * The steps that every message begins with: its length, the CBOR profile, tag and form, the outer layer, and a payload,
 * which is next to be read.
 */
export function coseBegin(reader: Reader, ptr: usize, len: i32, tag: u64, flags: i32, out: CoseLayer): i32 {
  if (len > Limit.MESSAGE_BYTES_MAX) return ErrorCode.CBOR_LENGTH;
  let code = cborCheck(ptr, len);
  if (code != ErrorCode.OK) return code;
  reader.begin(ptr, len);
  code = coseOpen(reader, tag, flags == CoseFlag.TOLERANT);
  if (code != ErrorCode.OK) return code;
  code = coseLayer(reader, out);
  return code != ErrorCode.OK ? code : cosePayload(reader);
}

/** Checks that the payload is there: null means that it travels apart, which no object of ours does. */
function cosePayload(reader: Reader): i32 {
  if (reader.isNull()) return ErrorCode.COSE_PAYLOAD;
  return reader.peek() == 2 ? ErrorCode.OK : ErrorCode.COSE_FORM;
}
