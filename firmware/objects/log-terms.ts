/**
 * The log terms of an agreement (docs/protocol.md, "Log"). They are too many for the State block and are asked for once a
 * license, so they are read from the agreement itself whenever a proof comes: it lies in flash, under the digest that
 * State and fuses hold (`readAgreementInForce`).
 */
import { LogKey, LogMode } from "../protocol/claims";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { KEY_BYTES, Pact } from "../state";
import { claimMisfit, claims, claimUint } from "./claims";
import { keysAreSound, Name, readMember } from "./member";

@unmanaged
@final
class LogTerms {
  witnesses: u32;
  quorum: u32;
  /** How old a cosignature may be. */
  checkpointSecondsMax: u32;
  originLength: i32;
  /** Address of the log's name, in the agreement that was read last. */
  origin: usize;
}

export const logTerms = changetype<LogTerms>(memory.data(offsetof<LogTerms>(), 8));
/** Kid and public key of the log, then of each witness. */
export const LOG_KEY: usize = memory.data(<i32>(KEY_BYTES * (1 + Limit.WITNESSES_MAX)), 8);
export const WITNESS_KEYS: usize = LOG_KEY + KEY_BYTES;

const CHECKPOINT_SECONDS_MAX: u32 = 31536000;

/** Reads the terms that come next among the claims. */
export function readLogTerms(pact: Pact): void {
  if (claims.map() != 6) claimMisfit();
  claimIsNext(LogKey.MODE);
  pact.logMode = <u8>claimUint(LogMode.COMMITMENT);
  if (pact.logMode == LogMode.NONE) claimMisfit();
  claimIsNext(LogKey.LOG);
  const origin = readLogMember(LOG_KEY);
  logTerms.origin = origin.at;
  logTerms.originLength = origin.length;
  claimIsNext(LogKey.WITNESSES);
  logTerms.witnesses = readWitnesses();
  claimIsNext(LogKey.QUORUM);
  logTerms.quorum = <u32>claimUint(Limit.WITNESSES_MAX);
  claimIsNext(LogKey.CHECKPOINT_SECONDS_MAX);
  logTerms.checkpointSecondsMax = <u32>claimUint(u32.MAX_VALUE);
  claimIsNext(LogKey.PAUSE_BEFORE_PROOF);
  pact.pauseBeforeProof = claims.bool() ? 1 : 0;
}

/** All six keys are there, in their order. */
function claimIsNext(key: i32): void {
  if (claims.uint() != <u64>key) claimMisfit();
}

function readWitnesses(): u32 {
  const count = claims.array();
  if (count > Limit.WITNESSES_MAX) {
    claimMisfit();
    return 0;
  }
  for (let i = 0; i < count; i++) readLogMember(WITNESS_KEYS + <usize>i * KEY_BYTES);
  return <u32>count;
}

/** Its name is printable ASCII without space and plus: it stands in a line of text between both (C2SP signed-note). */
function readLogMember(out: usize): Name {
  const name = readMember(out, Limit.LOG_NAME_BYTES_MAX);
  if (claims.error != ErrorCode.OK) return name;
  for (let i = 0; i < name.length; i++) {
    const character = <i32>load<u8>(name.at + i);
    if (character <= 0x20 || character > 0x7e || character == 0x2b) claimMisfit();
  }
  return name;
}

/** OK, or what is wrong with the terms that were read. */
export function checkLogTerms(): i32 {
  if (logTerms.checkpointSecondsMax == 0 || logTerms.checkpointSecondsMax > CHECKPOINT_SECONDS_MAX) {
    return ErrorCode.AGREEMENT_LIMIT;
  }
  if (logTerms.quorum > logTerms.witnesses) return ErrorCode.AGREEMENT_QUORUM_RULE;
  // Two quorums without a common witness could each cosign a history of their own, all of them honest.
  if (logTerms.quorum <= logTerms.witnesses >> 1) return ErrorCode.AGREEMENT_QUORUM_RULE;
  // The log among the witnesses would vouch for itself.
  return keysAreSound(LOG_KEY, 1 + logTerms.witnesses) ? ErrorCode.OK : ErrorCode.AGREEMENT_PARTY;
}
