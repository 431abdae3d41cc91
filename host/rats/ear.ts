/**
 * The attestation result (EAR, draft-ietf-rats-ear section 3) as a CWT: what a verifier concluded from one evidence, in
 * words that other relying parties know. The claims are kept unsigned with the license they led to, so they are short,
 * and signed when somebody asks for them. Other readers must be able to check that signature: so it is a plain CWT, a
 * COSE_Sign1 without external AAD (RFC 8392 section 7.1). CDDL: docs/protocol.md; the table of claims: docs/rats.md.
 */
import { Claim } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { Claims, encodeClaims } from "../objects/claims.ts";
import type { CborValue } from "../protocol/cbor.ts";
import { type Signer, signSign1, type VerificationKey, verifySign1 } from "../protocol/cose.ts";
import type { Purpose } from "../verifier/appraisal.ts";
import type { VerifierErrorCode } from "../verifier/errors.ts";
import { concluded } from "./appraisal-claims.ts";
import { TIERS, type Tier, type TrustVector, VECTOR_CLAIMS, type VectorClaim, worstTier } from "./ar4si.ts";

/** The profile of the draft that these shapes follow. */
const EAR_PROFILE = "tag:ietf.org,2026:rats/ear#03";

/** How this verifier labels its one attester. */
export const GOVERNOR = "governor";

/** RFC 9711 section 4.2.18. */
const SUBMODS = 266;

/** Suggested to IANA by the draft, section "New EAT Claims". */
const STATUS = 1000;
const VECTOR = 1001;
const POLICY_IDS = 1003;
const VERIFIER_ID = 1004;

const DEVELOPER = 0;
const BUILD = 1;

const TEXT_BYTES_MAX = 128;
const POLICY_IDS_MAX = 8;
const SUBMODS_MAX = 16;
/** More than there are: a newer verifier may have further ones. */
const STEPS_MAX = 64;

const PURPOSES: readonly Purpose[] = ["license", "recovery"];
const NO_AAD = new Uint8Array(0);

/** What was concluded from evidence of one attester. The last four are claims of this project. */
export interface EarAppraisal {
  readonly status: Tier;
  readonly vector: TrustVector;
  /** What it was judged by, first applied first. */
  readonly policyIds?: readonly string[];
  /** The evidence's own, and whose it says it is. */
  readonly nonce?: Uint8Array;
  readonly ueid?: Uint8Array;
  /** SHA-256 of the evidence. */
  readonly evidenceDigest?: Uint8Array;
  readonly purpose?: Purpose;
  /** Numbers of the steps that held, in order; `stepName` tells what each was. */
  readonly steps?: readonly number[];
  /** The code that it was refused with; absent: it was good. */
  readonly refusal?: string;
}

export interface Ear {
  readonly issuedAtSeconds: number;
  readonly verifier: { readonly developer: string; readonly build: string };
  /** By the label of the attester; here `governor`. */
  readonly submods: ReadonlyMap<string, EarAppraisal>;
}

/** What there is to say of evidence once it was judged. */
export interface Judged {
  readonly evidenceDigest: Uint8Array;
  readonly purpose: Purpose;
  /** Of evidence that could be read. */
  readonly ueid?: Uint8Array;
  readonly nonce?: Uint8Array;
  /** Any code of the verifier: one that is about what was asked for (`license/over-cap`) is kept, and lowers nothing. */
  readonly refusal?: VerifierErrorCode;
  readonly policyIds?: readonly string[];
}

/** The result of an appraisal. */
export function earOf(judged: Judged, verifier: Ear["verifier"], issuedAtSeconds: number): Ear {
  const appraisal = { ...judged, ...concluded(judged.purpose, judged.refusal) };
  return { issuedAtSeconds, verifier, submods: new Map([[GOVERNOR, appraisal]]) };
}

/** The claims, unsigned. Throws a `Refusal` for what `decodeEar` would refuse. */
export function encodeEar({ issuedAtSeconds, verifier, submods }: Ear): Uint8Array {
  return encodeClaims(
    [
      [Claim.ISSUED_AT, issuedAtSeconds],
      [Claim.PROFILE, EAR_PROFILE],
      [SUBMODS, new Map([...submods].map(([label, appraisal]) => [label, appraisalValue(appraisal)]))],
      [
        VERIFIER_ID,
        new Map([
          [DEVELOPER, verifier.developer],
          [BUILD, verifier.build],
        ]),
      ],
    ],
    decodeEar,
  );
}

/**
 * Throws a `Refusal` (`CBOR_TYPE`). Claims that are not known here are passed over, as the draft asks (section 4); one
 * that is known must be right, and a status must not be better than the worst claim.
 */
