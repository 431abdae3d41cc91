/**
 * The State block: all that is one device, in one piece of memory. A snapshot is a copy of it, a reset is a fill.
 *
 *      0  Head      what a debugger reads of a dead board (`StateHead`)
 *     16  Ledger    what the journal keeps: its scalars, two digests, then an account of each engine class
 *         Session   what a power cut takes: identity, clock, lease, credit, interval log
 *         Pact      the agreement in force, parsed
 *
 * Scalars are fields of the classes below; arrays follow each class, with a function that gives an element's address.
 * Whatever else lies in memory is dead between calls.
 */

import { HMAC_SHA256_READY_BYTES } from "./crypto/hmac";
import { Handoff } from "./protocol/board";
import { EngineClass } from "./protocol/classes";
import { Limit } from "./protocol/limits";

/** Number of engine classes. */
export const CLASSES: u32 = EngineClass.COUNT;

/** Bytes of an array with an entry for every class: of 128-bit quantities, and of 64-bit ones. */
const WIDE: usize = EngineClass.COUNT * 16;
const NARROW: usize = EngineClass.COUNT * 8;

@unmanaged
@final
export class Head {
  format: u32;
  bootProgress: u32;
  gateState: u32;
  lastCode: u32;
}

/** What survives power loss. A journal record holds its bytes as they stand, accounts that hold nothing left out. */
@unmanaged
@final
export class Ledger {
  /** Value of the monotonic counter that goes with this record. */
  sequence: u64;
  licenseSequence: u64;
  /** Agreement time in ms. */
  licenseNotBefore: u64;
  /** Agreement time in ms. */
  licenseExpiry: u64;
  /** What is left of the license's ticks, less the slice period that this record reserves. */
  licenseTicksLeft: u64;
  reportSequence: u64;
  /** Leaves of the log's tree that the newest accepted proof showed; 0 before the first under this agreement. */
  logSize: u64;
  licenseEpoch: u32;
  /** `CoseProof.MAGIC` when, and only when, the license quorum's signatures verified; 0 without a license. */
  licenseProof: u32;
  bootCount: u32;
  epoch: u32;
  failures: u32;
  /** Sector erases so far. */
  erases: u32;
  /** Version of the agreement that license and baseline were given under. */
  agreementVersion: u32;
  /** The meter fault that keeps the gate locked until a recovery; 0 without. */
  fault: u32;
  /** Rate in thousandths that a slow order allows; 1000 otherwise. */
  permille: u16;
  /** `OrderAction` in force; 0 before the first order. */
  action: u8;
  backOffLevel: u8;
}

/** What the Ledger keeps of one engine class. Quantities of 128 bits are two words, low one first. */
@unmanaged
@final
class Account {
  /** Work metered so far. */
  total: u64;
  totalHigh: u64;
  /** The total that the newest report named. */
  reportTotal: u64;
  reportTotalHigh: u64;
  /** What is left of the license's budget. */
  budget: u64;
  budgetHigh: u64;
  /** What is left of the license's drain allowance. */
  drain: u64;
  /** The license's own rate in work per tick; 0 where it names none. */
  rate: u64;
  /** What is left of the baseline. */
  baseline: u64;
  /** Credit that was granted and is not yet settled. After a power cut it counts as done. */
  outstanding: u64;
}

const LEDGER_REPORT_HEAD: usize = offsetof<Ledger>();
const LEDGER_ORDER: usize = LEDGER_REPORT_HEAD + Limit.DIGEST_BYTES;
const LEDGER_LOG_ROOT: usize = LEDGER_ORDER + Limit.DIGEST_BYTES;
/** Bytes of the Ledger before its accounts, and of one of these. */
export const LEDGER_HEAD_BYTES: usize = LEDGER_LOG_ROOT + Limit.DIGEST_BYTES;
export const ACCOUNT_BYTES: usize = offsetof<Account>();
export const LEDGER_BYTES: usize = LEDGER_HEAD_BYTES + <usize>EngineClass.COUNT * ACCOUNT_BYTES;

export const NEVER: u64 = u64.MAX_VALUE;

/** What a power cut takes. */
@unmanaged
@final
export class Session {
  /** Whether a time proof was accepted since power-up. */
  timeKnown: u8;
  timeNonceLive: u8;
  challengeLive: u8;
  /** Whether Ledger and journal are one; without, nothing may be granted or attested. */
  journalWhole: u8;
  intervalCount: u8;
  certificateBytes: u8;
  /** Which of the two flash slots holds the agreement in force. */
  agreementSlot: u8;
  /** `CreditSource` of the credit that is out. */
  creditSource: u32;
  /** Agreement time in ms: no earlier than this at `timeLowerTick` ... */
  timeLower: u64;
  timeLowerTick: u64;
  /** ... and no later than this at `timeUpperTick`. */
  timeUpper: u64;
  timeUpperTick: u64;
  timeNonceTick: u64;
  /** Agreement time in ms at which the freshest beacon was issued. */
  leaseIssuedAt: u64;
  licenseEndTick: u64;
  /** When the buckets were last filled. */
  refillTick: u64;
  /** When credit was last granted; `NEVER` since the gate last closed. */
  grantTick: u64;
  /** Of the newest 32 bytes that the TRNG gave, the first 8. */
  lastDraw: u64;
  /** When the Ledger was last written. */
  commitTick: u64;
  drainEndTick: u64;
  backOffEndTick: u64;
  reportTick: u64;
  /** Highest epoch that a time authority named. */
  epochHeard: u32;
  /** Place of the newest journal record. */
  journalSlot: u32;
  /** Slices to an interval, and slices in the newest one. */
  intervalWidth: u32;
  intervalSlices: u32;
  transitionCount: u32;
  tamper: u32;
}

