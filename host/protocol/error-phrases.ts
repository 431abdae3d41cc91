/**
 * What each refusal of the governor means and what to do about it. `docs/errors.md` is made from this table and
 * `firmware/protocol/errors.ts`; a test holds the two complete and their names and numbers the same.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";

export interface ErrorPhrase {
  /** The name in `firmware/protocol/errors.ts`. */
  readonly name: string;
  /** What was wrong. */
  readonly phrase: string;
  /** What whoever met it should do. */
  readonly remedy: string;
}

const NONE = "Nothing to do.";
const ENCODE = "Encode the message as RFC 8949 section 4.2.1 asks; docs/protocol.md states the profile.";
const SIGN = "Sign as docs/protocol.md states; the object and the signatures must be of this protocol's profile.";
const SILICON = "Power the board off and on; if it comes again, the part is defective: return it to the manufacturer.";
const RECOVER = "Let the license quorum judge fresh evidence and sign a recovery on its challenge.";
const FETCH_PROOF = "Fetch the object's proof anew from the verifier that keeps the log.";
const FETCH_AGREEMENT = "Fetch the agreement that is in force and issue the object under it.";

// biome-ignore format: a table, one row a code
export const ERROR_PHRASES: Readonly<Record<number, ErrorPhrase>> = {
  [ErrorCode.OK]: row("OK", "the request was carried out", NONE),

  [ErrorCode.MAILBOX_LENGTH]: row("MAILBOX_LENGTH", "the request is empty or longer than 4,096 bytes", "Send one CBOR message of 1 to 4,096 bytes."),
  [ErrorCode.MAILBOX_FORM]: row("MAILBOX_FORM", "the request is not an array that begins with a command number", "Send [command, ...arguments]."),
  [ErrorCode.MAILBOX_COMMAND]: row("MAILBOX_COMMAND", "the governor has no such command", "Use a command of firmware/protocol/commands.ts; a newer command needs a newer governor."),
  [ErrorCode.MAILBOX_ARGUMENT]: row("MAILBOX_ARGUMENT", "an argument is missing, surplus, or of the wrong type", "Send the arguments that firmware/protocol/commands.ts names for the command."),
  [ErrorCode.MAILBOX_NOT_BOOTED]: row("MAILBOX_NOT_BOOTED", "boot did not come far enough to serve this command", "Read the boot progress and the last code in the State block; they say what stopped it."),
  [ErrorCode.MAILBOX_ANSWER_TOO_LONG]: row("MAILBOX_ANSWER_TOO_LONG", "the answer would be longer than 4,096 bytes", "Report it: no answer of this version may be that long."),

  [ErrorCode.CBOR_TRUNCATED]: row("CBOR_TRUNCATED", "the CBOR ends in the middle of an item", "Send the whole item."),
  [ErrorCode.CBOR_TRAILING]: row("CBOR_TRAILING", "bytes follow the CBOR item", "Send exactly one item."),
  [ErrorCode.CBOR_NOT_SHORTEST]: row("CBOR_NOT_SHORTEST", "an integer or a length is not in its shortest form", ENCODE),
  [ErrorCode.CBOR_INDEFINITE]: row("CBOR_INDEFINITE", "an item has indefinite length", ENCODE),
  [ErrorCode.CBOR_RESERVED]: row("CBOR_RESERVED", "an item's head uses a reserved value", ENCODE),
  [ErrorCode.CBOR_SIMPLE]: row("CBOR_SIMPLE", "a simple value is not false, true or null", ENCODE),
  [ErrorCode.CBOR_FLOAT]: row("CBOR_FLOAT", "there is a floating-point number", "Use integers; quantities of work are byte strings of 16 bytes."),
  [ErrorCode.CBOR_UTF8]: row("CBOR_UTF8", "a text string is not valid UTF-8", ENCODE),
  [ErrorCode.CBOR_KEY_ORDER]: row("CBOR_KEY_ORDER", "map keys are not in the bytewise order of their encodings", ENCODE),
  [ErrorCode.CBOR_KEY_DUPLICATE]: row("CBOR_KEY_DUPLICATE", "a map has the same key twice", ENCODE),
  [ErrorCode.CBOR_DEPTH]: row("CBOR_DEPTH", "items are nested more than 8 deep", ENCODE),
  [ErrorCode.CBOR_LENGTH]: row("CBOR_LENGTH", "a length is over the bound of a message", ENCODE),
  [ErrorCode.CBOR_TYPE]: row("CBOR_TYPE", "an item is not of the type or the size that its place asks for", "Compare the object with its CDDL in docs/protocol.md."),

  [ErrorCode.COSE_TAG]: row("COSE_TAG", "the object is not tagged as the COSE message that is wanted here", "Send COSE_Sign1 (tag 18) or COSE_Sign (tag 98) as docs/protocol.md names for the object."),
  [ErrorCode.COSE_FORM]: row("COSE_FORM", "the COSE message does not have the parts of RFC 9052", SIGN),
  [ErrorCode.COSE_ALGORITHM]: row("COSE_ALGORITHM", "the protected header does not name Ed25519 (-19)", "Sign with the fully specified algorithm of RFC 9864."),
  [ErrorCode.COSE_HEADER]: row("COSE_HEADER", "a header parameter is unknown, missing, or in the wrong bucket", SIGN),
  [ErrorCode.COSE_HEADER_TWICE]: row("COSE_HEADER_TWICE", "a header parameter stands in both buckets", SIGN),
  [ErrorCode.COSE_CRITICAL]: row("COSE_CRITICAL", "a header parameter is marked critical that is not understood", "Leave it out, or send the object to a newer governor."),
  [ErrorCode.COSE_KID]: row("COSE_KID", "the key id is missing, not 8 bytes, or not the signer's", "Take the first 8 bytes of the key's RFC 9679 thumbprint."),
  [ErrorCode.COSE_SIGNATURE]: row("COSE_SIGNATURE", "a signature does not hold for this key, this payload and this type of object", "Fetch the object again; if it stays so, it was altered, or signed as another type."),
  [ErrorCode.COSE_QUORUM]: row("COSE_QUORUM", "fewer known signers than the quorum asks for", "Gather the missing signatures."),
  [ErrorCode.COSE_SIGNER_TWICE]: row("COSE_SIGNER_TWICE", "one key signed twice", "Keep one signature of each signer."),
  [ErrorCode.COSE_SIGNATURES_SURPLUS]: row("COSE_SIGNATURES_SURPLUS", "more signatures than the quorum asks for", "Leave the surplus signatures out."),
  [ErrorCode.COSE_PAYLOAD]: row("COSE_PAYLOAD", "the payload is missing, empty or detached", SIGN),

  [ErrorCode.BOOT_SELF_TEST_SHA256]: row("BOOT_SELF_TEST_SHA256", "the known-answer test of SHA-256 failed", SILICON),
  [ErrorCode.BOOT_SELF_TEST_SHA512]: row("BOOT_SELF_TEST_SHA512", "the known-answer test of SHA-512 failed", SILICON),
  [ErrorCode.BOOT_SELF_TEST_HMAC]: row("BOOT_SELF_TEST_HMAC", "the known-answer test of HMAC failed", SILICON),
  [ErrorCode.BOOT_SELF_TEST_HKDF]: row("BOOT_SELF_TEST_HKDF", "the known-answer test of HKDF failed", SILICON),
  [ErrorCode.BOOT_SELF_TEST_ED25519_SIGN]: row("BOOT_SELF_TEST_ED25519_SIGN", "the known-answer test of signing failed", SILICON),
  [ErrorCode.BOOT_SELF_TEST_ED25519_VERIFY]: row("BOOT_SELF_TEST_ED25519_VERIFY", "the known-answer test of verifying failed", SILICON),
  [ErrorCode.BOOT_SELF_TEST_CBOR]: row("BOOT_SELF_TEST_CBOR", "the known-answer test of the CBOR check failed", SILICON),
  [ErrorCode.BOOT_TRNG]: row("BOOT_TRNG", "the random number generator repeats itself or is biased", SILICON),
  [ErrorCode.BOOT_HANDOFF]: row("BOOT_HANDOFF", "the boot ROM's hand-off is not whole", "Check that boot ROM and governor are of versions that belong together."),
  [ErrorCode.BOOT_NOT_PROVISIONED]: row("BOOT_NOT_PROVISIONED", "the fuses hold no identity", "Let the manufacturer provision the board."),
  [ErrorCode.BOOT_SVN]: row("BOOT_SVN", "the governor is older than the fuses or the agreement allow", "Install a governor with at least that security version number."),

  [ErrorCode.JOURNAL_ROLLBACK]: row("JOURNAL_ROLLBACK", "the newest journal record does not belong to the monotonic counter: the flash was rolled back", RECOVER),
  [ErrorCode.JOURNAL_MISSING]: row("JOURNAL_MISSING", "the counter has stepped, but the flash holds no journal record", RECOVER),
  [ErrorCode.JOURNAL_WRITE]: row("JOURNAL_WRITE", "the flash did not take a journal record", "Replace the flash; then recover the board."),
  [ErrorCode.JOURNAL_COUNTER]: row("JOURNAL_COUNTER", "the monotonic counter did not step", SILICON),
  [ErrorCode.JOURNAL_COUNTER_WORN]: row("JOURNAL_COUNTER_WORN", "the monotonic counter is at its end of life", "Retire the board; longer slices make the next one last longer."),

  [ErrorCode.AGREEMENT_MISSING]: row("AGREEMENT_MISSING", "the board has no agreement", "Provision the agreement."),
  [ErrorCode.AGREEMENT_CLAIM]: row("AGREEMENT_CLAIM", "a member of the agreement is unknown, missing, or of the wrong type", "Compare the agreement with its CDDL in docs/protocol.md."),
  [ErrorCode.AGREEMENT_LIMIT]: row("AGREEMENT_LIMIT", "a number of the agreement is out of its range", "Keep to the ranges that docs/protocol.md states."),
  [ErrorCode.AGREEMENT_QUORUM_RULE]: row("AGREEMENT_QUORUM_RULE", "a quorum is zero or larger than the number of its keys", "Choose quorums of 1 to n."),
  [ErrorCode.AGREEMENT_PARTY]: row("AGREEMENT_PARTY", "a key is named twice, or a kid is not its key's thumbprint", "Name each key once, with the kid that RFC 9679 gives it."),
  [ErrorCode.AGREEMENT_VERSION]: row("AGREEMENT_VERSION", "the agreement's version is not above the one in force", "Raise the version."),
  [ErrorCode.AGREEMENT_OTHER]: row("AGREEMENT_OTHER", "the agreement in flash is not the one in the fuses", "Provision the agreement whose digest the fuses hold."),
  [ErrorCode.AGREEMENT_FUSES_FULL]: row("AGREEMENT_FUSES_FULL", "all 16 fuse slots for agreements are used", "The agreement in force is this board's last; retire it to amend."),
  [ErrorCode.AGREEMENT_BUSY]: row("AGREEMENT_BUSY", "the agreement cannot be amended while work flows", "Pause, or let the license end, then amend."),

  [ErrorCode.LICENSE_CLAIM]: row("LICENSE_CLAIM", "a claim of the license is unknown, missing, or of the wrong type", "Compare the license with its CDDL in docs/protocol.md."),
  [ErrorCode.LICENSE_DEVICE]: row("LICENSE_DEVICE", "the license is for another device", "Deliver the license that names this UEID."),
  [ErrorCode.LICENSE_AGREEMENT]: row("LICENSE_AGREEMENT", "the license stands under another agreement", FETCH_AGREEMENT),
  [ErrorCode.LICENSE_EPOCH]: row("LICENSE_EPOCH", "the license was not issued in the current epoch", "Deliver the newest order, then ask for a license of its epoch."),
  [ErrorCode.LICENSE_SEQUENCE_REPLAYED]: row("LICENSE_SEQUENCE_REPLAYED", "a license of this sequence or a later one was installed already", "Ask for a new license; a license is installed once."),
  [ErrorCode.LICENSE_SEQUENCE_JUMP]: row("LICENSE_SEQUENCE_JUMP", "the sequence is more than 1,024 beyond the last", "Issue the license with the sequence that follows the evidence."),
  [ErrorCode.LICENSE_NONCE]: row("LICENSE_NONCE", "the license does not answer this board's challenge", "Take fresh evidence and ask again; a challenge is good once and until the next power-up."),
  [ErrorCode.LICENSE_OFFLINE_NOT_ALLOWED]: row("LICENSE_OFFLINE_NOT_ALLOWED", "the license has no nonce, and the agreement allows no offline licenses", "Ask for a license on fresh evidence."),
  [ErrorCode.LICENSE_NOT_YET_VALID]: row("LICENSE_NOT_YET_VALID", "the license's time has not certainly come", "Deliver it later, or after a beacon that lifts the lower bound of the time."),
  [ErrorCode.LICENSE_EXPIRED]: row("LICENSE_EXPIRED", "the license may have expired", "Ask for a new license; a fresh time proof narrows the bounds of the time."),
  [ErrorCode.LICENSE_BUDGET_OVER_CAP]: row("LICENSE_BUDGET_OVER_CAP", "the budget is over the agreement's cap", "Issue a license within the caps."),
  [ErrorCode.LICENSE_TICKS_OVER_CAP]: row("LICENSE_TICKS_OVER_CAP", "the license's ticks are over the agreement's cap", "Issue a license within the caps."),
  [ErrorCode.LICENSE_SVN]: row("LICENSE_SVN", "the license asks for a newer governor", "Update the governor."),
  [ErrorCode.LICENSE_CLASS]: row("LICENSE_CLASS", "the license names an engine class that the agreement does not", "Name only classes that the agreement has caps for."),
  [ErrorCode.LICENSE_BACK_OFF]: row("LICENSE_BACK_OFF", "refused unread: too many bad objects, the back-off runs", "Wait until the back-off that evidence states is over, then take fresh evidence."),
  [ErrorCode.LICENSE_PAUSED]: row("LICENSE_PAUSED", "a pause order is in force", "Ask the parties for a resume order."),
  [ErrorCode.LICENSE_TIME_UNKNOWN]: row("LICENSE_TIME_UNKNOWN", "the board does not know the time, so it cannot judge the license's window", "Deliver a time proof first."),
  [ErrorCode.LICENSE_RATE_OVER_CAP]: row("LICENSE_RATE_OVER_CAP", "the license's rate is over the agreement's", "Issue a license within the caps."),
  [ErrorCode.LICENSE_DRAIN_OVER_CAP]: row("LICENSE_DRAIN_OVER_CAP", "the license's drain allowance is over the agreement's", "Issue a license within the caps."),

  [ErrorCode.ORDER_CLAIM]: row("ORDER_CLAIM", "a claim of the order is unknown, missing, or of the wrong type", "Compare the order with its CDDL in docs/protocol.md."),
  [ErrorCode.ORDER_AGREEMENT]: row("ORDER_AGREEMENT", "the order stands under another agreement", FETCH_AGREEMENT),
  [ErrorCode.ORDER_PREVIOUS]: row("ORDER_PREVIOUS", "the order follows one that this governor has not seen", "Deliver the orders in between first, oldest first."),
  [ErrorCode.ORDER_EPOCH_OLD]: row("ORDER_EPOCH_OLD", "an order of this epoch or a later one was accepted already", "Nothing, if it is the same order; otherwise issue it with a higher epoch."),
  [ErrorCode.ORDER_EPOCH_JUMP]: row("ORDER_EPOCH_JUMP", "the order's epoch is more than 1,024 beyond the current one", "Deliver an order of an epoch in between first."),
  [ErrorCode.ORDER_NOT_YET]: row("ORDER_NOT_YET", "the order's time has not certainly come", "Deliver it again later, or after a beacon."),

  [ErrorCode.TIME_CLAIM]: row("TIME_CLAIM", "a claim of the beacon or time proof is unknown, missing, or of the wrong type", "Compare it with its CDDL in docs/protocol.md."),
  [ErrorCode.TIME_AGREEMENT]: row("TIME_AGREEMENT", "the beacon or time proof stands under another agreement", FETCH_AGREEMENT),
  [ErrorCode.TIME_NONCE]: row("TIME_NONCE", "the time proof does not answer the last time challenge", "Ask for a challenge, then for a proof on it; each is good once."),
  [ErrorCode.TIME_STALE]: row("TIME_STALE", "the beacon or time proof is older than what is known already", "Fetch a newer one."),
  [ErrorCode.TIME_UNKNOWN]: row("TIME_UNKNOWN", "the board knows nothing of the time yet", "Deliver a time proof first."),
  [ErrorCode.TIME_EPOCH_JUMP]: row("TIME_EPOCH_JUMP", "the beacon's or proof's epoch is more than 1,024 beyond the current one", "Deliver the orders in between first."),
  [ErrorCode.TIME_EPOCH_OLD]: row("TIME_EPOCH_OLD", "the beacon or proof confirms an order older than the one in force", "Let the time authorities know the newest order; then bring a new beacon or proof."),

  [ErrorCode.GATE_NOT_OPEN]: row("GATE_NOT_OPEN", "the gate is not in a state in which this can be done", "Read the gate's state in INFO; a license, a lease or a drain may be missing."),
  [ErrorCode.GATE_LOCKED]: row("GATE_LOCKED", "the gate is locked", "Read the last code in INFO: it says what locked it."),
  [ErrorCode.GATE_LEASE_LAPSED]: row("GATE_LEASE_LAPSED", "no beacon is fresh within one lease", "Deliver a fresh beacon."),
  [ErrorCode.GATE_LICENSE_ENDED]: row("GATE_LICENSE_ENDED", "the license ran out of time, ticks or budget, or there is none", "Report, take evidence, and ask for the next license."),
  [ErrorCode.GATE_ORDER_WITHHELD]: row("GATE_ORDER_WITHHELD", "a time authority names a higher epoch: an order has not been delivered", "Deliver the newest order."),
  [ErrorCode.GATE_STATE_INVALID]: row("GATE_STATE_INVALID", "the gate's state or its proof does not hold: something wrote to it that must not", SILICON),
  [ErrorCode.GATE_BASELINE]: row("GATE_BASELINE", "the agreement has no baseline, or it is used up", "Ask for a license."),
  [ErrorCode.METER_SATURATED]: row("METER_SATURATED", "a meter reached its end; the gate stays closed", "Retire the board."),
  [ErrorCode.METER_REGRESSED]: row("METER_REGRESSED", "a hardware counter went back", SILICON),
  [ErrorCode.METER_OVERRUN]: row("METER_OVERRUN", "the hardware counters show more work than credit was granted", SILICON),
  [ErrorCode.METER_UNCOUNTED]: row("METER_UNCOUNTED", "credit was used up, and the hardware counters do not show the work", SILICON),
  [ErrorCode.GATE_REPORT_DUE]: row("GATE_REPORT_DUE", "work must be reported before more of it may flow", "Take a usage report and deliver it to the verifier."),
  [ErrorCode.GATE_DRAINED]: row("GATE_DRAINED", "the drain is over: its ticks or its allowance are used, or the host said that it is done", "Nothing, when the checkpoint is saved; otherwise ask for a larger drain allowance next time."),

  [ErrorCode.EVIDENCE_NONCE]: row("EVIDENCE_NONCE", "the verifier's nonce is not 8 to 64 bytes", "Use a nonce of 8 to 64 bytes (RFC 9711 section 4.1)."),
  [ErrorCode.REPORT_NONE]: row("REPORT_NONE", "there is no report yet", "Ask for a new report."),
  [ErrorCode.REPORT_STORE]: row("REPORT_STORE", "the flash did not take the report", "Replace the flash; then recover the board."),
  [ErrorCode.ATTESTATION_KEY]: row("ATTESTATION_KEY", "the attestation key in memory is no longer the one of its key id, so nothing was signed", "Power-cycle the board, which derives the key anew; if it comes again, replace the board."),

  [ErrorCode.RECOVERY_NOT_NEEDED]: row("RECOVERY_NOT_NEEDED", "the journal is whole", NONE),
  [ErrorCode.RECOVERY_CLAIM]: row("RECOVERY_CLAIM", "a claim of the recovery is unknown, missing, or of the wrong type", "Compare the recovery with its CDDL in docs/protocol.md."),
  [ErrorCode.RECOVERY_DEVICE]: row("RECOVERY_DEVICE", "the recovery is for another device", "Deliver the recovery that names this UEID."),
  [ErrorCode.RECOVERY_NONCE]: row("RECOVERY_NONCE", "the recovery does not answer this board's challenge", "Take fresh evidence and ask again."),
  [ErrorCode.RECOVERY_AGREEMENT]: row("RECOVERY_AGREEMENT", "the recovery stands under another agreement", FETCH_AGREEMENT),

  [ErrorCode.LOG_PROOF_MISSING]: row("LOG_PROOF_MISSING", "the agreement wants a log proof with this object, and there is none", FETCH_PROOF),
  [ErrorCode.LOG_PROOF_FORM]: row("LOG_PROOF_FORM", "the log proof is not what its CDDL says", "Compare the proof with its CDDL in docs/protocol.md."),
  [ErrorCode.LOG_NOT_AGREED]: row("LOG_NOT_AGREED", "a log proof came with the object, but the agreement names no log", "Deliver the object alone."),
  [ErrorCode.LOG_KEY]: row("LOG_KEY", "the receipt is from another log than the agreement's", FETCH_PROOF),
  [ErrorCode.LOG_TREE_SIZE]: row("LOG_TREE_SIZE", "receipt and checkpoint are of trees of different sizes, or of an empty one", FETCH_PROOF),
  [ErrorCode.LOG_INCLUSION]: row("LOG_INCLUSION", "the inclusion proof does not lead from this object to the checkpoint's root", "Fetch the proof of this very object."),
  [ErrorCode.LOG_ROLLED_BACK]: row("LOG_ROLLED_BACK", "the checkpoint is of a smaller tree than one that this governor saw before", FETCH_PROOF),
  [ErrorCode.LOG_FORKED]: row("LOG_FORKED", "the checkpoint does not continue the tree that this governor saw before", "Fetch a proof from the head in the board's evidence. If there is none, the log has shown two histories: publish both."),
  [ErrorCode.LOG_RECEIPT]: row("LOG_RECEIPT", "the log's signature on the receipt does not hold", FETCH_PROOF),
  [ErrorCode.LOG_CHECKPOINT]: row("LOG_CHECKPOINT", "the log's signature on the checkpoint does not hold", FETCH_PROOF),
  [ErrorCode.LOG_WITNESS_MISSING]: row("LOG_WITNESS_MISSING", "no witness has cosigned the checkpoint", "Wait until witnesses have cosigned, and fetch the proof again."),
  [ErrorCode.LOG_WITNESS_QUORUM]: row("LOG_WITNESS_QUORUM", "the cosignatures are not exactly as many as the agreement's witness quorum", "Wait until enough witnesses have cosigned, and fetch the proof again."),
  [ErrorCode.LOG_WITNESS_UNKNOWN]: row("LOG_WITNESS_UNKNOWN", "a cosignature is of no witness of the agreement, or out of their order", FETCH_PROOF),
  [ErrorCode.LOG_COSIGNATURE]: row("LOG_COSIGNATURE", "a witness's cosignature does not hold", FETCH_PROOF),
  [ErrorCode.LOG_STALE]: row("LOG_STALE", "a cosignature is older than the agreement allows", "Fetch a proof from the log's newest checkpoint."),

  [ErrorCode.TAMPERED]: row("TAMPERED", "a tamper sensor fired: the secrets are erased", "This board will not run again; its evidence of the fact is INFO."),
};

/** The phrase of a code; for one that the table doesn't know, a row that says so. */
export function errorPhrase(code: number): ErrorPhrase {
  return (
    ERROR_PHRASES[code] ??
    row(`0x${code.toString(16).padStart(4, "0")}`, "a refusal that this version does not know", "Update the host.")
  );
}

function row(name: string, phrase: string, remedy: string): ErrorPhrase {
  return { name, phrase, remedy };
}
