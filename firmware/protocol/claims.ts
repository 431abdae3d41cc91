/**
 * Claims of the objects on the wire. Registered ones: CWT (RFC 8392), EAT (RFC 9711), proof of possession (RFC 8747).
 * Private ones go down from -75000; in deterministic order (RFC 8949 section 4.2.1) they follow the registered ones in
 * just this sequence.
 */
export const enum Claim {
  EXPIRY = 4,
  NOT_BEFORE = 5,
  ISSUED_AT = 6,
  CONFIRMATION = 8,
  NONCE = 10,
  UEID = 256,
  OEM_ID = 258,
  HARDWARE_MODEL = 259,
  HARDWARE_VERSION = 260,
  UPTIME = 261,
  DEBUG_STATUS = 263,
  PROFILE = 265,
  BOOT_COUNT = 267,
  BOOT_SEED = 268,
  MEASUREMENTS = 273,

  AGREEMENT = -75000,
  EPOCH = -75001,
  SEQUENCE = -75002,
  BUDGET = -75003,
  RATE = -75004,
  TICKS_MAX = -75005,
  DRAIN = -75006,
  SVN_LEAST = -75007,
  COHORT = -75008,
  ACTION = -75009,
  SCOPE = -75010,
  DRAIN_TICKS = -75011,
  RATE_PERMILLE = -75012,
  GATE_STATE = -75013,
  TAMPER = -75014,
  TOTALS = -75015,
  BUDGET_LEFT = -75016,
  REPORT_HEAD = -75017,
  LICENSE_SEQUENCE = -75018,
  CHALLENGE = -75019,
  TIME_BOUNDS = -75020,
  WEAR = -75021,
  FAILURES = -75022,
  PREVIOUS = -75023,
  INTERVAL = -75024,
  DENIED = -75025,
  THROTTLED = -75026,
  TRANSITIONS = -75027,
  INTERVAL_ROOT = -75028,
  SVN = -75029,
  AGREEMENT_VERSION = -75030,
  LAST_CODE = -75031,
  ORDER = -75032,
  EVIDENCE_DIGEST = -75033,
  PURPOSE = -75034,
  STEPS = -75035,
  REFUSAL = -75036,
  LOG_HEAD = -75037,
}

/** Keys of the agreement document's map. */
export const enum AgreementKey {
  VERSION = 1,
  NAME = 2,
  PARTIES = 3,
  QUORUMS = 4,
  TIME_AUTHORITIES = 5,
  TIME_QUORUM = 6,
  CAPS = 7,
  TICK_HZ = 8,
  DRIFT_PPM = 9,
  LEASE_SECONDS = 10,
  LICENSE_TICKS_MAX = 11,
  SLICE_TICKS = 12,
  DRAIN = 13,
  DRAIN_TICKS_MAX = 14,
  BASELINE = 15,
  OFFLINE = 16,
  SVN_LEAST = 17,
  LOG = 18,
}

/** Keys of the agreement's log terms. */
export const enum LogKey {
  MODE = 1,
  LOG = 2,
  WITNESSES = 3,
  QUORUM = 4,
  CHECKPOINT_SECONDS_MAX = 5,
  PAUSE_BEFORE_PROOF = 6,
}

/** What a log entry holds of a message; first item of the entry, and the agreement's choice. */
export const enum LogMode {
  /** The agreement has no log. */
  NONE = 0,
  /** `[1, type, message]` */
  PLAIN = 1,
  /** `[2, type, SHA-256(salt || message), [* subject]]`: who may see the message has the salt. */
  COMMITMENT = 2,
}

/** Keys of the agreement's map of quorums. */
export const enum QuorumKey {
  LICENSE = 1,
  PAUSE = 2,
  RESUME = 3,
  UPDATE = 4,
  AMEND = 5,
}

/** What an order does. */
export const enum OrderAction {
  PAUSE = 1,
  SLOW = 2,
  RESUME = 3,
}

/** External AAD of an object: the bytes of `quiesce/1/` and one byte of this table. */
export const enum ObjectType {
  ENDORSEMENT = 1,
  ATTESTATION_KEY = 2,
  AGREEMENT = 3,
  EVIDENCE = 4,
  LICENSE = 5,
  ORDER = 6,
  BEACON = 7,
  TIME_PROOF = 8,
  USAGE_REPORT = 9,
  RECOVERY = 11,
}
