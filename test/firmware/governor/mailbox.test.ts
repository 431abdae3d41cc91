import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { decode, encode } from "../../../host/protocol/cbor.ts";
import { errorPhrase } from "../../../host/protocol/error-phrases.ts";
import { Random } from "../../../sim-board/random.ts";
import { hex } from "../../refusals.ts";
import { agreementOf, PARTIES, Rig } from "../../rig.ts";

const COMMANDS = Array.from({ length: Command.RECOVER }, (_, i) => (i + 1) as Command);
const takesBytes = new Set<Command>([
  Command.AGREEMENT,
  Command.TIME_PROOF,
  Command.BEACON,
  Command.EVIDENCE,
  Command.LICENSE,
  Command.ORDER,
  Command.RECOVER,
]);

/** The code of an answer, which must be one deterministic item of the form that docs/protocol.md states. */
function answerTo(rig: Rig, request: Uint8Array): string {
  const answer = decode(rig.board.request(request)) as readonly unknown[];
  expect(Array.isArray(answer)).toBe(true);
  expect(typeof answer[0]).toBe("number");
  if (answer[0] !== 0) expect(answer.length).toBe(1);
  return errorPhrase(answer[0] as number).name;
}

/** Boards in every state that a request can meet. */
const boards: [string, () => Rig][] = [
  [
    "locked, without an agreement",
    () => {
      const rig = new Rig();
      rig.board.powerOn();
      return rig;
    },
  ],
  [
    "idle, without the time",
    () => {
      const rig = Rig.ready();
      rig.powerCycle();
      return rig;
    },
  ],
  ["open", () => Rig.open()],
  [
    "draining",
    () => {
      const rig = Rig.open();
      rig.obey(OrderAction.PAUSE);
      return rig;
    },
  ],
  [
    "paused",
    () => {
      const rig = Rig.ready();
      rig.obey(OrderAction.PAUSE);
      return rig;
    },
  ],
  [
    "locked, without its journal",
    () => {
      const rig = Rig.open();
      rig.board.cutPower();
      for (let sector = 4; sector < 64; sector++) rig.board.flash.erase(sector);
      rig.board.powerOn();
      return rig;
    },
  ],
  [
    "tampered",
    () => {
      const rig = Rig.open();
      rig.board.trip(1);
      return rig;
    },
  ],
];

