/**
 * The governor's mailbox (docs/protocol.md, "Mailbox"), typed: a method per command. Whatever the governor refuses is
 * thrown as a `Refusal` with its code; so is an answer that is none.
 */
import { Command } from "../firmware/protocol/commands.ts";
import { ErrorCode } from "../firmware/protocol/errors.ts";
import { Limit } from "../firmware/protocol/limits.ts";
import { decodeInfo, type Info } from "./objects/evidence.ts";
import { type CborValue, decode, encode } from "./protocol/cbor.ts";
import { errorPhrase } from "./protocol/error-phrases.ts";
import { Refusal } from "./protocol/refusal.ts";

/** Carries a request to a governor's mailbox and its answer back: at most 4,096 bytes each way. */
export type Exchange = (request: Uint8Array) => Uint8Array;

/** A usage report as it was signed, and the intervals that its tree stands for. */
export interface ReportAnswer {
  readonly report: Uint8Array;
  readonly intervals: Uint8Array;
}

export class Mailbox {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** What evidence would say, unsigned. */
  info(): Info {
    return decodeInfo(this.#ask(Command.INFO, 1)[0]!);
  }

  /** The attestation key's certificate by the device key. */
  identity(): Uint8Array {
    return this.#askBytes(Command.IDENTITY);
  }

  agreement(bytes: Uint8Array): void {
    this.#ask(Command.AGREEMENT, 0, bytes);
  }

  /** The nonce that the next time proof must carry. */
  timeChallenge(): Uint8Array {
    return this.#askBytes(Command.TIME_CHALLENGE);
  }

  timeProof(bytes: Uint8Array): void {
    this.#ask(Command.TIME_PROOF, 0, bytes);
  }

  beacon(bytes: Uint8Array): void {
    this.#ask(Command.BEACON, 0, bytes);
  }

  /** Evidence over a verifier's nonce of 8 to 64 bytes. */
  evidence(nonce: Uint8Array): Uint8Array {
    return this.#askBytes(Command.EVIDENCE, nonce);
  }

  license(bytes: Uint8Array): void {
    this.#ask(Command.LICENSE, 0, bytes);
  }

  order(bytes: Uint8Array): void {
    this.#ask(Command.ORDER, 0, bytes);
  }

  /** Settles, signs and chains a new usage report. */
  report(): ReportAnswer {
    return this.#askReport(Command.REPORT);
  }

  /** The newest report once more, byte for byte: for when the answer to `report` was lost. */
  reportAgain(): ReportAnswer {
    return this.#askReport(Command.REPORT_AGAIN);
  }

  /** The host's checkpoint is saved: the drain may end early. */
  drainDone(): void {
    this.#ask(Command.DRAIN_DONE, 0);
  }

  /** One slice of the agreement's baseline. */
  diagnose(): void {
    this.#ask(Command.DIAGNOSE, 0);
  }

  recover(bytes: Uint8Array): void {
    this.#ask(Command.RECOVER, 0, bytes);
  }

  #ask(command: Command, resultCount: number, argument?: Uint8Array): readonly CborValue[] {
    return readAnswer(this.#exchange(encodeRequest(command, argument)), resultCount);
  }

  #askBytes(command: Command, argument?: Uint8Array): Uint8Array {
    return bytesOf(this.#ask(command, 1, argument)[0]);
  }

  #askReport(command: Command): ReportAnswer {
    const [report, intervals] = this.#ask(command, 2);
    return { report: bytesOf(report), intervals: bytesOf(intervals) };
  }
}

/** A request as the governor reads it. Throws a `Refusal` (`MAILBOX_LENGTH`) where it would be too long. */
export function encodeRequest(command: Command, argument?: Uint8Array): Uint8Array {
  const request = encode(argument === undefined ? [command] : [command, argument]);
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
