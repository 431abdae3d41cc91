/**
 * From an appraisal to a trustworthiness vector: which claim every step speaks for, and what every refusal says of which
 * claim. AR4SI leaves to each verifier how its claims come about, and asks it to publish that (section 2.3.4): here, and
 * in docs/rats.md, which a test holds to this table.
 */
import type { Purpose } from "../verifier/appraisal.ts";
import { STEP_NAMES } from "../verifier/appraisal.ts";
import type { VerifierErrorCode } from "../verifier/errors.ts";
import { ANY_CLAIM, CLAIM_VALUE, type Tier, type TrustVector, type VectorClaim, worstTier } from "./ar4si.ts";

/** The steps before and after those of `host/verifier/appraisal.ts`. */
const FORM = "evidence can be read";
const ENROLLED = "device is enrolled";
const SIGNATURE = "enrolled attestation key signed";
const NONCE = "nonce is fresh";
const BOOKS = "no work beyond the licenses";

/**
 * A step's number, by which results name it, never to be given another meaning; and the claim that is affirmed when this
 * and every other step for it held.
 */
// biome-ignore format: a table
export const STEPS: Readonly<Record<string, readonly [number: number, claim: VectorClaim]>> = {
  [FORM]: [1, "instance-identity"],
  [ENROLLED]: [2, "instance-identity"],
  [SIGNATURE]: [3, "instance-identity"],
  [NONCE]: [4, "instance-identity"],
  "hardware is what was endorsed": [5, "hardware"],
  "governor image is certified and a reference value": [6, "executables"],
  "security version is high enough": [7, "executables"],
  "agreement is in force": [8, "configuration"],
  "no tamper sensor fired": [9, "hardware"],
  "gate is not locked": [10, "configuration"],
  "one device in one boot": [11, "instance-identity"],
  "every order has arrived": [12, "configuration"],
  "clock is true": [13, "configuration"],
  "nothing goes back": [14, "instance-identity"],
  "every report is here": [15, "configuration"],
  [BOOKS]: [16, "hardware"],
  "journal is lost or meter in doubt": [17, "configuration"],
};

const AFFIRMED: Readonly<Partial<Record<VectorClaim, number>>> = {
  "instance-identity": CLAIM_VALUE["instance-identity"].recognized,
  configuration: CLAIM_VALUE.configuration.approved,
  executables: CLAIM_VALUE.executables.approvedAtBoot,
  hardware: CLAIM_VALUE.hardware.genuine,
};

type Row = readonly [step: string, said: readonly (readonly [claim: VectorClaim, value: number])[]];

/** The same of every claim that could have been made. */
const ofAll = (value: number) => (Object.keys(AFFIRMED) as VectorClaim[]).map((claim) => [claim, value] as const);

const identity = CLAIM_VALUE["instance-identity"];
const { configuration, executables, hardware } = CLAIM_VALUE;
const sourced = CLAIM_VALUE["sourced-data"];

/** Codes that evidence is refused with before or in an appraisal. */
export type AppraisalCode = Extract<
  VerifierErrorCode,
  | `evidence/${string}`
  | "device/unknown"
  | "device/suspended"
  | "device/retired"
  | "device/suspected-fork"
  | "recovery/not-needed"
>;

/**
 * The first step that did not hold, and what that says. Who is suspended, retired or suspected is not judged further: from
 * the nonce on nothing is known.
 */
