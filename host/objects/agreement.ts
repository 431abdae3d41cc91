/**
 * The agreement: who the parties are, how many of them it takes for what, and what no license may exceed. Its digest is
 * the governor's root of policy. CDDL and rules: docs/protocol.md.
 */
import { AgreementKey, ObjectType, QuorumKey } from "../../firmware/protocol/claims.ts";
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { parseSign, type Signer, verifyQuorum } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";
import { objectAad } from "./aad.ts";
import { Claims, encodeClaims, worksValue } from "./claims.ts";
import { checkLogTerms, type LogTerms, logTermsValue, readLogTerms } from "./log-terms.ts";
import { checkMembers, type Member, memberOf, memberValue } from "./member.ts";
import { signQuorum } from "./quorum.ts";
import { type WorkByClass, workBytes } from "./work.ts";

export type { LogTerms } from "./log-terms.ts";
export type { Member } from "./member.ts";

/** How many parties it takes; each 1 to the number of parties. */
export interface Quorums {
  readonly license: number;
  readonly pause: number;
  readonly resume: number;
  readonly update: number;
  readonly amend: number;
}

/** The most that one license may budget, and the fastest that the class may run in work per tick. */
export interface Cap {
  readonly budgetMax: bigint;
  /** At least 1; a slice at this rate is at most 2^62. */
  readonly rateMax: bigint;
}

export interface Agreement {
  /** Above that of the agreement before. */
  readonly version: number;
  /** 1 to 64 bytes of UTF-8. */
  readonly name: string;
  /** 1 to 8. */
  readonly parties: readonly Member[];
  readonly quorums: Quorums;
  /** 1 to 4. */
  readonly timeAuthorities: readonly Member[];
  readonly timeQuorum: number;
  /** A class that is not named never gets credit. */
  readonly caps: ReadonlyMap<EngineClass, Cap>;
  /** Nominal rate of the governor's oscillator, 1 to 1,000,000. */
  readonly tickHz: number;
  /** How far the oscillator may be off, 0 to 100,000. */
  readonly driftPpm: number;
  /** How long a beacon keeps a gate alive, 1 second to a year. */
  readonly leaseSeconds: number;
  /** 1 to 2^56. */
  readonly licenseTicksMax: bigint;
  /** 1 to 2^40. How much work, as time at full rate, is reserved in one journal record. */
  readonly sliceTicks: bigint;
  /** The most that a drain may use. */
  readonly drain: WorkByClass;
  /** At most 2^56. */
  readonly drainTicksMax: bigint;
  /** Work that is always allowed, for self-tests and diagnostics. */
  readonly baseline?: WorkByClass;
  /** Whether licenses without a nonce are accepted. */
  readonly offline: boolean;
  readonly svnLeast: number;
  /** What the governor takes only with a log proof, and by whose word; without it nothing has to be logged. */
  readonly log?: LogTerms;
}

const QUORUM_KEYS = [
  ["license", QuorumKey.LICENSE],
  ["pause", QuorumKey.PAUSE],
  ["resume", QuorumKey.RESUME],
  ["update", QuorumKey.UPDATE],
  ["amend", QuorumKey.AMEND],
] as const;

const NAME_BYTES_MAX = 64;
const TICK_HZ_MAX = 1_000_000;
const DRIFT_PPM_MAX = 100_000;
const LEASE_SECONDS_MAX = 31_536_000;
const TICKS_MAX = 2n ** 56n;
const SLICE_TICKS_MAX = 2n ** 40n;
/** Work of one slice at full rate stays below this, so that no sum of two passes 64 bits. */
export const SLICE_WORK_MAX = 2n ** 62n;

const AAD = objectAad(ObjectType.AGREEMENT);

/** The payload. Throws a `Refusal` for an agreement that no governor would take. */
export function encodeAgreement(agreement: Agreement): Uint8Array {
  const quorums = new Map(QUORUM_KEYS.map(([name, key]) => [key, agreement.quorums[name]]));
  const caps = new Map(
    [...agreement.caps].map(([engineClass, cap]) => [engineClass, [workBytes(cap.budgetMax), cap.rateMax]]),
  );
  return encodeClaims(
    [
      [AgreementKey.VERSION, agreement.version],
      [AgreementKey.NAME, agreement.name],
      [AgreementKey.PARTIES, agreement.parties.map(memberValue)],
      [AgreementKey.QUORUMS, quorums],
      [AgreementKey.TIME_AUTHORITIES, agreement.timeAuthorities.map(memberValue)],
      [AgreementKey.TIME_QUORUM, agreement.timeQuorum],
      [AgreementKey.CAPS, caps],
      [AgreementKey.TICK_HZ, agreement.tickHz],
      [AgreementKey.DRIFT_PPM, agreement.driftPpm],
      [AgreementKey.LEASE_SECONDS, agreement.leaseSeconds],
      [AgreementKey.LICENSE_TICKS_MAX, agreement.licenseTicksMax],
      [AgreementKey.SLICE_TICKS, agreement.sliceTicks],
      [AgreementKey.DRAIN, worksValue(agreement.drain)],
      [AgreementKey.DRAIN_TICKS_MAX, agreement.drainTicksMax],
      [AgreementKey.BASELINE, agreement.baseline && worksValue(agreement.baseline)],
      [AgreementKey.OFFLINE, agreement.offline],
      [AgreementKey.SVN_LEAST, agreement.svnLeast],
      [AgreementKey.LOG, agreement.log && logTermsValue(agreement.log)],
    ],
    decodeAgreement,
  );
}

