import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { agreementOf, PARTIES, Rig, STRANGER } from "../../rig.ts";
import { cutEverywhere } from "./bench.ts";

const bad = (rig: Rig) => rig.license({}, [PARTIES[0]!, STRANGER]);
const fail = (rig: Rig, times: number) => {
  for (let i = 0; i < times; i++) expect(rig.verdict(Command.LICENSE, bad(rig))).toBe("COSE_QUORUM");
};

describe("a bad object costs its sender", () => {
  it("three are forgiven, with the fourth a back-off begins and the challenge is renewed", () => {
    const rig = Rig.ready();
    const { challenge } = rig.info();
    fail(rig, 3);
    expect(rig.info()).toMatchObject({ failures: 3, backOffTicks: 0n, challenge });
    fail(rig, 1);
    const info = rig.info();
    expect(info.failures).toBe(4);
    expect(info.backOffTicks).toBe(1000n);
    expect(info.challenge).not.toEqual(challenge);
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_BACK_OFF");
  });

  it("the back-off doubles with each further failure, up to 68 minutes", () => {
    const rig = Rig.ready({ leaseSeconds: 10 ** 6 });
    fail(rig, 3);
    for (let level = 0; level < 16; level++) {
      fail(rig, 1);
      const seconds = Limit.BACK_OFF_SECONDS << Math.min(level, Limit.BACK_OFF_DOUBLINGS_MAX);
      expect(rig.info().backOffTicks).toBe(BigInt(seconds) * 1000n);
      rig.board.advance(seconds);
    }
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
  });

  it("what comes during the back-off is refused unread: it neither counts nor wears the counter", () => {
    const rig = Rig.ready();
    fail(rig, 4);
    const steps = rig.board.counter.read();
    for (let i = 0; i < 50; i++) expect(rig.verdict(Command.LICENSE, bad(rig))).toBe("LICENSE_BACK_OFF");
    expect(rig.info().failures).toBe(4);
    expect(rig.board.counter.read()).toBe(steps);
  });

  it("agreements are refused unread as well", () => {
    const rig = Rig.ready();
    fail(rig, 4);
    const next = signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2));
    expect(rig.verdict(Command.AGREEMENT, next)).toBe("LICENSE_BACK_OFF");
    rig.board.advance(2);
    expect(rig.verdict(Command.AGREEMENT, next)).toBe("OK");
  });

  it("a power cut forgives nothing, and starts the back-off anew", () => {
    const rig = Rig.ready();
    fail(rig, 4);
    rig.board.advance(2);
    fail(rig, 1);
    rig.board.advance(1.5);
    rig.restart();
    expect(rig.info()).toMatchObject({ failures: 5, backOffTicks: 2000n });
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_BACK_OFF");
    rig.board.advance(2);
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
  });

  it("a power cut anywhere in a refusal gains no free attempt but the one that it cut", () => {
    const rig = Rig.ready();
    fail(rig, 3);
    const license = bad(rig);
    cutEverywhere(
      rig,
      () => rig.send(Command.LICENSE, license),
      () => {
        rig.restart();
        expect(rig.info().failures).toBeGreaterThanOrEqual(3);
      },
    );
    expect(rig.info().failures).toBe(4);
  });

  it("a license that is installed clears the account", () => {
    const rig = Rig.ready();
    fail(rig, 4);
    rig.board.advance(2);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.info()).toMatchObject({ failures: 0, backOffTicks: 0n });
    fail(rig, 3);
    expect(rig.info().backOffTicks).toBe(0n);
    // The next back-off is the shortest again.
    fail(rig, 1);
    expect(rig.info().backOffTicks).toBe(BigInt(Limit.BACK_OFF_SECONDS) * 1000n);
  });

  it.each([
    ["license", Command.LICENSE],
    ["order", Command.ORDER],
    ["agreement", Command.AGREEMENT],
  ] as const)("a bad %s counts", (_, command) => {
    const rig = Rig.ready();
    expect(rig.send(command, new Uint8Array(3))).not.toBe(0);
    expect(rig.info().failures).toBe(1);
  });

  it.each([
    ["beacon", Command.BEACON],
    ["time proof", Command.TIME_PROOF],
  ] as const)("a bad %s does not: time authorities license nothing", (_, command) => {
    const rig = Rig.ready();
    expect(rig.send(command, new Uint8Array(3))).not.toBe(0);
    expect(rig.info().failures).toBe(0);
  });

  it("nor does what an honest sender meets too", () => {
    const rig = Rig.ready();
    const order = rig.order(OrderAction.PAUSE);
    rig.must(rig.send(Command.ORDER, order));
    expect(rig.verdict(Command.ORDER, order)).toBe("ORDER_EPOCH_OLD");
    expect(rig.verdict(Command.ORDER, rig.order(OrderAction.RESUME, { notBeforeSeconds: rig.nowSeconds + 99 }))).toBe(
      "ORDER_NOT_YET",
    );
    expect(rig.verdict(Command.RECOVER, rig.recovery())).toBe("RECOVERY_NOT_NEEDED");
    rig.powerCycle();
    expect(rig.verdict(Command.ORDER, rig.order(OrderAction.RESUME))).toBe("TIME_UNKNOWN");
    expect(rig.info().failures).toBe(0);
  });

  it.each<[string, string, (rig: Rig) => readonly [Command, Uint8Array]]>([
    ["a license of the epoch before", "LICENSE_EPOCH", ofTheEpochBefore],
    ["a license while a pause is in force", "LICENSE_PAUSED", whilePaused],
    ["a license before the time is known", "LICENSE_TIME_UNKNOWN", withoutTime],
    ["an order whose forerunner is not here yet", "ORDER_PREVIOUS", beforeItsForerunner],
    ["an order for another agreement", "ORDER_AGREEMENT", underAnother],
  ])("nor does %s, however often it comes", (_, verdict, make) => {
    const rig = Rig.ready();
    const [command, object] = make(rig);
    const steps = rig.board.counter.read();
    for (let i = 0; i < 5; i++) expect(rig.verdict(command, object)).toBe(verdict);
    expect(rig.info()).toMatchObject({ failures: 0, backOffTicks: 0n });
    expect(rig.board.counter.read()).toBe(steps);
  });

  it("nor does what a board without an agreement, or with a lost journal, cannot judge", () => {
    const rig = new Rig();
    rig.board.powerOn();
    const license = rig.license();
    for (let i = 0; i < 5; i++) expect(rig.verdict(Command.LICENSE, license)).toBe("AGREEMENT_MISSING");
    rig.must(rig.provision());
    expect(rig.info().failures).toBe(0);
  });

  it("nor does an agreement that comes while the gate is open", () => {
    const rig = Rig.open();
    const next = signAgreement({ ...rig.agreement, version: 2 }, PARTIES.slice(0, 2));
    for (let i = 0; i < 5; i++) expect(rig.verdict(Command.AGREEMENT, next)).toBe("AGREEMENT_BUSY");
    expect(rig.info().failures).toBe(0);
  });

  it("with a generator that is stuck leaves no challenge to answer", () => {
    const rig = Rig.ready();
    fail(rig, 3);
    rig.board.trng.stuckAt = 0;
    fail(rig, 1);
    expect(rig.verdict(Command.EVIDENCE, new Uint8Array(32))).toBe("BOOT_TRNG");
    rig.board.advance(2);
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_NONCE");
  });

  it("orders are read during the back-off, and bad ones do not wear the counter", () => {
    const rig = Rig.open();
    fail(rig, 4);
    const steps = rig.board.counter.read();
    for (let i = 0; i < 20; i++)
      expect(rig.verdict(Command.ORDER, rig.order(OrderAction.PAUSE, {}, [STRANGER]))).toBe("COSE_QUORUM");
    expect(rig.board.counter.read()).toBe(steps);
    rig.obey(OrderAction.PAUSE);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
  });

  it("a back-off closes nothing: a license in force goes on", () => {
    const rig = Rig.open();
    fail(rig, 4);
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });
});

function ofTheEpochBefore(rig: Rig): readonly [Command, Uint8Array] {
  const license = rig.license();
  rig.obey(OrderAction.SLOW, { permille: 500 });
  return [Command.LICENSE, license];
}

function whilePaused(rig: Rig): readonly [Command, Uint8Array] {
  rig.obey(OrderAction.PAUSE);
  return [Command.LICENSE, rig.license()];
}

function withoutTime(rig: Rig): readonly [Command, Uint8Array] {
  rig.powerCycle();
  return [Command.LICENSE, rig.license()];
}

function beforeItsForerunner(rig: Rig): readonly [Command, Uint8Array] {
  const previousDigest = new Uint8Array(32).fill(7);
  return [Command.ORDER, rig.order(OrderAction.SLOW, { permille: 500, previousDigest })];
}

function underAnother(rig: Rig): readonly [Command, Uint8Array] {
  return [Command.ORDER, rig.order(OrderAction.PAUSE, { agreementDigest: new Uint8Array(32).fill(7) })];
}
