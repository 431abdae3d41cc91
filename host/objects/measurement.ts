/** The measurements claim (RFC 9711 section 4.2.16) as the boot ROM writes it: SHA-256 of one image. */
import { Claim } from "../../firmware/protocol/claims.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborValue, decode, encode } from "../protocol/cbor.ts";
import type { Claims } from "./claims.ts";

/** CoAP content format of application/cbor, RFC 8949 section 9.1. */
const CONTENT_FORMAT_CBOR = 60;
/** SHA-256 in the COSE algorithms registry, RFC 9054 section 2.1. */
const ALGORITHM_SHA256 = -16;

export function measurementValue(digest: Uint8Array): CborValue {
  return [[CONTENT_FORMAT_CBOR, encode([ALGORITHM_SHA256, digest])]];
}

/** The digest of the one image that is measured. */
export function readMeasurement(claims: Claims): Uint8Array {
  const measurement = claims.array(Claim.MEASUREMENTS, 1).array(0, 2);
  if (measurement.u32(0) !== CONTENT_FORMAT_CBOR) claims.refuse("the measurement is not application/cbor");
  const parts = claims.nested(decode(measurement.bytes(1, 0, Limit.MESSAGE_BYTES_MAX)));
  if (parts.value(0) !== ALGORITHM_SHA256) claims.refuse("the measurement is not SHA-256");
  const digest = parts.digest(1);
  parts.end();
  return digest;
}
