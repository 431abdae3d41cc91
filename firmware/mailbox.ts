/** The mailbox: one request in, one answer out, one code per refusal (docs/protocol.md, "Mailbox"). */

import { leaveLocked } from "./boot/boot";
import { cborCheck } from "./cbor/check";
import { Reader } from "./cbor/reader";
import { Writer } from "./cbor/writer";
import { countFailure } from "./gate/failures";
import { gateIs } from "./gate/gate";
import { commitOrFail, endDrain, grantBaseline, openIfAllowed, settleNow } from "./gate/run";
import { newTimeNonce } from "./identity/random";
import { proofGiven } from "./log/proof";
import { acceptAgreement } from "./objects/agreement";
import { KEY_CHANGED, payload } from "./objects/common";
import { writeEvidence, writeInfo } from "./objects/evidence";
import { acceptLicense } from "./objects/license";
import { acceptOrder } from "./objects/order";
import { acceptRecovery, canRecover } from "./objects/recovery";
import { acceptBeacon, acceptTimeProof } from "./objects/time";
import { makeReport, repeatReport, reportParts } from "./objects/usage-report";
import { BootProgress } from "./protocol/board";
import { Command } from "./protocol/commands";
import { ErrorCode } from "./protocol/errors";
import { Limit } from "./protocol/limits";
import { GateState } from "./protocol/states";
import { CERTIFICATE, head, session, TIME_NONCE } from "./state";

export const MAILBOX: usize = memory.data(Limit.MESSAGE_BYTES_MAX, 8);
/** Evidence is built here, since the mailbox still holds the nonce that it answers. */
const object: usize = memory.data(Limit.MESSAGE_BYTES_MAX, 8);

const request = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const answer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));

/** Answers the request of `length` bytes in the mailbox; returns the answer's length. */
export function answerRequest(length: i32): i32 {
  if (head.bootProgress == BootProgress.RESET && !gateIs(GateState.TAMPERED))
    return refuse(ErrorCode.MAILBOX_NOT_BOOTED);
  if (length < 1 || length > Limit.MESSAGE_BYTES_MAX) return refuse(ErrorCode.MAILBOX_LENGTH);
  const code = cborCheck(MAILBOX, length);
  if (code != ErrorCode.OK) return refuse(code);
  request.begin(MAILBOX, length);
  if (request.peek() != 4) return refuse(ErrorCode.MAILBOX_FORM);
  const count = request.array();
  if (count < 1 || request.peek() != 0) return refuse(ErrorCode.MAILBOX_FORM);
  const command = request.uint();
  if (command == 0 || command > <u64>Command.RECOVER) return refuse(ErrorCode.MAILBOX_COMMAND);
  const takesBytes = commandTakesBytes(<i32>command);
  const mayHaveProof = count == 3 && commandTakesProof(<i32>command);
  if (!mayHaveProof && count != (takesBytes ? 2 : 1)) return refuse(ErrorCode.MAILBOX_ARGUMENT);
  proofGiven(0, 0);
  let argument: usize = 0;
  let argumentLength: i32 = 0;
  if (takesBytes) {
    if (request.peek() != 2) return refuse(ErrorCode.MAILBOX_ARGUMENT);
    argument = request.bytes();
    argumentLength = request.length;
  }
  if (mayHaveProof) {
    if (request.peek() != 2) return refuse(ErrorCode.MAILBOX_ARGUMENT);
    const proof = request.bytes();
    proofGiven(proof, request.length);
  }
  return perform(<i32>command, argument, argumentLength);
}

/** What a log proof may come with. */
function commandTakesProof(command: i32): bool {
  return (
    command == Command.AGREEMENT || command == Command.LICENSE || command == Command.ORDER || command == Command.RECOVER
  );
}

function commandTakesBytes(command: i32): bool {
  return (
    commandTakesProof(command) ||
    command == Command.TIME_PROOF ||
    command == Command.BEACON ||
    command == Command.EVIDENCE
  );
}

