/**
 * Endorsements say that a key belongs to a device (docs/protocol.md). The manufacturer's names the device key and is the
 * verifier's to judge; the one that reaches the governor is the boot ROM's, by the device key over the attestation key.
 *
 * Steps: signature by the device key → the attestation key is ours → the UEID is the device key's → measurement.
 */

import { keyIdOf } from "../cose/key-id";
import { CoseSign1, coseSign1Accept } from "../cose/sign1";
import { equalBytes } from "../crypto/equal";
import { sha256 } from "../crypto/sha256";
import { Claim, ObjectType } from "../protocol/claims";
import { CoseKey, CoseKeyValue } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { ATTESTATION_KEY, KEY_BYTES, MEASUREMENT, UEID } from "../state";
import { AAD_BYTES, aadOf, claimMisfit, claimMust, claims, claimsBegin, claimsEnd } from "./claims";
import { readMeasurements } from "./measurements";

/** First byte of a UEID of random type, RFC 9711 section 4.2.1. */
const UEID_RAND: u8 = 0x01;

const message = changetype<CoseSign1>(memory.data(offsetof<CoseSign1>(), 8));
const deviceKey: usize = memory.data(40, 8);
const deviceDigest: usize = memory.data(32, 8);

/** Reads the certificate of our own attestation key. Anything that does not fit is BOOT_HANDOFF. */
export function readAttestationCertificate(ptr: usize, length: i32, devicePublicKey: usize): i32 {
  keyIdOf(devicePublicKey, deviceKey);
  memory.copy(deviceKey + Limit.KID_BYTES, devicePublicKey, KEY_BYTES - Limit.KID_BYTES);
  const aad = aadOf(ObjectType.ATTESTATION_KEY);
  if (coseSign1Accept(ptr, length, deviceKey, aad, AAD_BYTES, message) != ErrorCode.OK) return ErrorCode.BOOT_HANDOFF;
  claimsBegin(message.payload, message.payloadLen);
  claimMust(Claim.CONFIRMATION);
  const key = readConfirmation();
  claimMust(Claim.UEID);
  const ueid = claims.bytesOf(Limit.UEID_BYTES);
  claimMust(Claim.MEASUREMENTS);
  const measurement = readMeasurements();
  if (claimsEnd(ErrorCode.BOOT_HANDOFF) != ErrorCode.OK) return ErrorCode.BOOT_HANDOFF;
  sha256(devicePublicKey, Limit.PUBLIC_KEY_BYTES, deviceDigest);
  const fits =
    equalBytes(key, ATTESTATION_KEY, Limit.PUBLIC_KEY_BYTES) &
    equalBytes(ueid, UEID, Limit.UEID_BYTES) &
    equalBytes(measurement, MEASUREMENT, Limit.DIGEST_BYTES) &
    equalBytes(UEID + 1, deviceDigest, Limit.DIGEST_BYTES);
  return fits != 0 && load<u8>(UEID) == UEID_RAND ? ErrorCode.OK : ErrorCode.BOOT_HANDOFF;
}

/** `{1: COSE_Key}` (RFC 8747 section 3.2); the address of the public key. */
function readConfirmation(): usize {
  if (claims.map() != 1 || claims.uint() != 1) claimMisfit();
  if (claims.map() != 3) claimMisfit();
  if (claims.int() != CoseKey.KTY || claims.int() != CoseKeyValue.KTY_OKP) claimMisfit();
  if (claims.int() != CoseKey.CRV || claims.int() != CoseKeyValue.CRV_ED25519) claimMisfit();
  if (claims.int() != CoseKey.X) claimMisfit();
  return claims.bytesOf(Limit.PUBLIC_KEY_BYTES);
}
