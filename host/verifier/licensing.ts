/**
 * From a good appraisal to a license: drawn up within the agreement's caps, then laid before the parties, each of which
 * judges by its own policy, until exactly the license quorum has signed.
 */

import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { Agreement } from "../objects/agreement.ts";
import { encodeLicense, type License, verifyLicense } from "../objects/license.ts";
import type { WorkByClass } from "../objects/work.ts";
import { draftSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { Appraisal } from "./appraisal.ts";
import { sameBytes } from "./bytes.ts";
import { VerifierError, type VerifierErrorCode } from "./errors.ts";
import type { Party, Verdict } from "./party.ts";

/** What an operator asks for. */
export interface LicenseRequest {
  readonly budget: WorkByClass;
  /** Governor ticks that the license lasts. */
  readonly ticksMax: bigint;
  /** Seconds from now until it expires. */
  readonly windowSeconds: number;
  /** Work per tick. */
  readonly rate?: ReadonlyMap<EngineClass, bigint>;
  /** Default: the agreement's. */
  readonly drain?: WorkByClass;
}

/** The license that answers this evidence. Throws a `VerifierError` for a request that no license can grant. */
export function drawUpLicense(
  request: LicenseRequest,
  appraisal: Appraisal,
  agreement: Agreement,
  sequenceIssued: bigint,
  nowMs: number,
): License {
  const { evidence } = appraisal;
  if (request.ticksMax < 1n || !Number.isSafeInteger(request.windowSeconds) || request.windowSeconds < 1) {
    throw new VerifierError("license/request", "no time");
  }
  checkCaps(request, agreement);
  const last = evidence.licenseSequence;
  const sequence = (sequenceIssued > last ? sequenceIssued : last) + 1n;
  checkSequence(sequence, last);
  return {
    expirySeconds: Math.floor(nowMs / 1000) + request.windowSeconds,
    // The device opens when its lower bound of the time has reached this, and the bound lags behind.
    notBeforeSeconds: Math.floor(Math.min(nowMs, evidence.timeBounds?.lowerMs ?? nowMs) / 1000),
    nonce: evidence.challenge,
    ueid: evidence.ueid,
    agreementDigest: evidence.agreementDigest,
    epoch: evidence.epoch,
    sequence,
    budget: request.budget,
    rate: request.rate,
    ticksMax: request.ticksMax,
    drain: request.drain ?? agreement.drain,
    svnLeast: agreement.svnLeast,
  };
}

/**
 * Whether a license that another verifier drew up answers the same evidence, as one drawn up here could. Throws
 * `license/draft`, `license/signed-already` and what `drawUpLicense` throws.
 */
export function checkDrawnUp(
  license: License,
  { evidence }: Appraisal,
  agreement: Agreement,
  sequenceIssued: bigint,
  nowMs: number,
): void {
  const not = (why: string) => new VerifierError("license/draft", why);
  const { ueid, nonce } = license;
  if (ueid === undefined || !sameBytes(ueid, evidence.ueid)) throw not("it is for another device");
  if (nonce === undefined || !sameBytes(nonce, evidence.challenge)) throw not("it answers another challenge");
  checkStands(license, evidence, agreement, nowMs);
  checkUnissued(license, sequenceIssued, evidence.licenseSequence);
}

/** What any license that another verifier drew up must keep to. Throws `license/draft` and `license/over-cap`. */
export function checkStands(
  license: License,
  { agreementDigest, epoch }: Pick<License, "agreementDigest" | "epoch">,
  agreement: Agreement,
  nowMs: number,
): void {
  const not = (why: string) => new VerifierError("license/draft", why);
  if (!sameBytes(license.agreementDigest, agreementDigest)) throw not("it stands under another agreement");
  if (license.epoch !== epoch) throw not(`it is of epoch ${license.epoch}`);
  if (license.svnLeast < agreement.svnLeast) throw not(`it asks for security version ${license.svnLeast} only`);
  if (license.expirySeconds * 1000 <= nowMs) throw not("it has expired");
  checkCaps(license, agreement);
}

/** Throws `license/signed-already` and `license/sequence-exhausted`. */
export function checkUnissued({ sequence }: License, sequenceIssued: bigint, installed: bigint): void {
  if (sequence <= sequenceIssued) throw new VerifierError("license/signed-already", `sequence ${sequence}`);
  checkSequence(sequence, installed);
}

export function checkSequence(sequence: bigint, last: bigint): void {
  if (sequence <= last || sequence - last > BigInt(Limit.SEQUENCE_STEP_MAX)) {
    throw new VerifierError("license/sequence-exhausted", `${sequence} after ${last}`);
  }
}

export function checkCaps(
  { budget, ticksMax, rate, drain }: Omit<LicenseRequest, "windowSeconds">,
  agreement: Agreement,
): void {
  const over = (what: string) => new VerifierError("license/over-cap", what);
  if (ticksMax > agreement.licenseTicksMax) throw over(`${ticksMax} ticks`);
  for (const [engineClass, work] of budget) {
    if (work > (agreement.caps.get(engineClass)?.budgetMax ?? 0n)) throw over(`budget of class ${engineClass}`);
  }
  for (const [engineClass, work] of rate ?? []) {
    if (work > (agreement.caps.get(engineClass)?.rateMax ?? 0n)) throw over(`rate of class ${engineClass}`);
  }
  for (const [engineClass, work] of drain ?? []) {
    if (work > (agreement.drain.get(engineClass) ?? 0n)) throw over(`drain of class ${engineClass}`);
  }
}

/** The license's bytes with exactly the quorum's signatures. `ask` has one party judge a draft. */
export function signByQuorum(
  license: License,
  parties: readonly Party[],
  agreement: Agreement,
  ask: (party: Party, draft: Uint8Array) => Verdict,
) {
  const bytes = gather(draftLicense(license), parties, agreement.quorums.license, "license/quorum", ask);
  verifyLicense(bytes, agreement);
  return bytes;
}

/** Without signatures yet. Throws what `licensePayload` throws. */
export function draftLicense(license: License): Uint8Array {
  return draftSign(licensePayload(license));
}

/** Throws `license/request` for a license that no governor would take. */
export function licensePayload(license: License): Uint8Array {
  try {
    return encodeLicense(license);
  } catch (error) {
    if (error instanceof Refusal) throw new VerifierError("license/request", error.message, { cause: error });
    throw error;
  }
}

/** Asks one party after the other until exactly `quorum` have signed; the rest are not asked. */
export function gather(
  draft: Uint8Array,
  parties: readonly Party[],
  quorum: number,
  code: VerifierErrorCode,
  ask: (party: Party, draft: Uint8Array) => Verdict,
): Uint8Array {
  const objections: string[] = [];
  let bytes = draft;
  let signatures = 0;
  for (const party of parties) {
    if (signatures === quorum) break;
    const verdict = ask(party, bytes);
    if ("objection" in verdict) {
      objections.push(`${party.name}: ${verdict.objection}`);
      continue;
    }
    bytes = verdict.signed;
    signatures += 1;
  }
  if (signatures < quorum) throw new VerifierError(code, `${signatures} of ${quorum}; ${objections.join("; ")}`);
  return bytes;
}