/** The agreement of a payload. Throws a `Refusal` with a code of the 0x06 module. */
export function decodeAgreement(payload: Uint8Array): Agreement {
  const claims = Claims.ofPayload(payload, ErrorCode.AGREEMENT_CLAIM, "agreement");
  const quorumClaims = claims.map(AgreementKey.QUORUMS);
  const quorums = Object.fromEntries(
    QUORUM_KEYS.map(([name, key]) => [name, quorumClaims.u32(key, Limit.PARTIES_MAX)]),
  );
  quorumClaims.end();
  const agreement: Agreement = {
    version: claims.u32(AgreementKey.VERSION),
    name: claims.text(AgreementKey.NAME, NAME_BYTES_MAX),
    parties: claims.list(AgreementKey.PARTIES, 0, Limit.PARTIES_MAX, memberOf),
    quorums: quorums as unknown as Quorums,
    timeAuthorities: claims.list(AgreementKey.TIME_AUTHORITIES, 0, Limit.TIME_AUTHORITIES_MAX, memberOf),
    timeQuorum: claims.u32(AgreementKey.TIME_QUORUM, Limit.TIME_AUTHORITIES_MAX),
    caps: claims.byClass(AgreementKey.CAPS, (entries, engineClass) => {
      const cap = entries.array(engineClass, 2);
      return { budgetMax: cap.work(0), rateMax: cap.u64(1) };
    }),
    tickHz: claims.u32(AgreementKey.TICK_HZ),
    driftPpm: claims.u32(AgreementKey.DRIFT_PPM),
    leaseSeconds: claims.u32(AgreementKey.LEASE_SECONDS),
    licenseTicksMax: claims.u64(AgreementKey.LICENSE_TICKS_MAX),
    sliceTicks: claims.u64(AgreementKey.SLICE_TICKS),
    drain: claims.works64(AgreementKey.DRAIN),
    drainTicksMax: claims.u64(AgreementKey.DRAIN_TICKS_MAX),
    baseline: claims.optional(AgreementKey.BASELINE, (label) => claims.works64(label)),
    offline: claims.bool(AgreementKey.OFFLINE),
    svnLeast: claims.u32(AgreementKey.SVN_LEAST),
    log: claims.optional(AgreementKey.LOG, (label) => readLogTerms(claims.map(label))),
  };
  claims.end();
  if (agreement.caps.size === 0) claims.refuse("it has no caps");
  checkRanges(agreement, claims);
  checkQuorums(agreement, claims);
  checkMembers(agreement.parties, claims);
  checkMembers(agreement.timeAuthorities, claims);
  if (agreement.log) checkLogTerms(agreement.log, claims);
  return agreement;
}

function checkRanges(agreement: Agreement, claims: Claims): void {
  const within = (what: string, value: number | bigint, min: number | bigint, max?: number | bigint) => {
    if (value < min || (max !== undefined && value > max)) {
      claims.refuse(`${what} ${value} is out of its range`, ErrorCode.AGREEMENT_LIMIT);
    }
  };
  within("version", agreement.version, 1);
  within("number of parties", agreement.parties.length, 1);
  within("number of time authorities", agreement.timeAuthorities.length, 1);
  within("tick rate", agreement.tickHz, 1, TICK_HZ_MAX);
  within("drift", agreement.driftPpm, 0, DRIFT_PPM_MAX);
  within("lease", agreement.leaseSeconds, 1, LEASE_SECONDS_MAX);
  within("license ticks", agreement.licenseTicksMax, 1n, TICKS_MAX);
  within("slice", agreement.sliceTicks, 1n, SLICE_TICKS_MAX);
  within("drain ticks", agreement.drainTicksMax, 0n, TICKS_MAX);
  for (const [engineClass, { rateMax }] of agreement.caps) {
    within(`rate of class ${engineClass}`, rateMax, 1n, SLICE_WORK_MAX / agreement.sliceTicks);
  }
  for (const [engineClass, work] of [...agreement.drain, ...(agreement.baseline ?? [])]) {
    if (!agreement.caps.has(engineClass)) within(`allowance of class ${engineClass}`, work, 0n, 0n);
  }
}

function checkQuorums(agreement: Agreement, claims: Claims): void {
  const counts = QUORUM_KEYS.map(([name]) => [name, agreement.quorums[name], agreement.parties.length] as const);
  for (const [name, quorum, count] of [
    ...counts,
    ["time", agreement.timeQuorum, agreement.timeAuthorities.length] as const,
  ]) {
    if (quorum < 1 || quorum > count) {
      claims.refuse(`a ${name} quorum of ${quorum} of ${count}`, ErrorCode.AGREEMENT_QUORUM_RULE);
    }
  }
}

/** Signed by each of `signers`: all parties for the first agreement, the amend quorum of the one in force later. */
export function signAgreement(agreement: Agreement, signers: readonly Signer[]): Uint8Array {
  return signQuorum(encodeAgreement(agreement), signers, AAD);
}

/**
 * Verifies a first agreement, which all its own parties must have signed, or with `inForce` one that amends it.
 * Throws a `Refusal`.
 */
export function verifyAgreement(bytes: Uint8Array, inForce?: Agreement): { agreement: Agreement; digest: Uint8Array } {
  const agreement = decodeAgreement(parseSign(bytes).payload);
  if (inForce && agreement.version <= inForce.version) {
    throw new Refusal(ErrorCode.AGREEMENT_VERSION, `version ${agreement.version} is not above ${inForce.version}`);
  }
  const keys = inForce?.parties ?? agreement.parties;
  const { payload } = verifyQuorum(bytes, keys, inForce?.quorums.amend ?? keys.length, AAD);
  return { agreement, digest: sha256(payload) };
}

/** SHA-256 of the payload: what every other object names the agreement by. */
export function agreementDigest(agreement: Agreement): Uint8Array {
  return sha256(encodeAgreement(agreement));
}