const SESSION_ATTESTATION_SEED: usize = offsetof<Session>();
const SESSION_ATTESTATION_KEY: usize = SESSION_ATTESTATION_SEED + 32;
const SESSION_ATTESTATION_KID: usize = SESSION_ATTESTATION_KEY + 32;
const SESSION_SEALING_KEY: usize = SESSION_ATTESTATION_KID + Limit.KID_BYTES;
const SESSION_CHALLENGE: usize = SESSION_SEALING_KEY + HMAC_SHA256_READY_BYTES;
const SESSION_TIME_NONCE: usize = SESSION_CHALLENGE + Limit.NONCE_BYTES;
const SESSION_BOOT_SEED: usize = SESSION_TIME_NONCE + Limit.NONCE_BYTES;
const SESSION_MEASUREMENT: usize = SESSION_BOOT_SEED + 32;
const SESSION_UEID: usize = SESSION_MEASUREMENT + Limit.DIGEST_BYTES;
const SESSION_ORDER_HEARD: usize = SESSION_UEID + 36;
const SESSION_WORK_SEEN: usize = SESSION_ORDER_HEARD + Limit.DIGEST_BYTES;
const SESSION_TOKENS: usize = SESSION_WORK_SEEN + NARROW;
const SESSION_INTERVALS: usize = SESSION_TOKENS + NARROW;
/** A leaf: the tick at which the interval ends, then what each class did in it. */
export const INTERVAL_BYTES: usize = 8 + NARROW;
const SESSION_TRANSITIONS: usize = SESSION_INTERVALS + <usize>Limit.INTERVALS_MAX * INTERVAL_BYTES;
/** Tick, from, to, code. */
export const TRANSITION_BYTES: usize = 8 + 3 * 4;
const SESSION_CERTIFICATE: usize = SESSION_TRANSITIONS + <usize>Limit.TRANSITIONS_MAX * TRANSITION_BYTES;
const SESSION_BYTES: usize = SESSION_CERTIFICATE + Handoff.CERTIFICATE_BYTES_MAX;

/** The agreement in force; `version` 0 means none. What only a log proof needs is read from flash (objects/log-terms.ts). */
@unmanaged
@final
export class Pact {
  version: u32;
  tickHz: u32;
  driftPpm: u32;
  leaseSeconds: u32;
  svnLeast: u32;
  /** One bit a class that may ever work. */
  classes: u32;
  licenseTicksMax: u64;
  sliceTicks: u64;
  drainTicksMax: u64;
  parties: u8;
  timeAuthorities: u8;
  quorumLicense: u8;
  quorumPause: u8;
  quorumResume: u8;
  quorumUpdate: u8;
  quorumAmend: u8;
  quorumTime: u8;
  offline: u8;
  /** `LogMode` of what is taken only with a log proof. */
  logMode: u8;
  pauseBeforeProof: u8;
  /** Keeps what follows aligned. */
  unused: u8;
}

/** A key as the quorum check reads it: kid, public key. */
export const KEY_BYTES: usize = Limit.KID_BYTES + Limit.PUBLIC_KEY_BYTES;
const PACT_DIGEST: usize = offsetof<Pact>();
const PACT_PARTY_KEYS: usize = PACT_DIGEST + Limit.DIGEST_BYTES;
const PACT_TIME_KEYS: usize = PACT_PARTY_KEYS + <usize>Limit.PARTIES_MAX * KEY_BYTES;
const PACT_BUDGET_MAX: usize = PACT_TIME_KEYS + <usize>Limit.TIME_AUTHORITIES_MAX * KEY_BYTES;
const PACT_RATE_MAX: usize = PACT_BUDGET_MAX + WIDE;
const PACT_DRAIN: usize = PACT_RATE_MAX + NARROW;
const PACT_BASELINE: usize = PACT_DRAIN + NARROW;
export const PACT_BYTES: usize = PACT_BASELINE + NARROW;

