/**
 * Evidence on its way to an answer. Here is what can be judged before a transaction: form, signature, and whose nonce it
 * is. None of it changes when another process answers something.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import { decodeEvidence, type Evidence } from "../objects/evidence.ts";
import { combinedNonce } from "../objects/nonces.ts";
import { parseSign1 } from "../protocol/cose.ts";
import { checkSign1 } from "../protocol/cose-async.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { AttestedEvidence } from "../verifier/judgement.ts";
import type { JudgedNonce, Nonces } from "../verifier/nonces.ts";
import { readSignedAsync } from "../verifier/signed.ts";
import { isAnswered } from "./answer-rows.ts";
import type { ServiceContext } from "./context.ts";
import type { LicenseCall } from "./service.ts";

const EVIDENCE_AAD = objectAad(ObjectType.EVIDENCE);

/** What the sender wants on its evidence. */
export type EvidencePurpose = "license" | "recovery" | "appraisal";

export interface EvidenceItem extends AttestedEvidence {
  readonly purpose: EvidencePurpose;
  readonly call: LicenseCall;
  readonly digest: Uint8Array;
  readonly nonce: JudgedNonce;
}

/** Throws the `VerifierError` that says what is wrong with it, `device/unknown` before anything is believed. */
export async function readEvidenceItem(
  context: ServiceContext,
  purpose: EvidencePurpose,
  call: LicenseCall,
): Promise<EvidenceItem> {
  const { evidence: bytes, nonces } = call;
  const { evidence, attester } = await readSignedAsync("evidence/malformed", "evidence/signature", async () => {
    const message = parseSign1(bytes);
    const claimed = decodeEvidence(message.payload);
    const key = await context.attesters.find(claimed.ueid, message.kid);
    if (!key) throw new VerifierError("evidence/signature", "an unknown key");
    await checkSign1(message, key, EVIDENCE_AAD);
    return { evidence: claimed, attester: key };
  });
  const digest = sha256(bytes);
  const nonce = ownNonce(context, evidence, nonces);
  const nowMs = context.clock();
  // A retry may come late: what was answered stays the answer, which the transaction then finds.
  const { nonces: own, store } = context;
  if (own.isExpired(nonce, nowMs) && !(await isAnswered(store.db, digest))) own.checkAge(nonce, nowMs);
  return { purpose, call, digest, evidence, attester, nonce };
}

/** The nonce itself, or the one of several verifiers' that is this one's. Its age is not judged. */
function ownNonce({ nonces }: ServiceContext, { ueid, nonce }: Evidence, all?: readonly Uint8Array[]): JudgedNonce {
  if (all === undefined) return nonces.read(ueid, nonce);
  if (!sameBytes(combined(all), nonce)) throw new VerifierError("nonces/mismatch");
  const own = all.flatMap((one) => asOwn(nonces, ueid, one));
  if (own.length === 0) throw new VerifierError("evidence/nonce-unknown");
  return own.reduce((newest, one) => (Buffer.compare(one.serial, newest.serial) > 0 ? one : newest));
}

function asOwn(nonces: Nonces, ueid: Uint8Array, nonce: Uint8Array): JudgedNonce[] {
  try {
    return [nonces.read(ueid, nonce)];
  } catch (error) {
    if (error instanceof VerifierError) return [];
    throw error;
  }
}

function combined(nonces: readonly Uint8Array[]): Uint8Array {
  try {
    return combinedNonce(nonces);
  } catch (error) {
    if (error instanceof Refusal) throw new VerifierError("nonces/mismatch", error.message, { cause: error });
    throw error;
  }
}
