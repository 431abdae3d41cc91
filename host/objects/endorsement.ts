/**
 * Who a device is: the manufacturer's endorsement of the device key, and the device key's certificate of the attestation
 * key, which the boot ROM writes anew for every governor image. Both are CWTs with a confirmation key (RFC 8747).
 */
import { Claim, ObjectType } from "../../firmware/protocol/claims.ts";
import { CoseKey, CoseKeyValue } from "../../firmware/protocol/cose-labels.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { CborValue } from "../protocol/cbor.ts";
import { type Signer, signSign1, type VerificationKey, verifySign1 } from "../protocol/cose.ts";
import { sha256 } from "../protocol/sha256.ts";
import { objectAad } from "./aad.ts";
import { Claims, encodeClaims } from "./claims.ts";
import { measurementValue, readMeasurement } from "./measurement.ts";

/** Which kind of hardware it is, RFC 9711 section 4.2. */
export interface HardwareModel {
  /** IEEE OUI, 3 bytes. */
  readonly oemId: Uint8Array;
  /** 8 bytes. */
  readonly hardwareModel: Uint8Array;
  /** 4 bytes of UTF-8. */
  readonly hardwareVersion: string;
}

/** By the manufacturer: this device key belongs to this UEID and this kind of hardware. */
export interface Endorsement extends HardwareModel {
  readonly devicePublicKey: Uint8Array;
  readonly ueid: Uint8Array;
}

/** By the device key: this attestation key belongs to a governor image of this measurement, on this device. */
export interface AttestationCertificate {
  readonly attestationPublicKey: Uint8Array;
  readonly ueid: Uint8Array;
  /** SHA-256 of the governor image. */
  readonly measurement: Uint8Array;
}

const UEID_TYPE_RAND = 1;
/** The confirmation method `COSE_Key`, RFC 8747 section 3.1. */
const CONFIRMATION_KEY = 1;
const HARDWARE_MODEL_BYTES = 8;
const HARDWARE_VERSION_BYTES = 4;
const OEM_ID_BYTES = 3;

const ENDORSEMENT_AAD = objectAad(ObjectType.ENDORSEMENT);
const CERTIFICATE_AAD = objectAad(ObjectType.ATTESTATION_KEY);

/** RFC 9711 section 4.2.1: type RAND, and the SHA-256 of the device public key. */
export function ueidOf(devicePublicKey: Uint8Array): Uint8Array {
  return Uint8Array.of(UEID_TYPE_RAND, ...sha256(devicePublicKey));
}

export function encodeEndorsement(endorsement: Endorsement): Uint8Array {
  return encodeClaims(
    [
      [Claim.CONFIRMATION, confirmationValue(endorsement.devicePublicKey)],
      [Claim.UEID, endorsement.ueid],
      ...hardwareEntries(endorsement),
    ],
    decodeEndorsement,
  );
}

/** Throws a `Refusal` (`CBOR_TYPE`): no governor reads endorsements, so they have no code of their own. */
export function decodeEndorsement(payload: Uint8Array): Endorsement {
  const claims = Claims.ofPayload(payload, ErrorCode.CBOR_TYPE, "endorsement");
  const endorsement: Endorsement = {
    devicePublicKey: readConfirmation(claims),
    ueid: claims.ueid(Claim.UEID),
    ...readHardware(claims),
  };
  claims.end();
  return endorsement;
}

export function signEndorsement(endorsement: Endorsement, manufacturer: Signer): Uint8Array {
  return signSign1(encodeEndorsement(endorsement), manufacturer, ENDORSEMENT_AAD);
}

export function verifyEndorsement(bytes: Uint8Array, manufacturer: VerificationKey): Endorsement {
  return decodeEndorsement(verifySign1(bytes, manufacturer, ENDORSEMENT_AAD).payload);
}

export function encodeCertificate(certificate: AttestationCertificate): Uint8Array {
  return encodeClaims(
    [
      [Claim.CONFIRMATION, confirmationValue(certificate.attestationPublicKey)],
      [Claim.UEID, certificate.ueid],
      [Claim.MEASUREMENTS, measurementValue(certificate.measurement)],
    ],
    decodeCertificate,
  );
}

/** Throws a `Refusal` (`CBOR_TYPE`). */
export function decodeCertificate(payload: Uint8Array): AttestationCertificate {
  const claims = Claims.ofPayload(payload, ErrorCode.CBOR_TYPE, "certificate");
  const certificate: AttestationCertificate = {
    attestationPublicKey: readConfirmation(claims),
    ueid: claims.ueid(Claim.UEID),
    measurement: readMeasurement(claims),
  };
  claims.end();
  return certificate;
}

export function signCertificate(certificate: AttestationCertificate, device: Signer): Uint8Array {
  return signSign1(encodeCertificate(certificate), device, CERTIFICATE_AAD);
}

export function verifyCertificate(bytes: Uint8Array, device: VerificationKey): AttestationCertificate {
  return decodeCertificate(verifySign1(bytes, device, CERTIFICATE_AAD).payload);
}

/** The claims that name the kind of hardware, in an endorsement and in evidence. */
export function hardwareEntries(model: HardwareModel): (readonly [number, CborValue])[] {
  return [
    [Claim.OEM_ID, model.oemId],
    [Claim.HARDWARE_MODEL, model.hardwareModel],
    [Claim.HARDWARE_VERSION, [model.hardwareVersion]],
  ];
}

export function readHardware(claims: Claims): HardwareModel {
  const oemId = claims.bytes(Claim.OEM_ID, OEM_ID_BYTES);
  const hardwareModel = claims.bytes(Claim.HARDWARE_MODEL, HARDWARE_MODEL_BYTES);
  const hardwareVersion = claims.array(Claim.HARDWARE_VERSION, 1).text(0, HARDWARE_VERSION_BYTES);
  if (Buffer.byteLength(hardwareVersion) !== HARDWARE_VERSION_BYTES) claims.refuse("the version is not 4 bytes");
  return { oemId, hardwareModel, hardwareVersion };
}

/** A COSE_Key for Ed25519, RFC 9053 section 7.2 and RFC 8037. */
function confirmationValue(publicKey: Uint8Array): CborValue {
  const key = new Map<number, CborValue>([
    [CoseKey.KTY, CoseKeyValue.KTY_OKP],
    [CoseKey.CRV, CoseKeyValue.CRV_ED25519],
    [CoseKey.X, publicKey],
  ]);
  return new Map([[CONFIRMATION_KEY, key]]);
}

function readConfirmation(claims: Claims): Uint8Array {
  const confirmation = claims.map(Claim.CONFIRMATION);
  const key = confirmation.map(CONFIRMATION_KEY);
  confirmation.end();
  key.constant(CoseKey.KTY, CoseKeyValue.KTY_OKP);
  key.constant(CoseKey.CRV, CoseKeyValue.CRV_ED25519);
  const publicKey = key.bytes(CoseKey.X, Limit.PUBLIC_KEY_BYTES);
  key.end();
  return publicKey;
}