export function decodeEar(payload: Uint8Array): Ear {
  // The annotation is what lets the compiler see that `refuse` does not return.
  const claims: Claims = Claims.ofPayload(payload, ErrorCode.CBOR_TYPE, "attestation result");
  claims.constant(Claim.PROFILE, EAR_PROFILE);
  const verifier = claims.map(VERIFIER_ID);
  const submods = claims.value(SUBMODS);
  if (!(submods instanceof Map) || submods.size < 1 || submods.size > SUBMODS_MAX) {
    claims.refuse(`the submods are no map of 1 to ${SUBMODS_MAX}`);
  }
  return {
    issuedAtSeconds: claims.seconds(Claim.ISSUED_AT),
    verifier: { developer: verifier.text(DEVELOPER, TEXT_BYTES_MAX), build: verifier.text(BUILD, TEXT_BYTES_MAX) },
    submods: new Map(
      [...submods].map(([label, value]): [string, EarAppraisal] => {
        if (typeof label !== "string") claims.refuse("a submod's label is no text");
        return [label, readAppraisal(claims.nested(value))];
      }),
    ),
  };
}

/** Signs claims that `encodeEar` gave. */
export function signEar(payload: Uint8Array, verifier: Signer): Uint8Array {
  return signSign1(payload, verifier, NO_AAD);
}

export function verifyEar(bytes: Uint8Array, verifierKey: VerificationKey): Ear {
  return decodeEar(verifySign1(bytes, verifierKey, NO_AAD).payload);
}

function appraisalValue(appraisal: EarAppraisal): CborValue {
  const { status, vector, purpose, steps, refusal } = appraisal;
  const entries: readonly (readonly [number, CborValue | undefined])[] = [
    [Claim.NONCE, appraisal.nonce],
    [Claim.UEID, appraisal.ueid],
    [STATUS, TIERS[status]],
    // A vector without claims is left out: the draft's CDDL has no empty one.
    [
      VECTOR,
      vector.size === 0
        ? undefined
        : new Map([...vector].map(([claim, value]) => [VECTOR_CLAIMS.indexOf(claim), value])),
    ],
    [POLICY_IDS, appraisal.policyIds?.length === 0 ? undefined : appraisal.policyIds],
    [Claim.EVIDENCE_DIGEST, appraisal.evidenceDigest],
    [Claim.PURPOSE, purpose && PURPOSES.indexOf(purpose) + 1],
    [Claim.STEPS, steps],
    [Claim.REFUSAL, refusal],
  ];
  return new Map(entries.filter(([, value]) => value !== undefined) as [number, CborValue][]);
}

function readAppraisal(claims: Claims): EarAppraisal {
  const value = claims.u32(STATUS);
  const status = (Object.keys(TIERS) as Tier[]).find((tier) => TIERS[tier] === value);
  if (status === undefined) claims.refuse(`${value} is no tier`);
  const vector = claims.optional(VECTOR, (label) => readVector(claims, label)) ?? new Map<VectorClaim, number>();
  if (TIERS[status] < TIERS[worstTier(vector)]) claims.refuse("the status is better than the worst claim");
  return {
    status,
    vector,
    policyIds: claims.optional(POLICY_IDS, (label) =>
      claims.list(label, 1, POLICY_IDS_MAX, (items, index) => items.text(index, TEXT_BYTES_MAX)),
    ),
    nonce: claims.optional(Claim.NONCE, (label) => claims.bytes(label, Limit.NONCE_BYTES_MIN, Limit.NONCE_BYTES_MAX)),
    ueid: claims.optional(Claim.UEID, (label) => claims.ueid(label)),
    evidenceDigest: claims.optional(Claim.EVIDENCE_DIGEST, (label) => claims.digest(label)),
    purpose: claims.optional(Claim.PURPOSE, (label) => {
      const purpose = PURPOSES[claims.u32(label, PURPOSES.length) - 1];
      return purpose ?? claims.refuse("the purpose is none");
    }),
    steps: claims.optional(Claim.STEPS, (label) =>
      claims.list(label, 0, STEPS_MAX, (items, index) => items.u32(index)),
    ),
    refusal: claims.optional(Claim.REFUSAL, (label) => claims.text(label, TEXT_BYTES_MAX)),
  };
}

function readVector(claims: Claims, label: number): TrustVector {
  const entries = claims.map(label);
  const vector = new Map<VectorClaim, number>();
  VECTOR_CLAIMS.forEach((claim, key) => {
    if (!entries.has(key)) return;
    const value = entries.value(key);
    if (typeof value !== "number" || value < -128 || value > 127) claims.refuse(`${claim} is not a signed byte`);
    vector.set(claim, value);
  });
  entries.end();
  return vector;
}