// biome-ignore format: a table, one row a code
export const REFUSALS: Readonly<Record<AppraisalCode, Row>> = {
  "evidence/malformed": [FORM, ofAll(ANY_CLAIM.notUnderstood)],
  "device/unknown": [ENROLLED, [["instance-identity", identity.notRecognized]]],
  "evidence/signature": [SIGNATURE, ofAll(ANY_CLAIM.signatureFailed)],
  "device/suspended": [NONCE, []],
  "device/retired": [NONCE, []],
  "device/suspected-fork": [NONCE, [["instance-identity", identity.notTrustworthy]]],
  "evidence/nonce-unknown": [NONCE, ofAll(ANY_CLAIM.insufficient)],
  "evidence/nonce-expired": [NONCE, ofAll(ANY_CLAIM.insufficient)],
  "evidence/hardware": ["hardware is what was endorsed", [["hardware", hardware.notRecognized]]],
  "evidence/measurement": ["governor image is certified and a reference value", [["executables", executables.contraindicated]]],
  "evidence/measurement-withdrawn": ["governor image is certified and a reference value", [["executables", executables.contraindicated]]],
  "evidence/svn": ["security version is high enough", [["executables", executables.vulnerable]]],
  "evidence/agreement": ["agreement is in force", [["configuration", configuration.unsupportable]]],
  "evidence/tampered": ["no tamper sensor fired", [["hardware", hardware.contraindicated]]],
  "evidence/locked": ["gate is not locked", [["configuration", configuration.unavailable]]],
  "evidence/boot-regressed": ["one device in one boot", [["instance-identity", identity.notTrustworthy]]],
  "evidence/boot-forked": ["one device in one boot", [["instance-identity", identity.notTrustworthy]]],
  "evidence/epoch-behind": ["every order has arrived", [["configuration", configuration.vulnerable]]],
  "evidence/epoch-ahead": ["every order has arrived", [["sourced-data", sourced.unattested]]],
  "evidence/order-unknown": ["every order has arrived", [["sourced-data", sourced.contraindicated]]],
  "evidence/log-forked": ["every order has arrived", [["sourced-data", sourced.contraindicated]]],
  "evidence/time-unknown": ["clock is true", [["configuration", configuration.unavailable]]],
  "evidence/time-off": ["clock is true", [["hardware", hardware.vulnerable]]],
  "evidence/totals-regressed": ["nothing goes back", [["hardware", hardware.contraindicated]]],
  "evidence/license-regressed": ["nothing goes back", [["instance-identity", identity.notTrustworthy]]],
  "evidence/report-missing": ["every report is here", [["configuration", configuration.unavailable]]],
  "evidence/report-regressed": ["every report is here", [["instance-identity", identity.notTrustworthy]]],
  "evidence/report-forked": ["every report is here", [["instance-identity", identity.notTrustworthy]]],
  "evidence/license-unknown": [BOOKS, [["sourced-data", sourced.unattested]]],
  "evidence/overrun": [BOOKS, [["hardware", hardware.contraindicated]]],
  "recovery/not-needed": ["journal is lost or meter in doubt", []],
};

/** A board that asks for a recovery has lost its journal, or its meter is in doubt: what it says of its state is not all. */
const RECOVERED: readonly [VectorClaim, number] = ["configuration", configuration.unavailable];

/** All steps of a purpose, in order. */
export function stepsOf(purpose: Purpose): readonly string[] {
  const appraisal = [FORM, ENROLLED, SIGNATURE, NONCE, ...STEP_NAMES[purpose]];
  return purpose === "license" ? [...appraisal, BOOKS] : appraisal;
}

/** What the step with this number is called; undefined for one that only a newer verifier has. */
export function stepName(number: number): string | undefined {
  return Object.keys(STEPS).find((name) => STEPS[name]![0] === number);
}

/** Of these the evidence was found good first, and the refusal is about what was asked for. */
const AFTER_APPRAISAL = /^(?:license|recovery)\//;

function isAppraisalCode(code: VerifierErrorCode): code is AppraisalCode {
  return Object.hasOwn(REFUSALS, code);
}

/** The numbers of the steps that held, what may be said of the device, and the tier of the worst of it. */
export interface Conclusion {
  readonly steps: readonly number[];
  readonly vector: TrustVector;
  readonly status: Tier;
}

/** Conclusions by purpose and code, of which there are few; one is drawn for each license. */
const drawn = new Map<string, Conclusion>();

/**
 * What an appraisal concluded: all that there is to say, or what was found up to the refusal; nothing after a refusal that
 * is not in the table.
 */
export function concluded(purpose: Purpose, refusal?: VerifierErrorCode): Conclusion {
  const key = `${purpose} ${refusal}`;
  let conclusion = drawn.get(key);
  if (!conclusion) {
    const { steps, vector } = conclude(purpose, refusal);
    conclusion = { steps, vector, status: worstTier(vector) };
    drawn.set(key, conclusion);
  }
  return conclusion;
}

function conclude(purpose: Purpose, refusal: VerifierErrorCode | undefined): Omit<Conclusion, "status"> {
  const row = refusal !== undefined && isAppraisalCode(refusal) ? REFUSALS[refusal] : undefined;
  if (refusal !== undefined && !row && !AFTER_APPRAISAL.test(refusal)) return { steps: [], vector: new Map() };
  const all = stepsOf(purpose);
  const steps = row ? all.slice(0, all.indexOf(row[0])) : all;
  const vector = new Map<VectorClaim, number>();
  for (const [claim, value] of Object.entries(AFFIRMED) as [VectorClaim, number][]) {
    const needed = all.filter((step) => STEPS[step]![1] === claim);
    if (needed.every((step) => steps.includes(step))) vector.set(claim, value);
  }
  if (purpose === "recovery" && !row) vector.set(...RECOVERED);
  for (const [claim, value] of row?.[1] ?? []) vector.set(claim, value);
  return { steps: steps.map((step) => STEPS[step]![0]), vector };
}
