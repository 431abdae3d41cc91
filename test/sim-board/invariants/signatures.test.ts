/** S9, always on: a real board with real objects, and answers of "accepted" that it never gave. */
import { expect, test } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { encode } from "../../../host/protocol/cbor.ts";
import type { Signer } from "../../../host/protocol/cose.ts";
import { InvariantBroken } from "../../../sim-board/invariants/broken.ts";
import { Invariants } from "../../../sim-board/invariants/invariants.ts";
import { agreementOf, CLOCK, PARTIES, Rig, STRANGER } from "../../rig.ts";

const [a, b, c] = PARTIES as [Signer, Signer, Signer];
/** One signature of a COSE_Sign with its headers: the last bytes of the object. */
const ENTRY_BYTES = 82;
const ONE = { license: 1, pause: 1, resume: 1, update: 1, amend: 1 };

/** Tells the invariants that the governor accepted it; the governor never sees it. */
function claim(rig: Rig, command: number, object: Uint8Array): void {
  const event = { kind: "request" as const, request: encode([command, object]), answer: encode([0]) };
  rig.board.invariants!.observe(event, rig.board);
}

/** The same of an exchange in which the power went. */
function tear(rig: Rig, command: number, object: Uint8Array): void {
  const event = { kind: "request" as const, request: encode([command, object]), answer: undefined };
  rig.board.invariants!.observe(event, rig.board);
}

function broken(id: string, act: () => void): void {
  let thrown: unknown;
  try {
    act();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InvariantBroken);
  expect(thrown).toMatchObject({ id });
}

/** With its last byte, the end of the last signature, changed. */
function forged(object: Uint8Array): Uint8Array {
  const bad = object.slice();
  bad[bad.length - 1]! ^= 1;
  return bad;
}

test("a license is found out that one party, a stranger, one party twice or all three signed", () => {
  for (const signers of [[a], [STRANGER], [a, STRANGER], [a, CLOCK], [a, b, c]]) {
    const rig = Rig.ready();
    broken("S9", () => claim(rig, Command.LICENSE, rig.license({}, signers)));
  }
  const rig = Rig.ready();
  const twice = rig.license({}, [a, b]);
  twice.copyWithin(twice.length - ENTRY_BYTES, twice.length - 2 * ENTRY_BYTES, twice.length - ENTRY_BYTES);
  broken("S9", () => claim(rig, Command.LICENSE, twice));
  broken("S9", () => claim(rig, Command.LICENSE, Uint8Array.of(1, 2, 3)));
  claim(rig, Command.LICENSE, rig.license({ sequence: 2n }, [a, c]));
});

test("one bad bit in a signature of anything accepted breaks S7", () => {
  const rig = Rig.ready();
  const objects: [number, Uint8Array][] = [
    [Command.AGREEMENT, signAgreement(agreementOf({ version: 2 }), [a, b])],
    [Command.LICENSE, rig.license()],
    [Command.ORDER, rig.order(OrderAction.PAUSE)],
    [Command.BEACON, rig.beacon()],
    [Command.TIME_PROOF, rig.timeProof()],
    [Command.RECOVER, rig.recovery()],
  ];
  const before = rig.board.snapshot();
  for (const [command, object] of objects) {
    rig.board.restore(before);
    broken("S7", () => claim(rig, command, forged(object)));
    rig.board.restore(before);
    claim(rig, command, object);
  }
});

test("an object of one kind never passes as another, and a beacon is the time authorities' alone", () => {
  const rig = Rig.ready();
  broken("S7", () => claim(rig, Command.TIME_PROOF, rig.beacon()));
  broken("S9", () => claim(rig, Command.BEACON, rig.beacon({}, [a])));
  broken("S9", () => claim(rig, Command.BEACON, rig.license()));
});

test("what an order takes depends on what is in force: less by the pause quorum, more by the resume quorum", () => {
  const rig = Rig.ready();
  broken("S9", () => claim(rig, Command.ORDER, rig.order(OrderAction.RESUME, {}, [a])));
  claim(rig, Command.ORDER, rig.order(OrderAction.SLOW, { permille: 500 }, [a]));
  broken("S9", () => claim(rig, Command.ORDER, rig.order(OrderAction.SLOW, { permille: 501 }, [a])));
  claim(rig, Command.ORDER, rig.order(OrderAction.SLOW, { permille: 500 }, [b, c]));
  claim(rig, Command.ORDER, rig.order(OrderAction.PAUSE, {}, [c]));
  broken("S9", () => claim(rig, Command.ORDER, rig.order(OrderAction.SLOW, { permille: 1 }, [a])));
  broken("S9", () => claim(rig, Command.ORDER, rig.order(OrderAction.PAUSE, {}, [a, b, c])));
  claim(rig, Command.ORDER, rig.order(OrderAction.RESUME, {}, [a, c]));
});