describe("the form of a request", () => {
  const table: [string, string, string][] = [
    ["nothing", "", "MAILBOX_LENGTH"],
    ["an integer", "01", "MAILBOX_FORM"],
    ["a map", "a1 01 01", "MAILBOX_FORM"],
    ["an empty array", "80", "MAILBOX_FORM"],
    ["a command that is text", "81 61 31", "MAILBOX_FORM"],
    ["a negative command", "81 20", "MAILBOX_FORM"],
    ["command 0", "81 00", "MAILBOX_COMMAND"],
    ["command 15", "81 0f", "MAILBOX_COMMAND"],
    ["the largest command", "81 1b ffff ffff ffff ffff", "MAILBOX_COMMAND"],
    ["a command with an argument too many", "82 01 40", "MAILBOX_ARGUMENT"],
    ["a command with an argument too few", "81 08", "MAILBOX_ARGUMENT"],
    ["a command with two arguments", "83 06 40 40", "MAILBOX_ARGUMENT"],
    ["a license with three arguments", "84 08 40 40 40", "MAILBOX_ARGUMENT"],
    ["text in place of a log proof", "83 08 40 60", "MAILBOX_ARGUMENT"],
    ["an empty object with a log proof", "83 08 40 40", "CBOR_TRUNCATED"],
    ["text in place of bytes", "82 08 60", "MAILBOX_ARGUMENT"],
    ["an array in place of bytes", "82 08 80", "MAILBOX_ARGUMENT"],
    ["an empty object", "82 08 40", "CBOR_TRUNCATED"],
  ];
  it.each(table)("%s", (_, request, verdict) => {
    const rig = Rig.open();
    expect(answerTo(rig, hex(request))).toBe(verdict);
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it("is at most 4,096 bytes", () => {
    const rig = Rig.open();
    const fits = encode([Command.LICENSE, new Uint8Array(Limit.MESSAGE_BYTES_MAX - 5)]);
    expect(fits.length).toBe(Limit.MESSAGE_BYTES_MAX);
    expect(answerTo(rig, fits)).toBe("CBOR_TRAILING");
    expect(() => rig.board.request(new Uint8Array(Limit.MESSAGE_BYTES_MAX + 1))).toThrow("the mailbox holds 4096");
  });
});

describe("every command", () => {
  it.each(boards)("has one answer on a board that is %s, whatever its argument", (_, make) => {
    const rig = make();
    const before = rig.board.snapshot();
    const gate = rig.board.gateState;
    for (const command of COMMANDS) {
      for (const argument of takesBytes.has(command)
        ? [new Uint8Array(0), new Uint8Array(9), new Uint8Array(4000)]
        : [undefined]) {
        rig.board.restore(before);
        const verdict = answerTo(rig, encode(argument ? [command, argument] : [command]));
        if (gate === GateState.TAMPERED) expect(verdict).toBe(command === Command.INFO ? "OK" : "TAMPERED");
        expect(rig.board.fault).toBeUndefined();
        if (command !== Command.DRAIN_DONE) expect(rig.board.gateState).toBe(gate);
      }
    }
  });

  it("answers INFO in every state, by the host's own reader", () => {
    for (const [, make] of boards) {
      const rig = make();
      if (rig.board.gateState === GateState.TAMPERED) continue;
      expect(rig.info().gateState).toBe(rig.board.gateState);
    }
  });
});

describe("garbage", () => {
  const RUNS = 2500;

  it.each(boards)("never traps, hangs or opens a board that is %s", (name, make) => {
    const rig = make();
    const gate = rig.board.gateState;
    const credit = rig.board.accelerator.creditOf(2);
    const random = new Random(`garbage for ${name}`);
    for (let i = 0; i < RUNS; i++) {
      const request = random.bytes(1 + random.below(i % 50 === 0 ? Limit.MESSAGE_BYTES_MAX : 80));
      // Most random bytes are no request at all: half of them are given the beginning of one.
      if (i % 2 === 0) request[0] = 0x81 + random.below(2);
      if (i % 4 === 0 && request.length > 1) request[1] = 1 + random.below(15);
      // Not the two that may rightly move a gate.
      if (request[0] === 0x81 && request.length === 2 && request[1]! > 9) continue;
      answerTo(rig, request);
    }
    expect(rig.board.fault).toBeUndefined();
    expect(rig.board.gateState).toBe(gate);
    expect(rig.board.accelerator.creditOf(2)).toBe(credit);
  });

  it("made of good objects, by cutting, joining and overwriting, never opens a gate either", () => {
    const rig = Rig.ready();
    const objects: [Command, Uint8Array][] = [
      [Command.LICENSE, rig.license()],
      [Command.LICENSE, rig.license({ nonce: undefined })],
      [Command.ORDER, rig.order(OrderAction.PAUSE)],
      [Command.ORDER, rig.order(OrderAction.RESUME)],
      [Command.BEACON, rig.beacon()],
      [Command.TIME_PROOF, rig.timeProof()],
      [Command.AGREEMENT, signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2))],
    ];
    const before = rig.board.snapshot();
    const good = new Set(objects.map(([, object]) => Buffer.from(object).toString("hex")));
    const pick = fc.constantFrom(...objects);
    fc.assert(
      fc.property(
        pick,
        pick,
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ maxLength: 24 }),
        (a, b, from, to, at, noise) => {
          const object = Uint8Array.from(a[1]);
          const piece = b[1].subarray(Math.min(from, to) % b[1].length, Math.max(from, to) % b[1].length);
          object.set(piece.subarray(0, object.length - (at % object.length)), at % object.length);
          object.set(noise.subarray(0, object.length - (from % object.length)), from % object.length);
          if (good.has(Buffer.from(object).toString("hex"))) return;
          rig.board.restore(before);
          expect(answerTo(rig, encode([a[0], object]))).not.toBe("OK");
          expect(rig.board.gateState).toBe(GateState.IDLE);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("that is well-formed CBOR of any shape never opens a gate", () => {
    const rig = Rig.ready();
    const value = fc.letrec((tie) => ({
      item: fc.oneof(
        { depthSize: "small" },
        fc.integer(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 100 }),
        fc.array(tie("item"), { maxLength: 5 }),
      ),
    })).item;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.array(value, { maxLength: 2 }), (command, rest) => {
        let request: Uint8Array;
        try {
          request = encode([command, ...(rest as never[])]);
        } catch {
          return;
        }
        if (request.length > Limit.MESSAGE_BYTES_MAX) return;
        answerTo(rig, request);
        expect(rig.board.gateState).toBe(GateState.IDLE);
      }),
      { numRuns: 2000 },
    );
  });
});
