/**
 * Evidence on its way to an answer. Here is what can be judged before a transaction: form, signature, and whose nonce it
 * is. None of it changes when another process answers something.
 */
import { createHash } from "node:crypto";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import { decodeEvidence, type Evidence } from "../objects/evidence.ts";
import { combinedNonce } from "../objects/nonces.ts";
import { parseSign1 } from "../protocol/cose.ts";
import { checkSign1 } from "../protocol/cose-async.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { JudgedNonce } from "../verifier/nonces.ts";
import { readSignedAsync } from "../verifier/signed.ts";
import type { ServiceContext } from "./context.ts";
import type { LicenseCall } from "./service.ts";

const EVIDENCE_AAD = objectAad(ObjectType.EVIDENCE);

/** What the sender wants on its evidence. */
export type EvidencePurpose = "license" | "recovery" | "appraisal";

export interface EvidenceItem {
  readonly purpose: EvidencePurpose;
  readonly call: LicenseCall;
  readonly digest: Uint8Array;
  readonly evidence: Evidence;
  readonly nonce: JudgedNonce;
}

/** Throws the `VerifierError` that says what is wrong with it, `device/unknown` before anything is believed. */
export async function readEvidenceItem(
  context: ServiceContext,
  purpose: EvidencePurpose,
  call: LicenseCall,
): Promise<EvidenceItem> {
  const { evidence: bytes, nonces } = call;
  const evidence = await readSignedAsync("evidence/malformed", "evidence/signature", async () => {
    const message = parseSign1(bytes);
    const claimed = decodeEvidence(message.payload);
    const key = await context.attesters.find(claimed.ueid, message.kid);
    if (!key) throw new VerifierError("evidence/signature", "an unknown key");
    await checkSign1(message, key, EVIDENCE_AAD);
    return claimed;
  });
  const digest = new Uint8Array(createHash("sha256").update(bytes).digest());
  return { purpose, call, digest, evidence, nonce: judgeNonce(context, evidence, nonces) };
}

/** The nonce itself, or the one of several verifiers' that is this one's. */
function judgeNonce({ nonces, clock }: ServiceContext, evidence: Evidence, all?: readonly Uint8Array[]): JudgedNonce {
  const { ueid, nonce } = evidence;
  const nowMs = clock();
  if (all === undefined) return nonces.judge(ueid, nonce, nowMs);
  if (!sameBytes(combined(all), nonce)) throw new VerifierError("nonces/mismatch");
  let refusal: unknown;
  for (const one of all) {
    try {
      return nonces.judge(ueid, one, nowMs);
    } catch (error) {
      refusal ??= error;
      if (error instanceof VerifierError && error.code === "evidence/nonce-expired") refusal = error;
    }
  }
  throw refusal;
}

function combined(nonces: readonly Uint8Array[]): Uint8Array {
  try {
    return combinedNonce(nonces);
  } catch (error) {
    if (error instanceof Refusal) throw new VerifierError("nonces/mismatch", error.message, { cause: error });
    throw error;
  }
}
