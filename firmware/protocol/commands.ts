/** Mailbox commands. A request is the CBOR array `[command, ...arguments]`, an answer `[code, ...results]`. */
export const enum Command {
  /** `[1]` → `[0, claims]`: what evidence would say, unsigned. */
  INFO = 1,
  /** `[2]` → `[0, certificate]`: the attestation key's certificate by the device key. */
  IDENTITY = 2,
  /** `[3, agreement, ? log-proof]` → `[0]`. */
  AGREEMENT = 3,
  /** `[4]` → `[0, nonce]`: the nonce a time proof must carry. */
  TIME_CHALLENGE = 4,
  /** `[5, proof]` → `[0]`. */
  TIME_PROOF = 5,
  /** `[6, beacon]` → `[0]`. */
  BEACON = 6,
  /** `[7, nonce]` → `[0, evidence]`. */
  EVIDENCE = 7,
  /** `[8, license, ? log-proof]` → `[0]`. */
  LICENSE = 8,
  /** `[9, order, ? log-proof]` → `[0]`. */
  ORDER = 9,
  /** `[10]` → `[0, report, intervals]`: settles, signs and chains a usage report. */
  REPORT = 10,
  /** `[11]` → `[0, report, intervals]`: the newest report once more, byte for byte. */
  REPORT_AGAIN = 11,
  /** `[12]` → `[0]`: the host's checkpoint is saved, the drain may end early. */
  DRAIN_DONE = 12,
  /** `[13]` → `[0]`: one slice of the agreement's baseline, for self-test and diagnostics. */
  DIAGNOSE = 13,
  /** `[14, recovery, ? log-proof]` → `[0]`: a new journal after a rollback was found. */
  RECOVER = 14,
}
