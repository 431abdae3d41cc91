/** The measurements claim (RFC 9711 section 4.2.16): `[[60, << [-16, digest] >>]]`, SHA-256 of the governor image. */
import { Reader } from "../cbor/reader";
import { Writer } from "../cbor/writer";
import { Limit } from "../protocol/limits";
import { MEASUREMENT } from "../state";
import { claimMisfit, claims } from "./claims";

/** Media type application/cbor as a CoAP content format, RFC 8949 section 9.4. */
const CONTENT_FORMAT_CBOR: u64 = 60;
/** SHA-256 as a COSE algorithm, RFC 9054. */
const ALGORITHM_SHA256: i64 = -16;
/** Array head, -16, head and bytes of the digest. */
const INNER_BYTES: i32 = 36;

const inner = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

export function writeMeasurements(writer: Writer): void {
  writer.array(1);
  writer.array(2);
  writer.uint(CONTENT_FORMAT_CBOR);
  writer.bytesHead(INNER_BYTES);
  writer.array(2);
  writer.int(ALGORITHM_SHA256);
  writer.bytes(MEASUREMENT, Limit.DIGEST_BYTES);
}

/** Reads the claim's value; the address of the digest. */
export function readMeasurements(): usize {
  if (claims.array() != 1 || claims.array() != 2 || claims.uint() != CONTENT_FORMAT_CBOR) claimMisfit();
  const bytes = claims.bytesOf(INNER_BYTES);
  inner.begin(bytes, claims.length);
  if (inner.array() != 2 || inner.int() != ALGORITHM_SHA256) claimMisfit();
  const digest = inner.bytesOf(Limit.DIGEST_BYTES);
  if (inner.finish() != 0) claimMisfit();
  return digest;
}
