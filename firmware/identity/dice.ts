/**
 * Identity from the boot ROM's hand-off (DICE): the compound identifier, made of the device secret and of this image's
 * measurement, gives the attestation key and the sealing key. The governor never sees the device secret, and another
 * image gets other keys.
 */

import { keyIdOf } from "../cose/key-id";
import { ed25519PublicKey } from "../crypto/ed25519";
import { hkdfSha256 } from "../crypto/hkdf";
import { hmacSha256Ready } from "../crypto/hmac";
import { wipe } from "../crypto/wipe";
import { readAttestationCertificate } from "../objects/endorsement";
import { Handoff } from "../protocol/board";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import {
  ATTESTATION_KEY,
  ATTESTATION_KID,
  ATTESTATION_SEED,
  CERTIFICATE,
  MEASUREMENT,
  SEALING_KEY,
  session,
  UEID,
} from "../state";

// biome-ignore format: ASCII
const ATTESTATION_INFO: usize = memory.data<u8>([
  0x71, 0x75, 0x69, 0x65, 0x73, 0x63, 0x65, 0x2f, // quiesce/
  0x61, 0x74, 0x74, 0x65, 0x73, 0x74, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2d, 0x6b, 0x65, 0x79, // attestation-key
]);
// biome-ignore format: ASCII
const SEALING_INFO: usize = memory.data<u8>([
  0x71, 0x75, 0x69, 0x65, 0x73, 0x63, 0x65, 0x2f, // quiesce/
  0x73, 0x65, 0x61, 0x6c, 0x69, 0x6e, 0x67, 0x2d, 0x6b, 0x65, 0x79, // sealing-key
]);

const sealingKey: usize = memory.data(32, 8);

/**
 * Takes the hand-off of `length` bytes at `handoff` and wipes it. BOOT_HANDOFF if its certificate does not name the key
 * and the measurement that it came with.
 */
export function takeIdentity(handoff: usize, length: i32): i32 {
  const certificateBytes = length - <i32>Handoff.CERTIFICATE;
  if (certificateBytes < 1 || certificateBytes > Handoff.CERTIFICATE_BYTES_MAX) return ErrorCode.BOOT_HANDOFF;
  hkdfSha256(handoff + Handoff.CDI, 32, 0, 0, ATTESTATION_INFO, 23, ATTESTATION_SEED, 32);
  hkdfSha256(handoff + Handoff.CDI, 32, 0, 0, SEALING_INFO, 19, sealingKey, 32);
  hmacSha256Ready(sealingKey, 32, SEALING_KEY);
  wipe(sealingKey, 32);
  wipe(handoff + Handoff.CDI, 32);
  ed25519PublicKey(ATTESTATION_SEED, ATTESTATION_KEY);
  keyIdOf(ATTESTATION_KEY, ATTESTATION_KID);
  memory.copy(MEASUREMENT, handoff + Handoff.MEASUREMENT, Limit.DIGEST_BYTES);
  memory.copy(UEID, handoff + Handoff.UEID, Limit.UEID_BYTES);
  memory.copy(CERTIFICATE, handoff + Handoff.CERTIFICATE, <usize>certificateBytes);
  session.certificateBytes = <u8>certificateBytes;
  return readAttestationCertificate(CERTIFICATE, certificateBytes, handoff + Handoff.DEVICE_PUBLIC_KEY);
}
