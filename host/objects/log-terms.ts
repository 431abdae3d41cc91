/**
 * The log terms of an agreement: which log its licenses and orders must stand in, and whose cosignatures a governor wants
 * to see. Rules: docs/protocol.md, "Log".
 */
import { LogKey, LogMode } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { CborValue } from "../protocol/cbor.ts";
import type { Claims } from "./claims.ts";
import { checkMembers, type Member, memberOf, memberValue } from "./member.ts";

export interface LogTerms {
  /** Whether entries hold salted commitments; else they hold the messages as they are. */
  readonly commitments: boolean;
  /** Its name is the origin of its checkpoints (C2SP tlog-checkpoint). */
  readonly log: Member;
  /** 1 to 8; they go by their place here. */
  readonly witnesses: readonly Member[];
  /** How many of them must have cosigned: more than half, up to all. */
  readonly witnessQuorum: number;
  /** How old a cosignature may be when the governor sees it, 1 second to a year. */
  readonly checkpointSecondsMax: number;
  /** Whether a pause is taken without a proof: it may be logged later, the gate should close now. */
  readonly pauseBeforeProof: boolean;
}

const CHECKPOINT_SECONDS_MAX = 31_536_000;
/** Printable ASCII without space and plus: a name stands in a line of text between both (C2SP signed-note). */
const NAME = /^[!-*,-~]+$/;

export function logTermsValue(terms: LogTerms): CborValue {
  return new Map<number, CborValue>([
    [LogKey.MODE, terms.commitments ? LogMode.COMMITMENT : LogMode.PLAIN],
    [LogKey.LOG, memberValue(terms.log)],
    [LogKey.WITNESSES, terms.witnesses.map(memberValue)],
    [LogKey.QUORUM, terms.witnessQuorum],
    [LogKey.CHECKPOINT_SECONDS_MAX, terms.checkpointSecondsMax],
    [LogKey.PAUSE_BEFORE_PROOF, terms.pauseBeforeProof],
  ]);
}

export function readLogTerms(terms: Claims): LogTerms {
  const mode = terms.u32(LogKey.MODE, LogMode.COMMITMENT);
  if (mode === LogMode.NONE) terms.refuse("log entries of no kind");
  const read: LogTerms = {
    commitments: mode === LogMode.COMMITMENT,
    log: nameChecked(memberOf(terms, LogKey.LOG, Limit.LOG_NAME_BYTES_MAX), terms),
    witnesses: terms.list(LogKey.WITNESSES, 0, Limit.WITNESSES_MAX, (items, index) =>
      nameChecked(memberOf(items, index, Limit.LOG_NAME_BYTES_MAX), terms),
    ),
    witnessQuorum: terms.u32(LogKey.QUORUM, Limit.WITNESSES_MAX),
    checkpointSecondsMax: terms.u32(LogKey.CHECKPOINT_SECONDS_MAX),
    pauseBeforeProof: terms.bool(LogKey.PAUSE_BEFORE_PROOF),
  };
  terms.end();
  return read;
}

function nameChecked(member: Member, terms: Claims): Member {
  if (!NAME.test(member.name)) terms.refuse(`"${member.name}" is no name of a log or a witness`);
  return member;
}

/** Throws a `Refusal` with the code that the governor gives. */
export function checkLogTerms({ log, witnesses, witnessQuorum, checkpointSecondsMax }: LogTerms, claims: Claims): void {
  if (checkpointSecondsMax < 1 || checkpointSecondsMax > CHECKPOINT_SECONDS_MAX) {
    claims.refuse(`cosignatures of up to ${checkpointSecondsMax} s`, ErrorCode.AGREEMENT_LIMIT);
  }
  // Two quorums without a common witness could each cosign a history of their own, all of them honest.
  if (2 * witnessQuorum <= witnesses.length || witnessQuorum > witnesses.length) {
    claims.refuse(`a witness quorum of ${witnessQuorum} of ${witnesses.length}`, ErrorCode.AGREEMENT_QUORUM_RULE);
  }
  // The log among the witnesses would vouch for itself.
  checkMembers([log, ...witnesses], claims);
}