test("an order for other devices changes nothing here, by whichever quorum it comes", () => {
  const rig = Rig.ready();
  const others = { permille: 100, scope: [new Uint8Array(33)] };
  const more = (permille: number) => rig.order(OrderAction.SLOW, { permille }, [a]);
  rig.info();
  claim(rig, Command.ORDER, rig.order(OrderAction.SLOW, others, [a]));
  claim(rig, Command.ORDER, rig.order(OrderAction.SLOW, others, [a, b]));
  claim(rig, Command.ORDER, more(500));
  broken("S9", () => claim(rig, Command.ORDER, more(600)));
});

test("an agreement takes all its parties first and then the amend quorum, given again nobody", () => {
  const first = new Rig();
  first.board.powerOn();
  broken("S9", () => claim(first, Command.AGREEMENT, signAgreement(first.agreement, [a, b])));
  const rig = Rig.ready();
  const own = agreementOf({ version: 2, parties: [{ ...STRANGER, name: "stranger" }], quorums: ONE });
  broken("S9", () => claim(rig, Command.AGREEMENT, signAgreement(own, [STRANGER])));
  broken("S9", () => claim(rig, Command.AGREEMENT, signAgreement(agreementOf({ version: 2 }), [c])));
  claim(rig, Command.AGREEMENT, forged(signAgreement(rig.agreement, PARTIES)));
});

test("a recovery that lifts a pause takes the larger quorum", () => {
  const rig = Rig.ready({ quorums: { license: 1, pause: 1, resume: 3, update: 2, amend: 2 } });
  claim(rig, Command.RECOVER, rig.recovery({ action: OrderAction.PAUSE }, [a]));
  broken("S9", () => claim(rig, Command.RECOVER, rig.recovery({ action: OrderAction.RESUME }, [a])));
  claim(rig, Command.RECOVER, rig.recovery({ action: OrderAction.RESUME }, PARTIES));
});

test("after a torn order either history is allowed, and a forged one is no history", () => {
  const slow = (permille: number) => rig.order(OrderAction.SLOW, { permille }, [a]);
  const rig = Rig.ready();
  claim(rig, Command.ORDER, slow(500));
  tear(rig, Command.ORDER, rig.order(OrderAction.RESUME, {}, [a]));
  broken("S9", () => claim(rig, Command.ORDER, slow(600)));
  tear(rig, Command.ORDER, forged(rig.order(OrderAction.RESUME, {}, [a, b])));
  const before = rig.board.snapshot();
  tear(rig, Command.ORDER, rig.order(OrderAction.RESUME, {}, [a, b]));
  claim(rig, Command.ORDER, slow(600));
  rig.board.restore(before);
  broken("S9", () => claim(rig, Command.ORDER, slow(700)));
});

test("after a torn agreement the parties of either may sign; a forged one brings no parties", () => {
  const rig = Rig.ready();
  const next = (signers: Signer[]) =>
    signAgreement(
      agreementOf({ version: 2, parties: [a, b, STRANGER].map((s, i) => ({ ...s, name: `${i}` })) }),
      signers,
    );
  tear(rig, Command.AGREEMENT, next([a, STRANGER]));
  broken("S9", () => claim(rig, Command.LICENSE, rig.license({}, [b, STRANGER])));
  const rig2 = Rig.ready();
  tear(rig2, Command.AGREEMENT, next([a, b]));
  claim(rig2, Command.LICENSE, rig2.license({}, [b, STRANGER]));
  claim(rig2, Command.LICENSE, rig2.license({ sequence: 2n }, [b, c]));
});

/** Invariants that hear only what the test says was accepted. */
function listener(rig: Rig) {
  const invariants = new Invariants();
  const say = (command: number, object: Uint8Array) =>
    invariants.observe({ kind: "request", request: encode([command, object]), answer: encode([0]) }, rig.board);
  return { invariants, say };
}

test("an order with a scope may mean a device that never said its name, or not", () => {
  const rig = Rig.ready();
  const { say } = listener(rig);
  const slow = (permille: number, scope?: Uint8Array[]) => rig.order(OrderAction.SLOW, { permille, scope }, [a]);
  say(Command.AGREEMENT, signAgreement(rig.agreement, PARTIES));
  say(Command.ORDER, slow(100, [new Uint8Array(33)]));
  say(Command.ORDER, slow(500));
  broken("S9", () => say(Command.ORDER, slow(600)));
});

test("a board with a past that nobody watched is judged from the next agreement on", () => {
  const rig = Rig.open();
  const { invariants, say } = listener(rig);
  say(Command.ORDER, rig.order(OrderAction.RESUME, {}, [STRANGER]));
  say(Command.AGREEMENT, signAgreement(agreementOf({ version: 2 }), [a, b]));
  broken("S9", () => say(Command.LICENSE, rig.license({}, [a])));
  expect(invariants.checks.get("S9")).toBe(1);
});
