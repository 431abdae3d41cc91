/**
 * The trustworthiness vector (draft-ietf-rats-ar4si section 2.3): eight claims, one signed byte each, in four tiers.
 * The numbers of the claims are those of draft-ietf-rats-ear, section 3.
 */

/** By their keys in a vector. */
export const VECTOR_CLAIMS = [
  "instance-identity",
  "configuration",
  "executables",
  "file-system",
  "hardware",
  "runtime-opaque",
  "storage-opaque",
  "sourced-data",
] as const;
export type VectorClaim = (typeof VECTOR_CLAIMS)[number];

/** What a verifier says of some claims; of the others it says nothing. */
export type TrustVector = ReadonlyMap<VectorClaim, number>;

/** The least value of each tier is its name on the wire. */
export const TIERS = { none: 0, affirming: 2, warning: 32, contraindicated: 96 } as const;
export type Tier = keyof typeof TIERS;

/** Values that mean the same in every claim (section 2.3.2). */
export const ANY_CLAIM = {
  insufficient: 0,
  notUnderstood: 1,
  signatureFailed: 99,
} as const;

/** Of the claims that are made about a governor, the values that are used (section 2.3.4). */
export const CLAIM_VALUE = {
  "instance-identity": { recognized: 2, notTrustworthy: 96, notRecognized: 97 },
  configuration: { approved: 2, vulnerable: 32, unavailable: 36, unsupportable: 96 },
  /** 3 and not 2: what is measured is what was loaded at boot. */
  executables: { approvedAtBoot: 3, vulnerable: 32, contraindicated: 96 },
  hardware: { genuine: 2, vulnerable: 32, contraindicated: 96, notRecognized: 97 },
  "sourced-data": { unattested: 32, contraindicated: 96 },
} as const;

/** The tier of a claim's value, -128 to 127. Negative values are a vendor's own reasons for the same four tiers. */
export function tierOf(value: number): Tier {
  if (value >= -1 && value <= 1) return "none";
  if (value >= 0 ? value < TIERS.warning : value >= -32) return "affirming";
  if (value >= 0 ? value < TIERS.contraindicated : value >= -96) return "warning";
  return "contraindicated";
}

/** The tier of the worst claim, which is the best that the whole may be given. */
export function worstTier(vector: TrustVector): Tier {
  const tiers = [...vector.values()].map(tierOf);
  return tiers.reduce<Tier>((worst, tier) => (TIERS[tier] > TIERS[worst] ? tier : worst), "none");
}
