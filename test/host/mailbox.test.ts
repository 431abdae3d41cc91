import { describe, expect, it } from "vitest";
import { Command } from "../../firmware/protocol/commands.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { encodeRequest, Mailbox, readAnswer } from "../../host/mailbox.ts";
import { type CborValue, decode, encode } from "../../host/protocol/cbor.ts";
import { codeOf } from "../refusals.ts";

const answering = (answer: CborValue) => {
  const requests: CborValue[] = [];
  const mailbox = new Mailbox((request) => {
    requests.push(decode(request));
    return encode(answer);
  });
  return { mailbox, requests };
};

describe("the mailbox client", () => {
  it("sends a command and its argument as one array, and nothing else", () => {
    const { mailbox, requests } = answering([0]);
    const object = Uint8Array.of(1, 2);
    mailbox.agreement(object);
    mailbox.timeProof(object);
    mailbox.beacon(object);
    mailbox.license(object);
    mailbox.order(object);
    mailbox.recover(object);
    mailbox.drainDone();
    mailbox.diagnose();
    expect(requests).toEqual([
      [Command.AGREEMENT, object],
      [Command.TIME_PROOF, object],
      [Command.BEACON, object],
      [Command.LICENSE, object],
      [Command.ORDER, object],
      [Command.RECOVER, object],
      [Command.DRAIN_DONE],
      [Command.DIAGNOSE],
    ]);
  });

  it("gives what the governor answers", () => {
    const bytes = Uint8Array.of(7);
    expect(answering([0, bytes]).mailbox.identity()).toEqual(bytes);
    expect(answering([0, bytes]).mailbox.timeChallenge()).toEqual(bytes);
    expect(answering([0, bytes]).mailbox.evidence(new Uint8Array(32))).toEqual(bytes);
    expect(answering([0, bytes, bytes]).mailbox.report()).toEqual({ report: bytes, intervals: bytes });
    expect(answering([0, bytes, bytes]).mailbox.reportAgain()).toEqual({ report: bytes, intervals: bytes });
  });

  it("throws the governor's refusal with its code and its phrase", () => {
    const { mailbox } = answering([ErrorCode.LICENSE_EXPIRED]);
    expect(codeOf(() => mailbox.license(Uint8Array.of(1)))).toBe(ErrorCode.LICENSE_EXPIRED);
    expect(() => mailbox.license(Uint8Array.of(1))).toThrow("the license may have expired (0x070a)");
  });

  it.each([
    ["no array", new Map()],
    ["an array without a code", []],
    ["a text for a code", ["0"]],
    ["a negative code", [-1]],
    ["a result too few", [0]],
    ["a result too many", [0, Uint8Array.of(1), 2]],
    ["a result of another type", [0, 1]],
  ] as const)("takes %s for no answer", (_what, answer) => {
    const { mailbox } = answering(answer as CborValue);
    expect(codeOf(() => mailbox.identity())).toBe(ErrorCode.MAILBOX_FORM);
  });

  it("refuses what is over 4,096 bytes either way", () => {
    expect(codeOf(() => encodeRequest(Command.LICENSE, new Uint8Array(4096)))).toBe(ErrorCode.MAILBOX_LENGTH);
    expect(codeOf(() => readAnswer(new Uint8Array(4097), 0))).toBe(ErrorCode.MAILBOX_FORM);
  });
});
