/**
 * The boot ROM: immutable, tiny, and the only code that sees the device secret. It measures the governor's image,
 * derives what the governor may know (DICE: TCG "Hardware Requirements for a Device Identifier Composition Engine"),
 * certifies the attestation key with the device key, locks the secret away and hands over.
 *
 *     device key seed      = HKDF-SHA256(ikm: device secret, salt: -,           info: "quiesce/device-key")
 *     CDI                  = HKDF-SHA256(ikm: device secret, salt: measurement, info: "quiesce/cdi")
 *     attestation key seed = HKDF-SHA256(ikm: CDI,           salt: -,           info: "quiesce/attestation-key")
 *
 * A changed image has another measurement, hence another CDI, attestation key and sealing key.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { Fuse, Handoff } from "../firmware/protocol/board.ts";
import { Claim, ObjectType } from "../firmware/protocol/claims.ts";
import { CoseAlgorithm, CoseHeader, CoseKey, CoseKeyValue, CoseTag } from "../firmware/protocol/cose-labels.ts";
import { Limit } from "../firmware/protocol/limits.ts";
import { array, byteString, concat, head, integer, map, text } from "./cbor.ts";
import { derivedSeed, type KeyPair, keyPairOf } from "./key-pair.ts";
import type { Fuses } from "./parts/fuses.ts";

const SECRET_WORDS: number = Fuse.LIFECYCLE - Fuse.DEVICE_SECRET;
/** CoAP content format application/cbor and COSE algorithm SHA-256, as `measurements` has them. */
const CONTENT_FORMAT_CBOR = 60;
const COSE_SHA256 = -16;
/** RFC 9711 section 4.2.1: a UEID of type RAND begins with it. */
const UEID_RANDOM = 0x01;

export type DeviceIdentity = { keys: KeyPair; publicKey: Uint8Array; ueid: Uint8Array };

/** The device's own key and name, from the secret in its fuses. Depends on nothing that an update changes. */
export function deviceIdentity(secret: Uint8Array): DeviceIdentity {
  const seed = derivedSeed(secret, undefined, "quiesce/device-key");
  const keys = keyPairOf(seed);
  seed.fill(0);
  const { publicKey } = keys;
  return { keys, publicKey, ueid: concat(Uint8Array.of(UEID_RANDOM), sha256(publicKey)) };
}

/**
 * Everything up to the governor's first instruction. Reads the secret, locks it, and returns the hand-off
 * (`Handoff`, firmware/protocol/board.ts) for the mailbox.
 */
export function runBootRom(fuses: Fuses, measurement: Uint8Array): Uint8Array {
  const secret = new Uint8Array(SECRET_WORDS * 4);
  const words = new DataView(secret.buffer);
  for (let i = 0; i < SECRET_WORDS; i++) words.setUint32(i * 4, fuses.read(Fuse.DEVICE_SECRET + i), true);
  fuses.lockSecret();

  const device = deviceIdentity(secret);
  const cdi = derivedSeed(secret, measurement, "quiesce/cdi");
  secret.fill(0);
  const attestationSeed = derivedSeed(cdi, undefined, "quiesce/attestation-key");
  const certificate = attestationCertificate(device, keyPairOf(attestationSeed).publicKey, measurement);
  attestationSeed.fill(0);

  const handoff = new Uint8Array(Handoff.CERTIFICATE + certificate.length);
  handoff.set(cdi, Handoff.CDI);
  handoff.set(measurement, Handoff.MEASUREMENT);
  handoff.set(device.publicKey, Handoff.DEVICE_PUBLIC_KEY);
  handoff.set(device.ueid, Handoff.UEID);
  handoff.set(certificate, Handoff.CERTIFICATE);
  cdi.fill(0);
  return handoff;
}

/** An endorsement of type 2 (docs/protocol.md): this attestation key belongs to this device while it runs this image. */
function attestationCertificate(
  device: DeviceIdentity,
  attestationKey: Uint8Array,
  measurement: Uint8Array,
): Uint8Array {
  const digest = array(integer(COSE_SHA256), byteString(measurement));
  const payload = map(
    integer(Claim.CONFIRMATION),
    map(integer(1), coseKey(attestationKey)),
    integer(Claim.UEID),
    byteString(device.ueid),
    integer(Claim.MEASUREMENTS),
    array(array(integer(CONTENT_FORMAT_CBOR), byteString(digest))),
  );
  const protectedHeader = map(integer(CoseHeader.ALGORITHM), integer(CoseAlgorithm.ED25519));
  const aad = concat(utf8ToBytes("quiesce/1/"), Uint8Array.of(ObjectType.ATTESTATION_KEY));
  // RFC 9052 section 4.4.
  const toBeSigned = array(text("Signature1"), byteString(protectedHeader), byteString(aad), byteString(payload));
  const kid = sha256(coseKey(device.publicKey)).subarray(0, Limit.KID_BYTES);
  const signed = array(
    byteString(protectedHeader),
    map(integer(CoseHeader.KID), byteString(kid)),
    byteString(payload),
    byteString(device.keys.sign(toBeSigned)),
  );
  return concat(head(6, CoseTag.SIGN1), signed);
}

/** RFC 9053 section 7.1; with these members and no others it is also what RFC 9679 hashes. */
function coseKey(publicKey: Uint8Array): Uint8Array {
  return map(
    integer(CoseKey.KTY),
    integer(CoseKeyValue.KTY_OKP),
    integer(CoseKey.CRV),
    integer(CoseKeyValue.CRV_ED25519),
    integer(CoseKey.X),
    byteString(publicKey),
  );
}
