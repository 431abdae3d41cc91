/**
 * The governor's mailbox (docs/protocol.md, "Mailbox"), typed: a method per command. Whatever the governor refuses is
 * thrown as a `Refusal` with its code; so is an answer that is none.
 */
import { Command } from "../firmware/protocol/commands.ts";
import { ErrorCode } from "../firmware/protocol/errors.ts";
import { Limit } from "../firmware/protocol/limits.ts";
import { type Answer, after, type Mode } from "./mode.ts";
import { decodeInfo, type Info } from "./objects/evidence.ts";
import { type CborValue, decode, encode } from "./protocol/cbor.ts";
import { errorPhrase } from "./protocol/error-phrases.ts";
import { Refusal } from "./protocol/refusal.ts";

/** Carries a request to a governor's mailbox and its answer back: at most 4,096 bytes each way. */
export type Exchange<M extends Mode = "sync"> = (request: Uint8Array) => Answer<M, Uint8Array>;

/** A usage report as it was signed, and the intervals that its tree stands for. */
export interface ReportAnswer {
  readonly report: Uint8Array;
  readonly intervals: Uint8Array;
}

export class Mailbox<M extends Mode = "sync"> {
  readonly #exchange: Exchange<M>;

  constructor(exchange: Exchange<M>) {
    this.#exchange = exchange;
  }

  /** What evidence would say, unsigned. */
  info(): Answer<M, Info> {
    return this.#ask(Command.INFO, 1, ([info]) => decodeInfo(info!));
  }

  /** The attestation key's certificate by the device key. */
  identity(): Answer<M, Uint8Array> {
    return this.#askBytes(Command.IDENTITY);
  }

  /** Here and with the other objects below: with its log proof, where the agreement in force has a log. */
  agreement(bytes: Uint8Array, logProof?: Uint8Array): Answer<M, void> {
    return this.#tell(Command.AGREEMENT, bytes, logProof);
  }

  /** The nonce that the next time proof must carry. */
  timeChallenge(): Answer<M, Uint8Array> {
    return this.#askBytes(Command.TIME_CHALLENGE);
  }

  timeProof(bytes: Uint8Array): Answer<M, void> {
    return this.#tell(Command.TIME_PROOF, bytes);
  }

  beacon(bytes: Uint8Array): Answer<M, void> {
    return this.#tell(Command.BEACON, bytes);
  }

  /** Evidence over a verifier's nonce of 8 to 64 bytes. */
  evidence(nonce: Uint8Array): Answer<M, Uint8Array> {
    return this.#askBytes(Command.EVIDENCE, nonce);
  }

  license(bytes: Uint8Array, logProof?: Uint8Array): Answer<M, void> {
    return this.#tell(Command.LICENSE, bytes, logProof);
  }

  order(bytes: Uint8Array, logProof?: Uint8Array): Answer<M, void> {
    return this.#tell(Command.ORDER, bytes, logProof);
  }

  /** Settles, signs and chains a new usage report. */
  report(): Answer<M, ReportAnswer> {
    return this.#askReport(Command.REPORT);
  }

  /** The newest report once more, byte for byte: for when the answer to `report` was lost. */
  reportAgain(): Answer<M, ReportAnswer> {
    return this.#askReport(Command.REPORT_AGAIN);
  }

  /** The host's checkpoint is saved: the drain may end early. */
  drainDone(): Answer<M, void> {
    return this.#tell(Command.DRAIN_DONE);
  }

  /** One slice of the agreement's baseline. */
  diagnose(): Answer<M, void> {
    return this.#tell(Command.DIAGNOSE);
  }

  recover(bytes: Uint8Array, logProof?: Uint8Array): Answer<M, void> {
    return this.#tell(Command.RECOVER, bytes, logProof);
  }

  #ask<T>(
    command: Command,
    resultCount: number,
    read: (results: readonly CborValue[]) => T,
    argument?: Uint8Array,
    logProof?: Uint8Array,
  ): Answer<M, T> {
    const answer = this.#exchange(encodeRequest(command, argument, logProof));
    return after(answer, (bytes) => read(readAnswer(bytes, resultCount)));
  }

  #tell(command: Command, argument?: Uint8Array, logProof?: Uint8Array): Answer<M, void> {
    return this.#ask(command, 0, () => {}, argument, logProof);
  }

  #askBytes(command: Command, argument?: Uint8Array): Answer<M, Uint8Array> {
    return this.#ask(command, 1, ([bytes]) => bytesOf(bytes), argument);
  }

  #askReport(command: Command): Answer<M, ReportAnswer> {
    return this.#ask(command, 2, ([report, intervals]) => ({ report: bytesOf(report), intervals: bytesOf(intervals) }));
  }
}

/** A request as the governor reads it. Throws a `Refusal` (`MAILBOX_LENGTH`) where it would be too long. */
export function encodeRequest(command: Command, argument?: Uint8Array, logProof?: Uint8Array): Uint8Array {
  const request = encode([command, ...[argument, logProof].filter((given) => given !== undefined)]);
  if (request.length > Limit.MESSAGE_BYTES_MAX) {
    throw new Refusal(ErrorCode.MAILBOX_LENGTH, `a request of ${request.length} bytes is too long`);
  }
  return request;
}

/** The results of an answer. Throws its code as a `Refusal`, and `MAILBOX_FORM` for what is no answer. */
export function readAnswer(answer: Uint8Array, resultCount: number): readonly CborValue[] {
  if (answer.length > Limit.MESSAGE_BYTES_MAX) throw new Refusal(ErrorCode.MAILBOX_FORM, "the answer is too long");
  const items = decode(answer);
  const code = Array.isArray(items) ? items[0] : undefined;
  if (!Array.isArray(items) || typeof code !== "number" || code < 0) {
    throw new Refusal(ErrorCode.MAILBOX_FORM, "the answer is not an array that begins with a code");
  }
  if (code !== ErrorCode.OK) throw new Refusal(code, errorPhrase(code).phrase);
  if (items.length !== resultCount + 1) {
    throw new Refusal(ErrorCode.MAILBOX_FORM, `the answer has ${items.length - 1} results instead of ${resultCount}`);
  }
  return items.slice(1);
}

function bytesOf(value: CborValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Refusal(ErrorCode.MAILBOX_FORM, "the result is not a byte string");
  return value;
}