const HEAD_BYTES: usize = 16;
export const STATE_BYTES: usize = HEAD_BYTES + LEDGER_BYTES + SESSION_BYTES + PACT_BYTES;
export const STATE: usize = memory.data(<i32>STATE_BYTES, 16);
export const LEDGER: usize = STATE + HEAD_BYTES;
const SESSION: usize = LEDGER + LEDGER_BYTES;
const PACT: usize = SESSION + SESSION_BYTES;
/** Where the next agreement is parsed, so that a bad one leaves the one in force as it was. */
export const PACT_DRAFT: usize = memory.data(<i32>PACT_BYTES, 16);

export const head = changetype<Head>(STATE);
export const ledger = changetype<Ledger>(LEDGER);
export const session = changetype<Session>(SESSION);
export const pact = changetype<Pact>(PACT);

/** Address of a class's `Account`. */
export function accountOf(c: u32): usize {
  return LEDGER + LEDGER_HEAD_BYTES + <usize>c * ACCOUNT_BYTES;
}
export function totalOf(c: u32): usize {
  return accountOf(c) + offsetof<Account>("total");
}
export function reportTotalOf(c: u32): usize {
  return accountOf(c) + offsetof<Account>("reportTotal");
}
export function budgetOf(c: u32): usize {
  return accountOf(c) + offsetof<Account>("budget");
}
export function drainOf(c: u32): usize {
  return accountOf(c) + offsetof<Account>("drain");
}
export function rateOf(c: u32): usize {
  return accountOf(c) + offsetof<Account>("rate");
}
export function baselineOf(c: u32): usize {
  return accountOf(c) + offsetof<Account>("baseline");
}
export function outstandingOf(c: u32): usize {
  return accountOf(c) + offsetof<Account>("outstanding");
}
export const REPORT_HEAD: usize = LEDGER + LEDGER_REPORT_HEAD;
/** Digest of the newest order's payload; zeros before the first. */
export const ORDER_DIGEST: usize = LEDGER + LEDGER_ORDER;
/** Root of the tree of `logSize` leaves; zeros for none. */
export const LOG_ROOT: usize = LEDGER + LEDGER_LOG_ROOT;

export const ATTESTATION_SEED: usize = SESSION + SESSION_ATTESTATION_SEED;
export const ATTESTATION_KEY: usize = SESSION + SESSION_ATTESTATION_KEY;
export const ATTESTATION_KID: usize = SESSION + SESSION_ATTESTATION_KID;
/** As HMAC uses it: made ready. */
export const SEALING_KEY: usize = SESSION + SESSION_SEALING_KEY;
export const CHALLENGE: usize = SESSION + SESSION_CHALLENGE;
export const TIME_NONCE: usize = SESSION + SESSION_TIME_NONCE;
export const BOOT_SEED: usize = SESSION + SESSION_BOOT_SEED;
export const MEASUREMENT: usize = SESSION + SESSION_MEASUREMENT;
export const UEID: usize = SESSION + SESSION_UEID;
/** Digest of the order that a time authority named with `epochHeard`. */
export const ORDER_HEARD: usize = SESSION + SESSION_ORDER_HEARD;
export const CERTIFICATE: usize = SESSION + SESSION_CERTIFICATE;
/** What the hardware counter of a class read when it was last settled. */
export function workSeenOf(c: u32): usize {
  return SESSION + SESSION_WORK_SEEN + ((<usize>c) << 3);
}
/** How much of a class the rate cap allows to be granted now. */
export function tokensOf(c: u32): usize {
  return SESSION + SESSION_TOKENS + ((<usize>c) << 3);
}
export function intervalAt(i: u32): usize {
  return SESSION + SESSION_INTERVALS + <usize>i * INTERVAL_BYTES;
}
export function transitionAt(i: u32): usize {
  return SESSION + SESSION_TRANSITIONS + <usize>i * TRANSITION_BYTES;
}

export const AGREEMENT_DIGEST: usize = PACT + PACT_DIGEST;
export const PARTY_KEYS: usize = PACT + PACT_PARTY_KEYS;
export const TIME_KEYS: usize = PACT + PACT_TIME_KEYS;
/** The most that one license may budget, 128 bits. */
export function budgetMaxOf(c: u32): usize {
  return PACT + PACT_BUDGET_MAX + ((<usize>c) << 4);
}
/** The most work per tick, 64 bits. */
export function rateMaxOf(c: u32): usize {
  return PACT + PACT_RATE_MAX + ((<usize>c) << 3);
}
/** The most that a drain may use, 64 bits. */
export function drainMaxOf(c: u32): usize {
  return PACT + PACT_DRAIN + ((<usize>c) << 3);
}
export function baselineMaxOf(c: u32): usize {
  return PACT + PACT_BASELINE + ((<usize>c) << 3);
}

/** Makes the parsed draft the agreement in force. */
export function adoptPact(): void {
  memory.copy(PACT, PACT_DRAFT, PACT_BYTES);
}

/** Address in the draft of what stands at `address` in the agreement in force. */
export function inDraft(address: usize): usize {
  return address - PACT + PACT_DRAFT;
}