function perform(command: i32, argument: usize, length: i32): i32 {
  if (command == Command.INFO) return info();
  if (gateIs(GateState.TAMPERED)) return refuse(ErrorCode.TAMPERED);
  if (head.bootProgress != BootProgress.READY) return refuse(ErrorCode.GATE_LOCKED);
  switch (command) {
    case Command.IDENTITY:
      return answerBytes(CERTIFICATE, <i32>session.certificateBytes);
    case Command.AGREEMENT:
      return refuse(judged(takeAgreement(argument, length)));
    case Command.TIME_CHALLENGE:
      return newTimeNonce() ? answerBytes(TIME_NONCE, Limit.NONCE_BYTES) : refuse(ErrorCode.BOOT_TRNG);
    case Command.TIME_PROOF:
      return refuse(acceptTimeProof(argument, length));
    case Command.BEACON:
      return refuse(acceptBeacon(argument, length));
    case Command.EVIDENCE:
      return evidence(argument, length);
    case Command.LICENSE:
      return refuse(judged(acceptLicense(argument, length)));
    case Command.ORDER:
      return refuse(judged(acceptOrder(argument, length)));
    case Command.REPORT:
      return report(makeReport());
    case Command.REPORT_AGAIN:
      return report(repeatReport());
    case Command.DRAIN_DONE:
      return refuse(drainDone());
    case Command.DIAGNOSE:
      return refuse(grantBaseline());
    case Command.RECOVER:
      return refuse(judged(acceptRecovery(argument, length)));
    default:
      return refuse(ErrorCode.MAILBOX_COMMAND);
  }
}

/** A bad object costs its sender. */
function judged(code: i32): i32 {
  countFailure(code);
  return code;
}

function takeAgreement(argument: usize, length: i32): i32 {
  const code = acceptAgreement(argument, length);
  if (code != ErrorCode.OK) return code;
  if (session.journalWhole != 0 && !commitOrFail()) return <i32>head.lastCode;
  leaveLocked();
  return ErrorCode.OK;
}

function evidence(nonce: usize, length: i32): i32 {
  if (length < Limit.NONCE_BYTES_MIN || length > Limit.NONCE_BYTES_MAX) return refuse(ErrorCode.EVIDENCE_NONCE);
  if (session.challengeLive == 0) return refuse(ErrorCode.BOOT_TRNG);
  // What is only in memory is not attested; of a lost journal the loss is.
  if (session.journalWhole == 0 && !canRecover(<i32>head.lastCode)) return refuse(ErrorCode.GATE_LOCKED);
  settleNow();
  const written = writeEvidence(nonce, length, object, Limit.MESSAGE_BYTES_MAX);
  return written == KEY_CHANGED ? refuse(ErrorCode.ATTESTATION_KEY) : answerBytes(object, written);
}

function info(): i32 {
  settleNow();
  return answerRaw(payload, writeInfo());
}

function report(code: i32): i32 {
  if (code != ErrorCode.OK) return refuse(code);
  answer.begin(MAILBOX, Limit.MESSAGE_BYTES_MAX);
  answer.array(3);
  answer.uint(ErrorCode.OK);
  answer.bytes(reportParts.report, reportParts.reportLength);
  answer.bytes(reportParts.intervals, reportParts.intervalsLength);
  return finish();
}

function drainDone(): i32 {
  if (!gateIs(GateState.DRAINING)) return ErrorCode.GATE_NOT_OPEN;
  endDrain();
  openIfAllowed();
  return ErrorCode.OK;
}

/** An answer of the code alone: a refusal, or consent. */
function refuse(code: i32): i32 {
  answer.begin(MAILBOX, Limit.MESSAGE_BYTES_MAX);
  answer.array(1);
  answer.uint(<u64>code);
  return finish();
}

function answerBytes(ptr: usize, length: i32): i32 {
  answer.begin(MAILBOX, Limit.MESSAGE_BYTES_MAX);
  answer.array(2);
  answer.uint(ErrorCode.OK);
  answer.bytes(ptr, length);
  return finish();
}

/** An encoded item as the result. */
function answerRaw(ptr: usize, length: i32): i32 {
  answer.begin(MAILBOX, Limit.MESSAGE_BYTES_MAX);
  answer.array(2);
  answer.uint(ErrorCode.OK);
  answer.raw(ptr, length);
  return finish();
}

function finish(): i32 {
  const length = answer.finish();
  return length < 0 ? refuse(ErrorCode.MAILBOX_ANSWER_TOO_LONG) : length;
}
