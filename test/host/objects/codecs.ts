/** Every kind of object with its codec, its code, and any one of its kind. */
import type fc from "fast-check";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { decodeAgreement, encodeAgreement } from "../../../host/objects/agreement.ts";
import {
  decodeCertificate,
  decodeEndorsement,
  encodeCertificate,
  encodeEndorsement,
} from "../../../host/objects/endorsement.ts";
import { decodeEvidence, encodeEvidence } from "../../../host/objects/evidence.ts";
import { decodeLicense, encodeLicense } from "../../../host/objects/license.ts";
import { decodeLicenseRequest, encodeLicenseRequest } from "../../../host/objects/license-request.ts";
import { decodeOrder, encodeOrder } from "../../../host/objects/order.ts";
import { decodeRecovery, encodeRecovery } from "../../../host/objects/recovery.ts";
import { decodeTime, encodeTime, type TimeStatement } from "../../../host/objects/time.ts";
import { decodeUsageReport, encodeUsageReport } from "../../../host/objects/usage-report.ts";
import * as any from "./arbitrary.ts";

export interface Codec {
  readonly name: string;
  readonly any: fc.Arbitrary<unknown>;
  readonly encode: (object: never) => Uint8Array;
  readonly decode: (payload: Uint8Array) => unknown;
  readonly code: ErrorCode;
  /** Claims that may be left out. */
  readonly optional: readonly number[];
}

const encodeBeacon = (time: TimeStatement) => encodeTime(ObjectType.BEACON, time);
const decodeBeacon = (payload: Uint8Array) => decodeTime(ObjectType.BEACON, payload);
const encodeTimeProof = (time: TimeStatement) => encodeTime(ObjectType.TIME_PROOF, time);
const decodeTimeProof = (payload: Uint8Array) => decodeTime(ObjectType.TIME_PROOF, payload);

// biome-ignore format: a table
export const CODECS: readonly Codec[] = [
  { name: "agreement", any: any.anyAgreement, encode: encodeAgreement, decode: decodeAgreement, code: ErrorCode.AGREEMENT_CLAIM, optional: [15, 18] },
  { name: "license", any: any.anyLicense, encode: encodeLicense, decode: decodeLicense, code: ErrorCode.LICENSE_CLAIM, optional: [10, -75004, -75006] },
  { name: "order", any: any.anyOrder, encode: encodeOrder, decode: decodeOrder, code: ErrorCode.ORDER_CLAIM, optional: [-75006, -75010, -75011] },
  { name: "beacon", any: any.anyBeacon, encode: encodeBeacon, decode: decodeBeacon, code: ErrorCode.TIME_CLAIM, optional: [] },
  { name: "time proof", any: any.anyTimeProof, encode: encodeTimeProof, decode: decodeTimeProof, code: ErrorCode.TIME_CLAIM, optional: [] },
  { name: "endorsement", any: any.anyEndorsement, encode: encodeEndorsement, decode: decodeEndorsement, code: ErrorCode.CBOR_TYPE, optional: [] },
  { name: "certificate", any: any.anyCertificate, encode: encodeCertificate, decode: decodeCertificate, code: ErrorCode.CBOR_TYPE, optional: [] },
  { name: "evidence", any: any.anyEvidence, encode: encodeEvidence, decode: decodeEvidence, code: ErrorCode.CBOR_TYPE, optional: [-75037] },
  { name: "usage report", any: any.anyUsageReport, encode: encodeUsageReport, decode: decodeUsageReport, code: ErrorCode.CBOR_TYPE, optional: [] },
  { name: "license request", any: any.anyLicenseCall, encode: encodeLicenseRequest, decode: decodeLicenseRequest, code: ErrorCode.CBOR_TYPE, optional: [2, 3, 4] },
  { name: "recovery", any: any.anyRecovery, encode: encodeRecovery, decode: decodeRecovery, code: ErrorCode.RECOVERY_CLAIM, optional: [] },
];
