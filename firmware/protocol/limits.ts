/** Bounds that both ends keep. Each has its reason; a longer input is refused before it is parsed. */
export const enum Limit {
  /** Longest message either way through the mailbox: bounds the work of one doorbell. */
  MESSAGE_BYTES_MAX = 4096,
  /** Most arrays, maps and tags open at once in a CBOR item. */
  CBOR_DEPTH_MAX = 8,
  /** Most parties of an agreement; a signature each must fit one message. */
  PARTIES_MAX = 8,
  /** Most time authorities of an agreement. */
  TIME_AUTHORITIES_MAX = 4,
  /** Most witnesses of an agreement's log. */
  WITNESSES_MAX = 8,
  /** Longest origin of a log and longest name of a witness, printable ASCII. */
  LOG_NAME_BYTES_MAX = 64,
  /** Most hashes of one Merkle proof: C2SP tlog-witness, and trees of up to 2^63 leaves. */
  LOG_PATH_MAX = 63,
  /** Most UEIDs a cohort license or a scoped order may name. */
  COHORT_MAX = 32,
  KID_BYTES = 8,
  UEID_BYTES = 33,
  NONCE_BYTES = 32,
  /** Shortest and longest nonce of a verifier, RFC 9711 section 4.1. */
  NONCE_BYTES_MIN = 8,
  NONCE_BYTES_MAX = 64,
  DIGEST_BYTES = 32,
  PUBLIC_KEY_BYTES = 32,
  SIGNATURE_BYTES = 64,
  /** A quantity of work: unsigned, big-endian, fixed width, so that no meter value changes a message's length. */
  WORK_BYTES = 16,
  /** How far one license may move the sequence: one wrong signature cannot use a device up. */
  SEQUENCE_STEP_MAX = 1024,
  /** How far one order or beacon may move the epoch. */
  EPOCH_STEP_MAX = 1024,
  /** How far one amendment may move the version. */
  VERSION_STEP_MAX = 1024,
  /** Where a recovery may set the epoch at most: what follows still has room to rise. */
  EPOCH_RECOVERED_MAX = 0x3fffffff,
  /** Refused objects before the first back-off. */
  FAILURES_MAX = 4,
  /** First back-off in seconds; it doubles with each further failure. */
  BACK_OFF_SECONDS = 1,
  /** Doublings of the back-off: 2^12 s = 68 minutes at most. */
  BACK_OFF_DOUBLINGS_MAX = 12,
  /** Intervals of one usage report: the leaves of its Merkle-sum tree. When they are full, neighbors are merged. */
  INTERVALS_MAX = 8,
  /** Gate transitions kept for one usage report; further ones are counted. */
  TRANSITIONS_MAX = 8,
}
