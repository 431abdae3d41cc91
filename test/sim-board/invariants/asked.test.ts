/** S7, S8 and S9: asked of the real governor, and of answers that are wrong. */
import { beforeAll, expect, test } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { Board } from "../../../sim-board/board.ts";
import { GovernorImage } from "../../../sim-board/governor-module.ts";
import { flipEveryBit } from "../../../sim-board/invariants/flips.ts";
import { checkLiveness } from "../../../sim-board/invariants/liveness.ts";
import { checkVoices, type Voice } from "../../../sim-board/invariants/voices.ts";
import { Random } from "../../../sim-board/random.ts";
import { agreementOf, CLOCK, PARTIES, phaseOf, Rig, STRANGER } from "../../rig.ts";
import { toyGovernor } from "../toy-governor.ts";

/** Bits to flip: a sample that a seed repeats. `bits` of them, all different. */
function sample(seed: string, object: Uint8Array, bits: number): Set<number> {
  const random = new Random(seed);
  const chosen = new Set<number>();
  while (chosen.size < bits) chosen.add(random.below(object.length * 8));
  return chosen;
}

test("S7: a license with any one bit flipped is refused and changes nothing", () => {
  const rig = Rig.open();
  const license = rig.license();
  expect(flipEveryBit(rig.board, Command.LICENSE, license)).toBe(license.length * 8);
  rig.must(rig.send(Command.LICENSE, license));
});

test("S7: so is every other object that a governor takes", () => {
  const open = Rig.open();
  const idle = Rig.ready();
  const rolledBack = Rig.open();
  const old = rolledBack.board.flash.image();
  rolledBack.must(rolledBack.send(Command.REPORT));
  rolledBack.board.powerOff();
  rolledBack.board.flash.replace(old);
  rolledBack.board.powerOn();
  const amendment = signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2));
  const objects: [Rig, number, Uint8Array][] = [
    [open, Command.BEACON, open.beacon()],
    [open, Command.TIME_PROOF, open.timeProof()],
    [open, Command.ORDER, open.order(OrderAction.PAUSE)],
    [idle, Command.AGREEMENT, amendment],
    [rolledBack, Command.RECOVER, rolledBack.recovery()],
  ];
  for (const [rig, command, object] of objects) {
    const bits = sample(`S7 ${command}`, object, 300);
    expect(flipEveryBit(rig.board, command, object, bits)).toBe(300);
    // The object itself was good all along.
    rig.must(rig.send(command, object));
  }
});

test("S8: an honest board opens, outlives an outage, pauses, resumes and works on", () => {
  const rig = Rig.ready({ leaseSeconds: 300 });
  const host = {
    license: () => rig.must(rig.send(Command.LICENSE, rig.license())),
    beacon: () => rig.must(rig.send(Command.BEACON, rig.beacon())),
    pause: () => rig.must(rig.send(Command.ORDER, rig.order(OrderAction.PAUSE))),
    resume: () => {
      rig.must(rig.send(Command.DRAIN_DONE));
      rig.must(rig.send(Command.ORDER, rig.order(OrderAction.RESUME)));
      rig.must(rig.syncTime());
    },
  };
  checkLiveness(rig.board, host, 290, phaseOf(60));
});

test("S8: a board whose host never gets a license through is found out", () => {
  const rig = Rig.ready();
  const nobody = { license() {}, beacon() {}, pause() {}, resume() {} };
  expect(() => checkLiveness(rig.board, nobody, 1, phaseOf(1))).toThrow(expect.objectContaining({ id: "S8" }));
});

test("S9: fewer than the quorum, strangers, doubles and other people's keys move nothing", () => {
  const [a, b, c] = PARTIES as [(typeof PARTIES)[0], (typeof PARTIES)[0], (typeof PARTIES)[0]];
  const ready = Rig.ready();
  const license = (who: string, signers: readonly (typeof CLOCK)[], mayMove: boolean): Voice => ({
    who: `license by ${who}`,
    command: Command.LICENSE,
    object: ready.license({}, signers),
    mayMove,
  });
  checkVoices(ready.board, [
    license("nobody's key", [STRANGER], false),
    license("one party", [a], false),
    license("one party and a stranger", [a, STRANGER], false),
    license("one party and the clock", [a, CLOCK], false),
    license("all three, where two are asked for", [a, b, c], false),
    license("two parties", [a, b], true),
    license("two other parties", [b, c], true),
  ]);
  const open = Rig.open();
  const pause = (who: string, signers: readonly (typeof CLOCK)[], mayMove: boolean): Voice => ({
    who: `pause by ${who}`,
    command: Command.ORDER,
    object: open.order(OrderAction.PAUSE, {}, signers),
    mayMove,
  });
  checkVoices(open.board, [
    pause("a stranger", [STRANGER], false),
    pause("the clock", [CLOCK], false),
    pause("one party", [c], true),
  ]);
  open.must(open.send(Command.ORDER, open.order(OrderAction.PAUSE)));
  open.must(open.send(Command.DRAIN_DONE));
  const resume = (who: string, signers: readonly (typeof CLOCK)[], mayMove: boolean): Voice => ({
    who: `resume by ${who}`,
    command: Command.ORDER,
    object: open.order(OrderAction.RESUME, {}, signers),
    mayMove,
  });
  checkVoices(open.board, [
    resume("the party that paused", [a], false),
    resume("one party and a stranger", [a, STRANGER], false),
    resume("two parties", [a, c], true),
  ]);
  expect(open.board.gateState).toBe(GateState.PAUSED);
});

let yes: Board;
beforeAll(async () => {
  // A governor that says yes to everything.
  const toy = await toyGovernor((source) =>
    source.replace("const what = load<u8>(box);", "const what = load<u8>(box); store<u16>(box, 0x0081); return 2;"),
  );
  yes = new Board({ image: new GovernorImage(toy), seed: 1, invariants: false });
  yes.powerOn();
});

test("a governor that says yes to everything is found out by S7 and S9", () => {
  const object = Uint8Array.of(1, 2, 3);
  expect(() => flipEveryBit(yes, Command.LICENSE, object)).toThrow(expect.objectContaining({ id: "S7" }));
  const stranger = { who: "a stranger", command: Command.LICENSE, object, mayMove: false };
  expect(() => checkVoices(yes, [stranger])).toThrow(expect.objectContaining({ id: "S9" }));
});
