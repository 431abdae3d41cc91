/** What is kept of each appraisal: the claims of an attestation result, which are signed when somebody asks for them. */
import type { Policy } from "../policy/policy.ts";
import { earOf, encodeEar } from "../rats/ear.ts";
import type { VerifierErrorCode } from "../verifier/errors.ts";
import type { EvidenceItem } from "./evidence-item.ts";

const VERIFIER = { developer: "Quiesce", build: "1" };

export function verdictOn(
  { purpose, digest, evidence }: EvidenceItem,
  policy: Policy,
  nowMs: number,
  refusal?: VerifierErrorCode,
): Uint8Array {
  const judged = {
    evidenceDigest: digest,
    purpose: purpose === "recovery" ? ("recovery" as const) : ("license" as const),
    ueid: evidence.ueid,
    nonce: evidence.nonce,
    refusal,
    policyIds: [`urn:x-quiesce:policy:${policy.name}`],
  };
  return encodeEar(earOf(judged, VERIFIER, Math.floor(nowMs / 1000)));
}
